//! Removing a backup from its repository.

use std::time::Duration;

use serde_json::json;
use strongroom_domain::{
    Backup, BackupId, BackupState, RepositoryId, TenantId,
    job::{Job, JobState, Lock, Work},
    operation::Subject,
};
use strongroom_store::Tx;

use super::{Attempt, Stop, settle::subject};
use crate::{Error, Result, Service, records::MAINTENANCE, repositories::lock_key};

/// How long a deletion waits for its backup to stop.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// Removes the backup's snapshot, if it has one, and marks it as deleted.
pub(super) async fn run(attempt: &Attempt, id: BackupId) -> Result<(), Stop> {
    let Some(backup) = begin(attempt, id).await? else {
        return Ok(());
    };
    let tenant = backup.tenant_id;
    if backup.snapshot.is_some() {
        attempt
            .forget_copy(tenant, id, backup.repository_id)
            .await?;
    }
    let copies = attempt
        .service
        .read()
        .await?
        .copies_of(tenant, &[id])
        .await?;
    for copy in &copies {
        attempt.forget_copy(tenant, id, copy.repository_id).await?;
    }
    let mut tx = attempt.begin().await?;
    let Some(mut backup) = tx.backup(attempt.job.tenant_id, id).await? else {
        return attempt.complete(tx).await;
    };
    backup.state = backup.state.to(BackupState::Deleted).map_err(Error::from)?;
    backup.updated_at = attempt.service.now();
    tx.update_backup(&backup).await?;
    tx.delete_exports(id, None).await?;
    for copy in &copies {
        tx.delete_copy(copy).await?;
    }
    let details = json!({ "name": backup.name, "resource": backup.resource_name });
    let subject = Subject::Backup(id);
    let event = attempt
        .service
        .system_event(backup.tenant_id, "backup.deleted", subject, details);
    tx.insert_event(&event).await?;
    let copied = copies.iter().map(|it| it.repository_id);
    for repository in std::iter::once(backup.repository_id).chain(copied) {
        attempt
            .service
            .queue_prune(&mut tx, tenant, repository)
            .await?;
    }
    attempt.complete(tx).await
}

/// The backup, once it is no longer active and marked as being deleted.
async fn begin(attempt: &Attempt, id: BackupId) -> Result<Option<Backup>, Stop> {
    let mut tx = attempt.begin().await?;
    let Some(mut backup) = tx.backup(attempt.job.tenant_id, id).await? else {
        attempt.complete(tx).await?;
        return Ok(None);
    };
    attempt.check_attempts()?;
    if backup.state.is_active() {
        let reason = format!("backup `{}` is still {}", backup.name, backup.state);
        return Err(Stop::Wait {
            after: STOP_WAIT,
            reason,
        });
    }
    if backup.state != BackupState::Deleting {
        backup.state = backup
            .state
            .to(BackupState::Deleting)
            .map_err(Error::from)?;
        backup.updated_at = attempt.service.now();
        tx.update_backup(&backup).await?;
    }
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    attempt.service.changed();
    Ok(Some(backup))
}

impl Attempt {
    /// Removes a backup's snapshots from a repository.
    pub(super) async fn forget_copy(
        &self,
        tenant: TenantId,
        id: BackupId,
        repository: RepositoryId,
    ) -> Result<(), Stop> {
        let mut read = self.service.read().await?;
        let found = read.repository(tenant, repository).await?;
        drop(read);
        // A repository that is no longer registered keeps its data.
        let Some(row) = found else { return Ok(()) };
        self.blocking(move |attempt| attempt.forget_attempts(&row, id, None))
            .await
    }
}

impl Service {
    /// Queues a prune of a repository, unless one waits already.
    pub(super) async fn queue_prune(
        &self,
        tx: &mut Tx,
        tenant: TenantId,
        repository: RepositoryId,
    ) -> Result<()> {
        let work = Work::PruneRepository { repository };
        let locks = vec![Lock::exclusive(lock_key(repository))];
        let mut job = self.job(tenant, work, locks, MAINTENANCE, None);
        // Deletions come in bunches; one prune serves them all.
        job.run_at = job
            .created_at
            .checked_add(self.inner().config.prune_delay)
            .unwrap_or(job.run_at);
        self.enqueue_once(tx, &job).await
    }

    /// Queues a job unless the same work waits already.
    pub(crate) async fn enqueue_once(&self, tx: &mut Tx, job: &Job) -> Result<()> {
        let unfinished = tx.unfinished_jobs_about(subject(&job.work)).await?;
        let waits = |it: &Job| it.work == job.work && it.state == JobState::Queued;
        if !unfinished.iter().any(waits) {
            tx.enqueue(job).await?;
        }
        Ok(())
    }
}
