//! `repo check`, `repo forget`, `repo prune`, `repo unlock`.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use strongroom_domain::{
    BackupId, BackupState, Clock,
    retention::{Candidate, Retention},
};
use strongroom_engine::{CheckOptions, PruneOptions, ReadData, Repository, Snapshot, SnapshotId};

use super::{context, inspect::as_json, matches, open, progress::Bar};
use crate::{
    args::{RepoArgs, RepoForget},
    runtime::SystemClock,
    ui::{self, Outcome},
};

pub(super) fn check(args: &RepoArgs, all: bool, subset: Option<&str>) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("check"));
    let context = context(&bar)?;
    let read_data = match subset {
        Some(text) => parse_subset(text)?,
        None if all => ReadData::All,
        None => ReadData::None,
    };
    let report = open(args)?.check(&CheckOptions { read_data }, &context)?;
    bar.finish();
    for error in &report.errors {
        ui::note(format_args!("error: {}", error.chain()));
    }
    if args.json {
        ui::json(&json!({
            "message_type": "summary",
            "num_errors": report.errors.len(),
            "errors": report.errors.iter().map(strongroom_engine::Error::chain).collect::<Vec<_>>(),
            "snapshots": report.snapshots,
            "trees": report.trees,
            "packs": report.packs,
            "packs_read": report.packs_read,
            "unreferenced_packs": report.unreferenced_packs.len(),
        }))?;
    } else if report.is_ok() {
        ui::line("no errors were found")?;
    }
    Ok(if report.is_ok() {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

/// `n/m`, or `x%`: a random-looking but repeatable part of that size.
fn parse_subset(text: &str) -> Result<ReadData> {
    let usage = || format!("`{text}` is neither `n/m` nor `x%`");
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().with_context(usage)?;
        if !(percent > 0.0 && percent <= 100.0) {
            bail!("{}", usage());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "1 to 256"
        )]
        let of = (100.0 / percent).round().clamp(1.0, 256.0) as u32;
        return Ok(ReadData::Subset { part: 1, of });
    }
    let (part, of) = text.split_once('/').with_context(usage)?;
    let (part, of) = (
        part.parse().with_context(usage)?,
        of.parse().with_context(usage)?,
    );
    if part == 0 || part > of || of > 256 {
        bail!("`{text}` is not a part of at most 256");
    }
    Ok(ReadData::Subset { part, of })
}

pub(super) fn forget(args: RepoForget) -> Result<Outcome> {
    let repository = open(&args.repo)?;
    let list = repository.snapshots()?;
    let (remove, keep) = if args.snapshots.is_empty() {
        by_rules(&args, &list.snapshots)?
    } else {
        let named = args
            .snapshots
            .iter()
            .map(|it| Ok(repository.find_snapshot(it)?.id));
        (named.collect::<Result<Vec<_>>>()?, Vec::new())
    };
    if !args.dry_run {
        repository.forget(&remove)?;
    }
    print_forgotten(&args, &list.snapshots, &remove, &keep)?;
    if args.prune && !args.dry_run {
        return prune_repository(&args.repo, &repository, false);
    }
    Ok(Outcome::Done)
}

fn print_forgotten(
    args: &RepoForget,
    snapshots: &[Snapshot],
    remove: &[SnapshotId],
    keep: &[SnapshotId],
) -> Result<()> {
    let those = |ids: &[SnapshotId]| {
        let found = snapshots.iter().filter(|it| ids.contains(&it.id));
        found.map(as_json).collect::<Result<Vec<_>>>()
    };
    if args.repo.json {
        return ui::json(&json!({ "keep": those(keep)?, "remove": those(remove)? }));
    }
    let verb = if args.dry_run {
        "would remove"
    } else {
        "removed"
    };
    remove
        .iter()
        .try_for_each(|id| ui::line(format_args!("{verb} snapshot {id}")))
}

/// Applies the rules to each group of snapshots of the same host and paths, as restic does.
fn by_rules(
    args: &RepoForget,
    snapshots: &[Snapshot],
) -> Result<(Vec<SnapshotId>, Vec<SnapshotId>)> {
    let rules = Retention {
        last: args.keep_last,
        hourly: args.keep_hourly,
        daily: args.keep_daily,
        weekly: args.keep_weekly,
        monthly: args.keep_monthly,
        yearly: args.keep_yearly,
        ..Retention::default()
    };
    if rules == Retention::default() {
        bail!("nothing to do: name snapshots or give a `--keep-…` rule");
    }
    let mut groups: BTreeMap<_, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|it| matches(&args.filter, it)) {
        groups
            .entry((&snapshot.hostname, &snapshot.paths))
            .or_default()
            .push(snapshot);
    }
    let (mut remove, mut keep) = (Vec::new(), Vec::new());
    for group in groups.into_values() {
        let candidates: Vec<_> = group.iter().zip(0..).map(candidate).collect();
        let decisions = rules.decide(&candidates, SystemClock.now());
        for (snapshot, decision) in group.iter().zip(decisions) {
            let side = if decision.keep {
                &mut keep
            } else {
                &mut remove
            };
            side.push(snapshot.id);
        }
    }
    Ok((remove, keep))
}

/// A snapshot as retention sees it: a complete copy. Snapshots have no backup id, so their place
/// in the group stands for one.
fn candidate((snapshot, place): (&&Snapshot, u128)) -> Candidate {
    Candidate {
        id: BackupId::from_uuid(uuid::Uuid::from_u128(place)),
        at: snapshot.time,
        state: BackupState::Completed,
        held: false,
    }
}

pub(super) fn prune(args: &RepoArgs, dry_run: bool) -> Result<Outcome> {
    prune_repository(args, &open(args)?, dry_run)
}

fn prune_repository(args: &RepoArgs, repository: &Repository, dry_run: bool) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("prune"));
    let context = context(&bar)?;
    let plan = repository.plan_prune(&PruneOptions::default(), &context)?;
    if dry_run {
        bar.finish();
        return print_plan(args, plan.bytes_removed, plan.bytes_repacked);
    }
    let report = plan.execute(&context)?;
    bar.finish();
    if args.json {
        ui::json(&json!({
            "message_type": "summary",
            "packs_removed": report.packs_removed,
            "packs_repacked": report.packs_repacked,
            "bytes_freed": report.bytes_freed,
        }))?;
    } else {
        ui::note(format_args!("freed {}", ui::bytes(report.bytes_freed)));
    }
    Ok(Outcome::Done)
}

fn print_plan(args: &RepoArgs, removed: u64, repacked: u64) -> Result<Outcome> {
    if args.json {
        ui::json(&json!({
            "message_type": "plan", "bytes_removed": removed, "bytes_repacked": repacked,
        }))?;
    } else {
        let (removed, repacked) = (ui::bytes(removed), ui::bytes(repacked));
        ui::line(format_args!("would remove {removed} and repack {repacked}"))?;
    }
    Ok(Outcome::Done)
}

pub(super) fn unlock(args: &RepoArgs, all: bool) -> Result<Outcome> {
    let removed = open(args)?.unlock(all)?;
    if args.json {
        ui::json(&json!({ "message_type": "summary", "locks_removed": removed }))?;
    } else {
        ui::note(format_args!("removed {removed} locks"));
    }
    Ok(Outcome::Done)
}
