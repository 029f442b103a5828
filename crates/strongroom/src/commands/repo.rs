//! `strongroom repo …`: the engine alone, on any restic repository of format version 2.

mod backup;
mod compare;
mod forget;
mod inspect;
mod keys;
mod maintain;
mod progress;
mod repair;
mod units;

use std::{sync::Arc, thread::available_parallelism};

use anyhow::{Context as _, Result};
use strongroom_domain::tree::{Cancel, Context, Limits};
use strongroom_engine::{
    Backend, ContentRule, Credential, IndexedRepository, InitOptions, Repository, Snapshot,
    open_backend,
};

use self::progress::Bar;
use super::repository::read_password;
use crate::{
    args::{Archive, ChunkerRule, RepoArgs, RepoCmd, RepoInit, SnapshotFilter},
    runtime::SystemClock,
    storage,
    ui::{self, Outcome},
};

pub(super) fn run(cmd: RepoCmd) -> Result<Outcome> {
    match cmd {
        RepoCmd::Init(args) => init(&args),
        RepoCmd::Backup(args) => backup::run(args),
        RepoCmd::Snapshots { repo, filter } => inspect::snapshots(&repo, &filter),
        RepoCmd::Ls {
            repo,
            snapshot,
            path,
        } => inspect::ls(&repo, &snapshot, &path),
        RepoCmd::Dump {
            repo,
            snapshot,
            path,
            archive: Archive::Tar,
        } => inspect::dump(&repo, &snapshot, &path),
        RepoCmd::Diff {
            repo,
            first,
            second,
            metadata,
        } => compare::diff(&repo, [&first, &second], metadata),
        RepoCmd::Copy(args) => compare::copy(&args),
        RepoCmd::Restore {
            repo,
            snapshot,
            target,
            include,
            exclude,
        } => backup::restore(&repo, &snapshot, &target, &include, &exclude),
        RepoCmd::Check {
            repo,
            read_data,
            read_data_subset,
        } => maintain::check(&repo, read_data, read_data_subset.as_deref()),
        RepoCmd::Forget(args) => forget::forget(&args),
        RepoCmd::Prune {
            repo,
            options,
            dry_run,
        } => maintain::prune(&repo, &options, dry_run),
        RepoCmd::Repair(cmd) => repair::run(cmd),
        RepoCmd::Key(cmd) => keys::run(cmd),
        RepoCmd::Unlock { repo, remove_all } => maintain::unlock(&repo, remove_all),
    }
}

fn init(
    RepoInit {
        repo: args,
        from_repo,
        from_password_file,
        copy_chunker_params: _,
        chunker,
    }: &RepoInit,
) -> Result<Outcome> {
    let mut options = InitOptions::new(read_password(&args.password_file)?);
    options.content_rule = match chunker {
        ChunkerRule::Rabin => ContentRule::Rabin,
        ChunkerRule::Fastcdc => ContentRule::FastCdc,
    };
    if let (Some(repo), Some(password_file)) = (from_repo, from_password_file) {
        options.chunker_of = Some(open(&RepoArgs {
            repo: repo.clone(),
            password_file: password_file.clone(),
            ..args.clone()
        })?);
    }
    let backend = open_storage(args)?;
    let repository = Repository::init(backend, Arc::new(SystemClock), &options)?;
    let id = repository.id().to_string();
    if args.json {
        ui::json(&serde_json::json!({
            "message_type": "initialized", "id": id, "repository": repository.url(),
        }))?;
    } else {
        ui::note(format_args!(
            "created restic repository {id} at {}",
            repository.url()
        ));
    }
    Ok(Outcome::Done)
}

/// The storage of the repository; that it is tried again is said.
fn open_storage(args: &RepoArgs) -> Result<Arc<dyn Backend>> {
    let mut options = storage::from_environment(&args.repo)?;
    options.retry.notice = Some(Arc::new(|text| ui::note(format_args!("warning: {text}"))));
    options.bandwidth = storage::bandwidth(args.limit_upload, args.limit_download);
    Ok(open_backend(&args.repo, &options)?)
}

fn open(args: &RepoArgs) -> Result<Repository> {
    let credential = Credential::password(read_password(&args.password_file)?);
    let backend = open_storage(args)?;
    Ok(Repository::open(
        backend,
        Arc::new(SystemClock),
        &credential,
    )?)
}

fn open_indexed(args: &RepoArgs, context: &Context) -> Result<IndexedRepository> {
    Ok(open(args)?.into_indexed(context)?)
}

/// Work on all cores that Ctrl-C stops cleanly: locks are released, nothing half-done is left.
fn context(bar: &Arc<Bar>) -> Result<Context> {
    let cancel = Cancel::new();
    cancel_on_signal(cancel.clone())?;
    let threads = available_parallelism().map_or(2, usize::from);
    let limits = Limits {
        threads,
        ..Limits::default()
    };
    Ok(Context {
        cancel,
        progress: bar.clone(),
        limits,
    })
}

/// Waits for the first SIGINT or SIGTERM on a thread of its own; the second ends the program.
fn cancel_on_signal(cancel: Cancel) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let work = move || {
        runtime.block_on(async {
            let mut next =
                async || tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () };
            next().await;
            cancel.cancel();
            ui::note("stopping; press Ctrl-C again to stop at once");
            next().await;
        });
        stop_at_once();
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(work)
        .context("cannot start the signal thread")?;
    Ok(())
}

#[expect(
    clippy::exit,
    reason = "asked twice to stop; a repository survives that at any point"
)]
fn stop_at_once() -> ! {
    std::process::exit(130)
}

/// Whether a snapshot is one of those asked for.
fn matches(filter: &SnapshotFilter, snapshot: &Snapshot) -> bool {
    let has = |wanted: &[String], there: &[String]| {
        wanted.is_empty() || wanted.iter().any(|it| there.contains(it))
    };
    filter
        .host
        .as_ref()
        .is_none_or(|host| *host == snapshot.hostname)
        && has(&filter.tag, &snapshot.tags)
        && has(&filter.path, &snapshot.paths)
}
