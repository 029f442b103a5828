//! Making a backup: prepare, transfer, verify, commit, and release whatever happened.

use serde::{Deserialize, Serialize};
use serde_json::json;
use strongroom_domain::{
    Annotations, Backup, BackupId, BackupState, Resource, ResourceKind,
    backup::{BackupProgress, FailedEntry},
    operation::Subject,
    repository::{Repository, RepositoryState},
};
use strongroom_source::{PrepareRequest, Prepared};

use super::{Attempt, Stop, transfer::Written};
use crate::{Error, Service, error::chain, repositories::find_repository};

/// What a job remembers between attempts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// What has to be released.
    held: Option<Held>,
    /// What is in the repository already.
    written: Option<Written>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Held {
    kind: ResourceKind,
    prepared: Prepared,
}

/// Whether a job with this checkpoint has nothing to clean up.
pub(crate) fn leaves_nothing(checkpoint: Option<&serde_json::Value>) -> bool {
    let kept = checkpoint.map(|it| serde_json::from_value::<Kept>(it.clone()));
    match kept {
        None => true,
        Some(Ok(kept)) => kept.held.is_none() && kept.written.is_none(),
        Some(Err(_)) => false,
    }
}

/// What is backed up, and where to.
struct Plan {
    backup: Backup,
    resource: Resource,
    repository: Repository,
    parent: Option<Backup>,
}

/// Makes the backup, or finds that there is nothing to do any more.
pub(super) async fn run(attempt: &Attempt, id: BackupId) -> Result<(), Stop> {
    let kept = attempt
        .job
        .checkpoint
        .clone()
        .and_then(|it| serde_json::from_value(it).ok());
    let mut kept: Kept = kept.unwrap_or_default();
    let plan = begin(attempt, id).await;
    let worked = match &plan {
        Ok(Some(plan)) => work(attempt, plan, &mut kept).await,
        Ok(None) => Ok(Annotations::default()),
        Err(stop) => Err(stop.clone()),
    };
    // Another worker may be at it: what was prepared is its to release.
    if !matches!(worked, Err(Stop::Lost)) && kept.held.is_some() {
        release(attempt, &mut kept).await;
        // Otherwise the next attempt would release it again, which it may.
        let _noted = keep(attempt, &kept).await;
    }
    let Ok(Some(plan)) = plan else {
        return worked.map(drop);
    };
    let done = match (worked, kept.written.clone()) {
        (Ok(about), Some(written)) => commit(attempt, &plan, written, about).await,
        (Ok(_), None) => Ok(()),
        (Err(stop), _) => Err(stop),
    };
    if matches!(done, Err(Stop::Cancelled | Stop::Fail { .. })) && kept.written.is_some() {
        forget(attempt, &plan).await;
    }
    done
}

/// Takes the backup up, wherever an earlier attempt left it.
async fn begin(attempt: &Attempt, id: BackupId) -> Result<Option<Plan>, Stop> {
    let tenant = attempt.job.tenant_id;
    let mut tx = attempt.begin().await?;
    let found = tx
        .backup(tenant, id)
        .await?
        .filter(|backup| backup.state.is_active());
    let Some(mut backup) = found else {
        // Cancelled before anybody took it.
        attempt.leave(tx).await?;
        return Ok(None);
    };
    attempt.check_attempts()?;
    attempt.check()?;
    let repository = find_repository(&mut tx, tenant, backup.repository_id).await?;
    let resource = tx.resource(tenant, backup.resource_id).await?;
    let resource = resource.ok_or_else(|| Error::not_found("resource", backup.resource_id))?;
    let parent = tx
        .latest_restorable_backup(tenant, backup.resource_id, backup.repository_id)
        .await?;
    let now = attempt.service.now();
    if backup.state != BackupState::Pending {
        backup.state = backup.state.to(BackupState::Pending).map_err(Error::from)?;
    }
    backup.state = backup
        .state
        .to(BackupState::Discovering)
        .map_err(Error::from)?;
    backup.parent_id = parent.as_ref().map(|it| it.id);
    backup.started_at = Some(now);
    backup.updated_at = now;
    backup.reason = None;
    tx.update_backup(&backup).await?;
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    attempt.service.changed();
    Ok(Some(Plan {
        backup,
        resource,
        repository,
        parent,
    }))
}

