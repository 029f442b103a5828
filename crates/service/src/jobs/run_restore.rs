//! Carrying out a restore: the source takes the stored tree back.

use serde_json::json;
use strongroom_domain::{
    Backup, RepositoryId, ResourceKind, RestoreId,
    backup::{BackupProgress, MAX_FAILED_ENTRIES},
    operation::Subject,
    repository::Repository,
    restore::{ConflictPolicy, Restore, RestoreState},
    tree::{Overwrite, Patterns, RestoreReport, TreeReader},
};
use strongroom_source::{RestoreRequest, RestoreTarget, Source, SourceError};

use super::{Attempt, Stop, safety, transfer::failed_entry};
use crate::{
    Error,
    backups::{copies::snapshot_in, find_backup},
    repositories::find_repository,
    restores::target::{check_unmoved, source_target},
};

/// What the job of a restore says besides its row.
pub(super) struct Order {
    pub(super) restore: RestoreId,
    /// The repository it is read from; the backup's own if nothing.
    pub(super) from: Option<RepositoryId>,
    /// Back up what is about to be overwritten.
    pub(super) safety: bool,
    /// Carry it out even if that fails.
    pub(super) safety_may_fail: bool,
}

/// What is restored, and where to.
struct Plan {
    restore: Restore,
    backup: Backup,
    repository: Repository,
    /// The backup in that repository.
    snapshot: String,
    target: RestoreTarget,
    /// The name of the complete backup of what was there before.
    safety: Option<String>,
}

/// Carries the restore out, or finds that there is nothing to do any more.
pub(super) async fn run(attempt: &Attempt, order: Order) -> Result<(), Stop> {
    let Some(plan) = begin(attempt, &order).await? else {
        return Ok(());
    };
    let Plan {
        restore,
        backup,
        repository,
        snapshot,
        target,
        safety,
    } = plan;
    let request = RestoreRequest {
        target,
        include: Patterns::new(restore.include.iter().map(String::as_str))
            .map_err(|error| Stop::fail("invalid", error.to_string()))?,
        overwrite: match restore.conflict {
            ConflictPolicy::Replace => Overwrite::IfChanged,
            ConflictPolicy::Keep => Overwrite::Never,
        },
        rename: restore.rename.clone(),
    };
    let kind = backup.kind;
    if order.safety && restore.safety_backup_id.is_none() {
        let checked = attempt.blocking(move |attempt| {
            with_source(attempt, kind, &repository, &snapshot, |source, tree| {
                source.check_restore(&request, tree, &attempt.silent_context())
            })
        });
        checked.await?;
        return safety::queue(attempt, &restore, &backup).await;
    }
    attempt.meter.expect(backup.source_bytes);
    let done = attempt.blocking(move |attempt| {
        check_unmoved(&request.target)?;
        with_source(attempt, kind, &repository, &snapshot, |source, tree| {
            source.restore(&request, tree, &attempt.context())
        })
    });
    let kept = |safety: &String| format!("; what was there is in backup `{safety}`");
    let kept = safety.as_ref().map_or_else(String::new, kept);
    let mut report = done.await.map_err(|stop| match stop {
        Stop::Fail { code, reason } => Stop::fail(code, reason + &kept),
        other => other,
    })?;
    if let Some(first) = report.failures.first_mut() {
        first.message += &kept;
    }
    commit(attempt, &restore, &report).await
}

async fn begin(attempt: &Attempt, order: &Order) -> Result<Option<Plan>, Stop> {
    let (id, from) = (order.restore, order.from);
    let tenant = attempt.job.tenant_id;
    let mut tx = attempt.begin().await?;
    let found = tx
        .restore(tenant, id)
        .await?
        .filter(|restore| restore.state.is_active());
    let Some(mut restore) = found else {
        attempt.leave(tx).await?;
        return Ok(None);
    };
    attempt.check_attempts()?;
    attempt.check()?;
    let safety = match restore.safety_backup_id {
        Some(id) => safety::wait_for(&mut tx, tenant, id, order.safety_may_fail).await?,
        None => None,
    };
    let backup = find_backup(&mut tx, tenant, restore.backup_id).await?;
    let from = from.unwrap_or(backup.repository_id);
    let repository = find_repository(&mut tx, tenant, from).await?;
    let snapshot = snapshot_in(&mut tx, &backup, from).await?;
    let target = source_target(&mut tx, &backup, &restore.target).await?;
    let now = attempt.service.now();
    // An attempt that died left it running; this one begins anew.
    if restore.state == RestoreState::Pending {
        restore.state = restore
            .state
            .to(RestoreState::Running)
            .map_err(Error::from)?;
    }
    restore.started_at.get_or_insert(now);
    restore.updated_at = now;
    restore.reason = None;
    tx.update_restore(&restore).await?;
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    attempt.service.changed();
    Ok(Some(Plan {
        restore,
        backup,
        repository,
        snapshot,
        target,
        safety,
    }))
}

/// Does something with the source and the stored tree.
fn with_source<T>(
    attempt: &Attempt,
    kind: ResourceKind,
    row: &Repository,
    snapshot: &str,
    work: impl FnOnce(&dyn Source, &dyn TreeReader) -> Result<T, SourceError>,
) -> Result<T, Stop> {
    let failed = |error: strongroom_engine::Error| Stop::engine(&row.name, &error);
    let source = attempt.service.sources().get(kind).ok_or_else(|| {
        Stop::fail(
            "source_failed",
            format!("`{kind}` has no source in this build"),
        )
    })?;
    let context = attempt.context();
    let repository = attempt.open(row)?;
    let snapshot = repository.find_snapshot(snapshot).map_err(failed)?;
    let indexed = repository.into_indexed(&context).map_err(failed)?;
    Ok(work(source, &indexed.reader(&snapshot))?)
}

async fn commit(attempt: &Attempt, plan: &Restore, report: &RestoreReport) -> Result<(), Stop> {
    let mut tx = attempt.begin().await?;
    let Some(mut restore) = tx.restore(plan.tenant_id, plan.id).await? else {
        return Err(Stop::fail("internal", "the restore is gone"));
    };
    let partial = !report.failures.is_empty();
    let wanted = if partial {
        RestoreState::Partial
    } else {
        RestoreState::Completed
    };
    let now = attempt.service.now();
    restore.state = restore.state.to(wanted).map_err(Error::from)?;
    let first = report.failures.first().map(|first| {
        format!(
            "{} entries were not restored exactly, first: {first}",
            report.failures.len()
        )
    });
    let reasons = first.into_iter().chain(report.warnings.iter().cloned());
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    restore.reason = Some(reasons).filter(|it| !it.is_empty());
    let failures = report.failures.iter().take(MAX_FAILED_ENTRIES);
    restore.failed_entries = failures.map(failed_entry).collect();
    restore.failed_entry_count = report.failures.len() as u64;
    restore.progress = BackupProgress {
        bytes_done: report.bytes,
        bytes_total: restore.progress.bytes_total,
        entries_done: report.files + report.directories,
    };
    restore.finished_at = Some(now);
    restore.updated_at = now;
    tx.update_restore(&restore).await?;
    let details = json!({
        "bytes": report.bytes,
        "files": report.files,
        "skipped": report.skipped,
        "failed_entries": report.failures.len(),
    });
    let name = if partial {
        "restore.partial"
    } else {
        "restore.completed"
    };
    let subject = Subject::Restore(restore.id);
    let event = attempt
        .service
        .system_event(restore.tenant_id, name, subject, details);
    tx.insert_event(&event).await?;
    attempt.complete(tx).await
}
