//! `repo backup` and `repo restore`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use serde_json::json;
use strongroom_domain::tree::{
    Context as EngineContext, EntryFailure, Patterns, RestoreOptions, TreeReader,
};
use strongroom_engine::{BackupOptions, BackupOutcome, Chunker, Compression as EngineCompression};
use strongroom_source::{Warnings, files::Walk};

use super::{context, open_indexed, progress::Bar};
use crate::{
    args::{Compression, RepoArgs, RepoBackup},
    ui::{self, Outcome},
};

pub(super) fn run(args: RepoBackup) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("backup"));
    let context = context(&bar)?;
    let exclude = Patterns::new(&args.exclude)?;
    let warnings = Warnings::default();
    let walk = |warnings| {
        let cancel = context.cancel.clone();
        Walk::of_paths(&args.paths, exclude.clone(), warnings, cancel)
            .context("cannot read what is to be backed up")
    };
    if ui::interactive() {
        let (ahead, context) = (walk(Warnings::default())?, context.clone());
        std::thread::spawn(move || count(ahead, &context));
    }
    let walk = walk(warnings.clone())?;
    let options = options(&args)?;
    let repository = open_indexed(&args.repo, &context)?;
    let outcome = repository.backup(Box::new(walk), &options, &context)?;
    bar.finish();
    let warnings = warnings.take();
    for failure in &warnings {
        ui::note(format_args!("warning: {failure}"));
    }
    print(&args.repo, &outcome, &warnings)?;
    let clean = outcome.failures.is_empty() && warnings.is_empty();
    Ok(if clean {
        Outcome::Done
    } else {
        Outcome::SomeFailed
    })
}

/// Finds out how much there is to do, while it is being done.
fn count(walk: Walk, context: &EngineContext) {
    let sizes = walk.filter_map(Result::ok).map(|it| it.metadata.size);
    let (bytes, entries) = sizes.fold((0, 0), |(bytes, entries), size| (bytes + size, entries + 1));
    context.progress.total(bytes, entries);
}

fn options(args: &RepoBackup) -> Result<BackupOptions> {
    let absolute = |path: &std::path::PathBuf| -> Result<String> {
        Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
    };
    Ok(BackupOptions {
        hostname: args.host.clone().unwrap_or_else(crate::serve::host),
        paths: args.paths.iter().map(absolute).collect::<Result<_>>()?,
        tags: args.tag.clone(),
        excludes: args.exclude.clone(),
        compression: match args.compression {
            Compression::Auto => EngineCompression::Auto,
            Compression::Off => EngineCompression::Off,
            Compression::Fast => EngineCompression::Fast,
            Compression::Max => EngineCompression::Max,
        },
        chunker: args.chunk_size.map_or(Chunker::Content, Chunker::Fixed),
        cache: cache(args),
        ..BackupOptions::default()
    })
}

/// The directory for caches, unless none is wanted or known.
fn cache(args: &RepoBackup) -> Option<PathBuf> {
    if args.no_cache {
        return None;
    }
    args.cache_dir.clone().or_else(|| {
        let caches = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || std::env::home_dir().map(|home| home.join(".cache"));
        Some(caches.or_else(home)?.join("strongroom"))
    })
}

fn print(args: &RepoArgs, outcome: &BackupOutcome, warnings: &[EntryFailure]) -> Result<()> {
    let summary = &outcome.summary;
    if args.json {
        let mut message = serde_json::to_value(summary)?;
        message["message_type"] = "summary".into();
        message["snapshot_id"] = outcome.snapshot_id.to_string().into();
        message["failed"] = json!(outcome.failures.len() + warnings.len());
        return ui::json(&message);
    }
    ui::line(format_args!("snapshot {}", outcome.snapshot_id))?;
    ui::note(format_args!(
        "files: {} new, {} changed, {} unmodified; added {} ({} stored)",
        summary.files_new,
        summary.files_changed,
        summary.files_unmodified,
        ui::bytes(summary.data_added),
        ui::bytes(summary.data_added_packed),
    ));
    Ok(())
}

pub(super) fn restore(
    args: &RepoArgs,
    snapshot: &str,
    target: &Path,
    include: &[String],
    exclude: &[String],
) -> Result<Outcome> {
    let bar = Arc::new(Bar::new("restore"));
    let context = context(&bar)?;
    let repository = open_indexed(args, &context)?;
    let snapshot = repository.repository().find_snapshot(snapshot)?;
    let options = RestoreOptions {
        include: Patterns::new(include)?,
        exclude: Patterns::new(exclude)?,
        sparse: true,
        ..RestoreOptions::default()
    };
    let report = repository
        .reader(&snapshot)
        .restore_to(target, &options, &context)?;
    bar.finish();
    if args.json {
        ui::json(&json!({
            "message_type": "summary",
            "snapshot_id": snapshot.id.to_string(),
            "files_restored": report.files,
            "directories_restored": report.directories,
            "files_skipped": report.skipped,
            "bytes_restored": report.bytes,
            "failed": report.failures.len(),
        }))?;
    } else {
        let (files, bytes) = (report.files, ui::bytes(report.bytes));
        ui::note(format_args!(
            "restored {files} files ({bytes}) to {}",
            target.display()
        ));
    }
    Ok(if report.failures.is_empty() {
        Outcome::Done
    } else {
        Outcome::SomeFailed
    })
}
