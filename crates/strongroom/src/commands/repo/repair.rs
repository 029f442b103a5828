//! `repo repair index|packs|snapshots`.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::json;
use strongroom_engine::{Error, Id, RepairedSnapshot, SnapshotRepair};

use super::{context, open, progress::Bar};
use crate::{
    args::{RepairCmd, RepoArgs},
    ui::{self, Outcome},
};

pub(super) fn run(cmd: RepairCmd) -> Result<Outcome> {
    match cmd {
        RepairCmd::Index {
            repo,
            read_all_packs,
        } => index(&repo, read_all_packs),
        RepairCmd::Packs { repo, packs } => self::packs(&repo, &packs),
        RepairCmd::Snapshots {
            repo,
            snapshots,
            forget,
            dry_run,
        } => self::snapshots(&repo, &snapshots, SnapshotRepair { forget, dry_run }),
    }
}

fn index(args: &RepoArgs, read_all: bool) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("repair"));
    let context = context(&bar)?;
    let report = open(args)?.repair_index(read_all, &context)?;
    bar.finish();
    let texts = texts(&report.damaged);
    if args.json {
        let dropped = report.packs_dropped.iter().map(ToString::to_string);
        ui::json(&json!({
            "message_type": "summary",
            "packs_added": report.packs_added,
            "packs_dropped": dropped.collect::<Vec<_>>(),
            "damaged": texts,
        }))?;
    } else {
        let (added, dropped) = (report.packs_added, report.packs_dropped.len());
        ui::note(format_args!(
            "added {added} packs to the index, dropped {dropped}"
        ));
    }
    Ok(warn(&texts))
}

fn packs(args: &RepoArgs, ids: &[String]) -> Result<Outcome> {
    let ids = ids.iter().map(|id| id.parse::<Id>());
    let ids = ids.collect::<Result<Vec<_>, _>>().context("not a pack")?;
    let bar = Arc::new(Bar::new("repair"));
    let context = context(&bar)?;
    let report = open(args)?.repair_packs(&ids, &context)?;
    bar.finish();
    let texts = texts(&report.lost);
    if args.json {
        ui::json(&json!({
            "message_type": "summary", "packs_repaired": report.packs, "lost": texts,
        }))?;
    } else {
        let (packs, lost) = (report.packs, report.lost.len());
        ui::note(format_args!(
            "replaced {packs} packs; {lost} blobs are lost"
        ));
    }
    Ok(warn(&texts))
}

fn snapshots(args: &RepoArgs, names: &[String], options: SnapshotRepair) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("repair"));
    let context = context(&bar)?;
    let repository = open(args)?;
    let ids = names
        .iter()
        .map(|name| Ok(repository.find_snapshot(name)?.id));
    let ids = ids.collect::<Result<Vec<_>>>()?;
    let repaired = repository.repair_snapshots(&ids, options, &context)?;
    bar.finish();
    if args.json {
        ui::json(&repaired.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        for it in &repaired {
            let new = it
                .replaced_by
                .map_or_else(|| "nothing".to_owned(), Id::to_hex);
            ui::line(format_args!(
                "snapshot {} replaced by {new}: {} files and {} directories are not whole",
                it.id, it.files, it.directories
            ))?;
        }
    }
    Ok(Outcome::Done)
}

fn as_json(it: &RepairedSnapshot) -> serde_json::Value {
    json!({
        "id": it.id.to_string(),
        "replaced_by": it.replaced_by.map(Id::to_hex),
        "files": it.files,
        "directories": it.directories,
    })
}

fn texts(errors: &[Error]) -> Vec<String> {
    errors.iter().map(Error::chain).collect()
}

fn warn(errors: &[String]) -> Outcome {
    for error in errors {
        ui::note(format_args!("warning: {error}"));
    }
    if errors.is_empty() {
        Outcome::Done
    } else {
        Outcome::SomeFailed
    }
}
