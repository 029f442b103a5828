//! `repo diff` and `repo copy`: two snapshots, two repositories.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use strongroom_engine::{Change, DiffStats, Difference, Error, Repository, Snapshot};

use super::{context, matches, open, open_indexed, progress::Bar};
use crate::{
    args::{RepoArgs, RepoCopy},
    ui::{self, Outcome},
};

pub(super) fn diff(args: &RepoArgs, names: [&str; 2], metadata: bool) -> Result<Outcome> {
    let context = context(&Arc::new(Bar::new("diff")))?;
    let repository = open_indexed(args, &context)?;
    let find = |name: &str| repository.repository().find_snapshot(name);
    let [first, second] = [find(names[0])?, find(names[1])?];
    let stats = repository.diff(&first, &second, &context, |difference| {
        if difference.change == Change::Metadata && !metadata {
            return Ok(());
        }
        print(args, &difference).map_err(|error| Error::Invalid(error.to_string()))
    })?;
    summary(args, stats)
}

fn print(args: &RepoArgs, difference: &Difference) -> Result<()> {
    let modifier = match difference.change {
        Change::Added => "+",
        Change::Removed => "-",
        Change::Type => "T",
        Change::Content => "M",
        Change::Metadata => "U",
    };
    let end = if difference.is_dir { "/" } else { "" };
    let path = format!("/{}{end}", difference.path);
    if args.json {
        return ui::json(&json!({
            "message_type": "change", "path": path, "modifier": modifier,
        }));
    }
    ui::line(format_args!("{modifier}    {path}"))
}

fn summary(args: &RepoArgs, stats: DiffStats) -> Result<Outcome> {
    if args.json {
        ui::json(&json!({
            "message_type": "statistics",
            "added": stats.added,
            "removed": stats.removed,
            "changed": stats.changed,
            "added_bytes": stats.added_bytes,
            "removed_bytes": stats.removed_bytes,
        }))?;
    } else {
        let DiffStats {
            added,
            removed,
            changed,
            ..
        } = stats;
        ui::note(format_args!(
            "{added} added, {removed} removed, {changed} changed"
        ));
    }
    Ok(Outcome::Done)
}

pub(super) fn copy(args: &RepoCopy) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("copy"));
    let context = context(&bar)?;
    let from = open(&RepoArgs {
        repo: args.from_repo.clone(),
        password_file: args.from_password_file.clone(),
        ..args.repo.clone()
    })?;
    let snapshots = chosen(args, &from)?;
    let from = from.into_indexed(&context)?;
    let to = open_indexed(&args.repo, &context)?;
    let there = to.repository().snapshots()?.snapshots;
    for snapshot in &snapshots {
        if let Some(copy) = there.iter().find(|it| is_copy(it, snapshot)) {
            ui::note(format_args!(
                "snapshot {} is there as {}",
                snapshot.id, copy.id
            ));
            continue;
        }
        let copied = from.copy(snapshot, &to, &context)?;
        let (old, new) = (snapshot.id.to_string(), copied.id.to_string());
        if args.repo.json {
            ui::json(&json!({
                "message_type": "copied", "snapshot_id": old, "new_snapshot_id": new,
                "blobs": copied.blobs, "bytes": copied.bytes,
            }))?;
        } else {
            ui::line(format_args!("snapshot {old} copied as {new}"))?;
        }
    }
    bar.finish();
    Ok(Outcome::Done)
}

fn chosen(args: &RepoCopy, from: &Repository) -> Result<Vec<Snapshot>> {
    if !args.snapshots.is_empty() {
        let named = args
            .snapshots
            .iter()
            .map(|name| Ok(from.find_snapshot(name)?));
        return named.collect();
    }
    let mut list = from.snapshots()?;
    if let Some(error) = list.damaged.pop() {
        return Err(error.into());
    }
    list.snapshots.retain(|it| matches(&args.filter, it));
    Ok(list.snapshots)
}

/// Whether it was copied before.
fn is_copy(copy: &Snapshot, of: &Snapshot) -> bool {
    let original = of.original.unwrap_or(of.id);
    copy.original == Some(original) && copy.tree == of.tree && copy.time == of.time
}
