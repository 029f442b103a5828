//! Carrying out a restore: the source takes the stored tree back.

use std::time::Duration;

use serde_json::json;
use strongroom_domain::{
    Backup, BackupId, BackupState, RepositoryId, ResourceKind, RestoreId, TenantId,
    backup::{BackupProgress, MAX_FAILED_ENTRIES},
    operation::Subject,
    repository::Repository,
    restore::{ConflictPolicy, Restore, RestoreState},
    tree::{Overwrite, Patterns, RestoreReport},
};
use strongroom_source::{RestoreRequest, RestoreTarget};
use strongroom_store::Tx;

use super::{Attempt, Stop, transfer::failed_entry};
use crate::{
    Error,
    backups::{copies::snapshot_in, find_backup},
    repositories::find_repository,
    restores::target::{check_unmoved, source_target},
};

/// How long a restore waits before it looks at its safety backup again.
const SAFETY_WAIT: Duration = Duration::from_secs(1);

/// What is restored, and where to.
struct Plan {
    restore: Restore,
    backup: Backup,
    repository: Repository,
    /// The backup in that repository.
    snapshot: String,
    target: RestoreTarget,
}

/// Carries the restore out, or finds that there is nothing to do any more.
pub(super) async fn run(
    attempt: &Attempt,
    id: RestoreId,
    from: Option<RepositoryId>,
    safety_may_fail: bool,
) -> Result<(), Stop> {
    let Some(plan) = begin(attempt, id, from, safety_may_fail).await? else {
        return Ok(());
    };
    let Plan {
        restore,
        backup,
        repository,
        snapshot,
        target,
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
    attempt.meter.expect(backup.source_bytes);
    let report = attempt
        .blocking(move |attempt| {
            check_unmoved(&request.target)?;
            restore_tree(attempt, backup.kind, &repository, &snapshot, &request)
        })
        .await?;
    commit(attempt, &restore, &report).await
}

async fn begin(
    attempt: &Attempt,
    id: RestoreId,
    from: Option<RepositoryId>,
    safety_may_fail: bool,
) -> Result<Option<Plan>, Stop> {
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
    if let Some(id) = restore.safety_backup_id {
        wait_for(&mut tx, tenant, id, safety_may_fail).await?;
    }
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
    }))
}

/// Fails until the backup of what is about to be overwritten is complete, and for good if it is
/// not going to be but has to.
async fn wait_for(tx: &mut Tx, tenant: TenantId, id: BackupId, may_fail: bool) -> Result<(), Stop> {
    let safety = find_backup(tx, tenant, id).await?;
    let (name, state) = (&safety.name, safety.state);
    if state.is_active() {
        let reason = format!("the safety backup `{name}` is {state}");
        return Err(Stop::Wait {
            after: SAFETY_WAIT,
            reason,
        });
    }
    if state == BackupState::Completed || may_fail {
        return Ok(());
    }
    let why = safety.reason.unwrap_or_default();
    let reason = format!("the safety backup `{name}` is {state}, so nothing was restored: {why}");
    Err(Stop::fail("safety_backup_failed", reason))
}

fn restore_tree(
    attempt: &Attempt,
    kind: ResourceKind,
    row: &Repository,
    snapshot: &str,
    request: &RestoreRequest,
) -> Result<RestoreReport, Stop> {
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
    Ok(source.restore(request, &indexed.reader(&snapshot), &context)?)
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
    restore.reason = report.failures.first().map(|first| {
        format!(
            "{} entries were not restored exactly, first: {first}",
            report.failures.len()
        )
    });
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
