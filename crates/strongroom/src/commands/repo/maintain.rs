//! `repo check`, `repo prune`, `repo unlock`.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use strongroom_engine::{CheckOptions, PruneOptions, PrunePlan, ReadData, Repository};

use super::{context, open, progress::Bar, units};
use crate::{
    args::{PruneArgs, RepoArgs},
    ui::{self, Outcome},
};

pub(super) fn check(args: &RepoArgs, all: bool, subset: Option<&str>) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("check"));
    let context = context(&bar)?;
    let read_data = match subset {
        Some(text) => units::subset(text)?,
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

pub(super) fn prune(args: &RepoArgs, options: &PruneArgs, dry_run: bool) -> Result<Outcome> {
    prune_repository(args, &open(args)?, options, dry_run)
}

pub(super) fn prune_repository(
    args: &RepoArgs,
    repository: &Repository,
    options: &PruneArgs,
    dry_run: bool,
) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("prune"));
    let context = context(&bar)?;
    let grace = options.keep_delete.as_deref();
    let options = PruneOptions {
        tolerance: units::tolerance(&options.max_unused)?,
        grace: grace.map(units::duration).transpose()?,
    };
    let plan = repository.plan_prune(&options, &context)?;
    if dry_run {
        bar.finish();
        return print_plan(args, &plan);
    }
    // Packs that are written anew are as useless afterwards as those without use.
    let marked = if options.grace.is_some() {
        plan.packs_marked() + plan.packs_to_repack()
    } else {
        0
    };
    let report = plan.execute(&context)?;
    bar.finish();
    if args.json {
        ui::json(&json!({
            "message_type": "summary",
            "packs_removed": report.packs_removed,
            "packs_repacked": report.packs_repacked,
            "packs_marked": marked,
            "bytes_freed": report.bytes_freed,
        }))?;
    } else {
        ui::note(format_args!("freed {}", ui::bytes(report.bytes_freed)));
    }
    Ok(Outcome::Done)
}

fn print_plan(args: &RepoArgs, plan: &PrunePlan) -> Result<Outcome> {
    if args.json {
        ui::json(&json!({
            "message_type": "plan",
            "packs_to_remove": plan.packs_to_remove(),
            "packs_to_repack": plan.packs_to_repack(),
            "packs_marked": plan.packs_marked(),
            "bytes_removed": plan.bytes_removed,
            "bytes_repacked": plan.bytes_repacked,
            "bytes_unused_kept": plan.bytes_unused_kept,
        }))?;
    } else {
        let (removed, repacked) = (
            ui::bytes(plan.bytes_removed),
            ui::bytes(plan.bytes_repacked),
        );
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