/// Makes and proves the backup; gives what it says of what it is of.
async fn work(attempt: &Attempt, plan: &Plan, kept: &mut Kept) -> Result<Annotations, Stop> {
    if kept.written.is_none() {
        // What the attempt before this one prepared.
        release(attempt, kept).await;
        let prepared = prepare(attempt, plan).await?;
        kept.held = Some(Held {
            kind: plan.resource.kind,
            prepared: prepared.clone(),
        });
        keep(attempt, kept).await?;
        set_running(attempt, plan).await?;
        let written = transfer(attempt, plan, prepared).await?;
        kept.written = Some(written.clone());
        if let Err(stop) = keep(attempt, kept).await {
            kept.written = None;
            forget_one(attempt, plan, written.snapshot).await;
            return Err(stop);
        }
    } else {
        set_running(attempt, plan).await?;
    }
    let (row, kind, written) = (
        plan.repository.clone(),
        plan.backup.kind,
        kept.written.clone(),
    );
    attempt
        .blocking(move |attempt| {
            let Some(written) = written else {
                return Ok(Annotations::default());
            };
            attempt.prove(&row, &written)?;
            attempt.about(&row, kind, &written.snapshot)
        })
        .await
}

/// Removes a snapshot that nobody else knows of.
async fn forget_one(attempt: &Attempt, plan: &Plan, snapshot: String) {
    let (attempt, row, id) = (attempt.clone(), plan.repository.clone(), plan.backup.id);
    let forgotten = tokio::task::spawn_blocking(move || {
        let repository = attempt.open(&row)?;
        let Ok(id) = snapshot.parse() else {
            return Ok(());
        };
        repository
            .forget_shared(&[id])
            .map_err(|error| Stop::engine(&row.name, &error))
    });
    if !matches!(forgotten.await, Ok(Ok(()))) {
        tracing::warn!(backup.id = %id, "snapshot of an attempt that lost its job not removed");
    }
}

async fn prepare(attempt: &Attempt, plan: &Plan) -> Result<Prepared, Stop> {
    let kind = plan.resource.kind;
    let request = PrepareRequest {
        resource: plan.resource.name.clone(),
        settings: plan.resource.settings.clone(),
        time: plan.backup.started_at.unwrap_or(plan.backup.created_at),
    };
    attempt
        .blocking(move |attempt| {
            let sources = attempt.service.sources();
            let source = sources.get(kind).ok_or_else(|| {
                Stop::fail(
                    "source_failed",
                    format!("`{kind}` has no source in this build"),
                )
            })?;
            Ok(source.prepare(request, &attempt.context())?)
        })
        .await
}

async fn transfer(attempt: &Attempt, plan: &Plan, prepared: Prepared) -> Result<Written, Stop> {
    let (backup, row) = (plan.backup.clone(), plan.repository.clone());
    let parent = plan.parent.as_ref().and_then(|it| it.snapshot.clone());
    attempt
        .blocking(move |attempt| {
            let source = attempt.service.sources().get(backup.kind).ok_or_else(|| {
                Stop::fail("source_failed", format!("`{}` has no source", backup.kind))
            })?;
            attempt.transfer(source, &prepared, &backup, &row, parent.as_deref())
        })
        .await
}

async fn set_running(attempt: &Attempt, plan: &Plan) -> Result<(), Stop> {
    let mut tx = attempt.begin().await?;
    let Some(mut backup) = tx.backup(plan.backup.tenant_id, plan.backup.id).await? else {
        return Err(Stop::fail("internal", "the backup is gone"));
    };
    backup.state = backup.state.to(BackupState::Running).map_err(Error::from)?;
    backup.updated_at = attempt.service.now();
    tx.update_backup(&backup).await?;
    tx.commit().await?;
    attempt.service.changed();
    Ok(())
}

async fn keep(attempt: &Attempt, kept: &Kept) -> Result<(), Stop> {
    let value = serde_json::to_value(kept).map_err(Error::internal)?;
    let store = attempt.service.store();
    Ok(store
        .checkpoint_job(attempt.job.id, attempt.job.fence, &value)
        .await?)
}

/// Releases what was prepared, by this attempt or the one before it. A source that cannot is
/// named in the log; the backup does not fail of it.
async fn release(attempt: &Attempt, kept: &mut Kept) {
    let Some(Held { kind, prepared }) = kept.held.take() else {
        return;
    };
    let resource = prepared.resource.clone();
    let service = attempt.service.clone();
    let released = tokio::task::spawn_blocking(move || match service.sources().get(kind) {
        Some(source) => source.release(&prepared).map_err(|error| chain(&error)),
        None => Err(format!("`{kind}` has no source in this build")),
    });
    let released = released
        .await
        .unwrap_or_else(|error| Err(error.to_string()));
    if let Err(error) = released {
        tracing::warn!(job.id = %attempt.job.id, resource, error, "resource not released");
    }
}

