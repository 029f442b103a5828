//! Copying a backup to another repository.

use serde_json::json;
use strongroom_domain::{
    Backup, BackupId, BackupState, RepositoryId, operation::Subject, repository::Repository,
};

use super::{Attempt, Stop, transfer::forget_leftovers};
use crate::{
    Error,
    backups::{copies::snapshot_in, find_backup},
    repositories::{check_takes_backups, find_repository},
};

struct Plan {
    backup: Backup,
    snapshot: String,
    from: Repository,
    to: Repository,
}

/// Copies the snapshot, proves that the copy can be read, and writes it down.
pub(super) async fn run(
    attempt: &Attempt,
    id: BackupId,
    from: RepositoryId,
    to: RepositoryId,
) -> Result<(), Stop> {
    let Some(plan) = begin(attempt, id, from, to).await? else {
        return Ok(());
    };
    let (state, policy) = (plan.backup.state, plan.backup.policy_id);
    let snapshot = attempt
        .blocking(move |attempt| copy(attempt, &plan))
        .await?;
    let tenant = attempt.job.tenant_id;
    let mut tx = attempt.begin().await?;
    let Some(mut copy) = tx.backup_copy(tenant, id, to).await? else {
        return attempt.complete(tx).await;
    };
    copy.state = copy.state.to(state).map_err(Error::from)?;
    copy.snapshot = Some(snapshot);
    copy.reason = None;
    copy.updated_at = attempt.service.now();
    tx.update_copy(&copy).await?;
    let details = json!({ "repository": to });
    let subject = Subject::Backup(id);
    let event = attempt
        .service
        .system_event(tenant, "backup.copied", subject, details);
    tx.insert_event(&event).await?;
    // Retention waits for copies that are being made.
    if let Some(policy) = policy {
        let service = &attempt.service;
        service.queue_retention(&mut tx, tenant, policy).await?;
    }
    attempt.complete(tx).await
}

async fn begin(
    attempt: &Attempt,
    id: BackupId,
    from: RepositoryId,
    to: RepositoryId,
) -> Result<Option<Plan>, Stop> {
    let tenant = attempt.job.tenant_id;
    let mut tx = attempt.begin().await?;
    let wanted = tx.backup_copy(tenant, id, to).await?;
    if wanted.is_none_or(|it| it.state != BackupState::Running) {
        attempt.complete(tx).await?;
        return Ok(None);
    }
    attempt.check_attempts()?;
    attempt.check()?;
    let backup = find_backup(&mut tx, tenant, id).await?;
    let snapshot = snapshot_in(&mut tx, &backup, from).await?;
    let from = find_repository(&mut tx, tenant, from).await?;
    let to = find_repository(&mut tx, tenant, to).await?;
    check_takes_backups(&to)?;
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    attempt.service.changed();
    Ok(Some(Plan {
        backup,
        snapshot,
        from,
        to,
    }))
}

fn copy(attempt: &Attempt, plan: &Plan) -> Result<String, Stop> {
    let Plan {
        backup,
        snapshot,
        from,
        to,
    } = plan;
    let unread = |error| Stop::engine(&from.name, &error);
    let unwritten = |error| Stop::engine(&to.name, &error);
    let context = attempt.context();
    let (source, target) = (attempt.open(from)?, attempt.open(to)?);
    if source.id() == target.id() {
        let (from, to) = (&from.name, &to.name);
        let reason = format!("`{from}` and `{to}` are the same repository");
        return Err(Stop::fail("invalid", reason));
    }
    let snapshot = source.find_snapshot(snapshot).map_err(unread)?;
    // What an attempt that died left.
    forget_leftovers(&target, backup.id, None).map_err(unwritten)?;
    let source = source.into_indexed(&context).map_err(unread)?;
    let target = target.into_indexed(&context).map_err(unwritten)?;
    let copied = source
        .copy(&snapshot, &target, &context)
        .map_err(unwritten)?;
    drop(target);
    let id = copied.id.to_string();
    attempt.prove_snapshot(to, &id, backup.source_bytes.unwrap_or(0), None)?;
    Ok(id)
}
