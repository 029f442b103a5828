//! `repo forget`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::json;
use strongroom_domain::{
    BackupId, BackupState,
    retention::{Candidate, Retention},
};
use strongroom_engine::{Snapshot, SnapshotId};

use super::{inspect::as_json, maintain::prune_repository, matches, open, units};
use crate::{
    args::RepoForget,
    ui::{self, Outcome},
};

pub(super) fn forget(args: &RepoForget) -> Result<Outcome> {
    let repository = open(&args.repo)?;
    let list = repository.snapshots()?;
    let (remove, keep) = if args.snapshots.is_empty() {
        by_rules(args, &list.snapshots)?
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
    print_forgotten(args, &list.snapshots, &remove, &keep)?;
    if args.prune && !args.dry_run {
        return prune_repository(&args.repo, &repository, &args.prune_options, false);
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

/// Applies the rules to each group of snapshots, as restic does.
fn by_rules(
    args: &RepoForget,
    snapshots: &[Snapshot],
) -> Result<(Vec<SnapshotId>, Vec<SnapshotId>)> {
    let within = args
        .keep_within
        .as_deref()
        .map(units::duration)
        .transpose()?;
    let rules = Retention {
        last: args.keep_last,
        hourly: args.keep_hourly,
        daily: args.keep_daily,
        weekly: args.keep_weekly,
        monthly: args.keep_monthly,
        yearly: args.keep_yearly,
        within_seconds: within.and_then(|it| u64::try_from(it.as_secs()).ok()),
        ..Retention::default()
    };
    if rules == Retention::default() && args.keep_tag.is_empty() {
        bail!("nothing to do: name snapshots or give a `--keep-…` rule");
    }
    let mut groups: BTreeMap<_, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|it| matches(&args.filter, it)) {
        let group = group(snapshot, &args.group_by)?;
        groups.entry(group).or_default().push(snapshot);
    }
    let (mut remove, mut keep) = (Vec::new(), Vec::new());
    for group in groups.into_values() {
        let candidates: Vec<_> = group
            .iter()
            .zip(0..)
            .map(|it| candidate(it, args))
            .collect();
        // As restic has it: ages count from the newest, so that what is no longer backed up stays.
        let newest = candidates.iter().map(|it| it.at).max();
        let decisions = rules.decide(&candidates, newest.unwrap_or_default());
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

/// What snapshots of one group have in common.
fn group(snapshot: &Snapshot, by: &str) -> Result<Vec<Vec<String>>> {
    let fields = by.split(',').filter(|field| !field.is_empty());
    let value = |field| {
        Ok(match field {
            "host" | "hosts" => vec![snapshot.hostname.clone()],
            "path" | "paths" => snapshot.paths.clone(),
            "tag" | "tags" => snapshot.tags.clone(),
            _ => bail!("snapshots cannot be grouped by `{field}`"),
        })
    };
    fields.map(value).collect()
}

/// A snapshot as retention sees it: a complete copy. Snapshots have no backup id, so their place
/// in the group stands for one.
fn candidate((snapshot, place): (&&Snapshot, u128), args: &RepoForget) -> Candidate {
    Candidate {
        id: BackupId::from_uuid(uuid::Uuid::from_u128(place)),
        at: snapshot.time,
        state: BackupState::Completed,
        held: snapshot.tags.iter().any(|tag| args.keep_tag.contains(tag)),
    }
}