/// The backup is done: all of it, in one transaction.
async fn commit(
    attempt: &Attempt,
    plan: &Plan,
    written: Written,
    about: Annotations,
) -> Result<(), Stop> {
    attempt.check()?;
    let id = plan.backup.id;
    let mut tx = attempt.begin().await?;
    let Some(mut backup) = tx.backup(plan.backup.tenant_id, id).await? else {
        return Err(Stop::fail("internal", "the backup is gone"));
    };
    let partial = written.failed_entry_count > 0;
    let wanted = if partial {
        BackupState::Partial
    } else {
        BackupState::Completed
    };
    let now = attempt.service.now();
    backup.state = backup.state.to(wanted).map_err(Error::from)?;
    backup.reason = partial.then(|| partial_reason(&written));
    backup.snapshot = Some(written.snapshot);
    backup.source_bytes = Some(written.source_bytes);
    backup.stored_bytes = Some(written.stored_bytes);
    backup.entries = Some(written.entries);
    backup.failed_entries = written.failed_entries;
    backup.failed_entry_count = written.failed_entry_count;
    backup.annotations.0.extend(about.0);
    backup.progress = BackupProgress {
        bytes_done: written.source_bytes,
        bytes_total: Some(written.source_bytes),
        entries_done: written.entries,
    };
    backup.finished_at = Some(now);
    backup.updated_at = now;
    tx.update_backup(&backup).await?;
    let details = json!({
        "name": backup.name,
        "resource": backup.resource_name,
        "source_bytes": backup.source_bytes,
        "stored_bytes": backup.stored_bytes,
        "failed_entries": backup.failed_entry_count,
    });
    let name = if partial {
        "backup.partial"
    } else {
        "backup.completed"
    };
    let subject = Subject::Backup(id);
    let event = attempt
        .service
        .system_event(backup.tenant_id, name, subject, details);
    tx.insert_event(&event).await?;
    attempt.service.queue_policy_copy(&mut tx, &backup).await?;
    if let Some(policy) = backup.policy_id {
        attempt
            .service
            .queue_retention(&mut tx, backup.tenant_id, policy)
            .await?;
    }
    attempt.complete(tx).await?;
    after(attempt, plan, &backup).await;
    Ok(())
}

fn partial_reason(written: &Written) -> String {
    let count = written.failed_entry_count;
    match written.failed_entries.first() {
        Some(first) => {
            let FailedEntry {
                path,
                phase,
                message,
            } = first;
            format!("{count} entries are missing or not exact, first `{path}` ({phase}): {message}")
        }
        None => format!("{count} entries are missing"),
    }
}

/// What is worth knowing but not worth failing for.
async fn after(attempt: &Attempt, plan: &Plan, backup: &Backup) {
    if attempt.job.fence > 1 {
        // An earlier worker may have written its snapshot after it had lost the job.
        let (row, id, snapshot) = (plan.repository.clone(), backup.id, backup.snapshot.clone());
        let cleaned = attempt
            .blocking(move |attempt| attempt.forget_attempts(&row, id, snapshot.as_deref()))
            .await;
        if let Err(stop) = cleaned {
            tracing::warn!(backup.id = %backup.id, ?stop, "leftover snapshots not removed");
        }
    }
    let noted = note_sizes(&attempt.service, backup).await;
    if let Err(error) = noted {
        tracing::debug!(backup.id = %backup.id, error = chain(&error), "sizes not noted");
    }
}

/// Notes the size of the resource and of the repository.
async fn note_sizes(service: &Service, backup: &Backup) -> Result<(), Error> {
    let mut tx = service.begin().await?;
    if let Some(mut resource) = tx.resource(backup.tenant_id, backup.resource_id).await? {
        resource.size_bytes = backup.source_bytes;
        tx.update_resource(&resource).await?;
    }
    if let Some(mut repository) = tx
        .repository(backup.tenant_id, backup.repository_id)
        .await?
    {
        repository.stored_bytes += backup.stored_bytes.unwrap_or(0);
        repository.state = RepositoryState::Ready;
        repository.reason = None;
        tx.update_repository(&repository).await?;
    }
    Ok(tx.commit().await?)
}

/// Removes what a backup that came to nothing left in the repository. If that fails too, the
/// next check of the repository finds it.
async fn forget(attempt: &Attempt, plan: &Plan) {
    let (service, row, id) = (attempt.clone(), plan.repository.clone(), plan.backup.id);
    let forgotten =
        tokio::task::spawn_blocking(move || service.forget_attempts(&row, id, None)).await;
    if !matches!(forgotten, Ok(Ok(()))) {
        let repository = &plan.repository.name;
        tracing::warn!(backup.id = %id, repository, "snapshot of a failed backup not removed");
    }
}
