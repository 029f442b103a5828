//! A backup whose repository cannot be opened goes to the next one that its policy names.

use serde_json::json;
use strongroom_domain::{
    Backup, BackupId, BackupState,
    job::Work,
    operation::Subject,
    repository::{Repository, RepositoryState},
};
use strongroom_store::{Outcome, Tx};

use super::{Attempt, Stop};
use crate::{backups::policy_copies::policy_of, policies::places};

impl Attempt {
    /// Writes down that the repository of a backup could not be opened, and hands the backup over
    /// to a job for the next repository of its policy; `false` if there is none that is available.
    /// Nothing of the backup is anywhere yet; only an attempt that died may have left a snapshot
    /// in the first repository, and a scan takes that up as a copy.
    pub(super) async fn go_elsewhere(&self, reason: &str) -> Result<bool, Stop> {
        let Work::RunBackup { backup: id } = self.job.work else {
            return Ok(false);
        };
        if let Err(stop) = self.note_unavailable(id, reason).await {
            tracing::debug!(backup.id = %id, ?stop, "state of the repository not noted");
        }
        let mut tx = self.begin().await?;
        let found = tx.backup(self.job.tenant_id, id).await?;
        let Some(mut backup) = found.filter(|it| it.state.is_active()) else {
            return Ok(false);
        };
        let Some(next) = next_place(&mut tx, &backup).await? else {
            return Ok(false);
        };
        let details = json!({ "from": backup.repository_id, "to": next.id, "reason": reason });
        let service = &self.service;
        backup.repository_id = next.id;
        backup.parent_id = None;
        backup.state = BackupState::Pending;
        backup.reason = Some(reason.to_owned());
        backup.updated_at = service.now();
        tx.update_backup(&backup).await?;
        let subject = Subject::Backup(id);
        let event = service.system_event(backup.tenant_id, "backup.redirected", subject, details);
        tx.insert_event(&event).await?;
        // A job of its own, because it holds another repository.
        let mut job = service.backup_job(&backup, self.job.priority, self.job.operation_id);
        let present = tx.job(self.job.id).await?;
        job.cancel_requested = present.is_some_and(|it| it.cancel_requested);
        tx.enqueue(&job).await?;
        let error = reason.to_owned();
        tx.finish(self.job.id, self.job.fence, &Outcome::Failed { error })
            .await?;
        tx.commit().await?;
        service.nudge();
        Ok(true)
    }

    /// Whoever chooses a repository from now on knows; the scheduler has it looked at again soon.
    async fn note_unavailable(&self, id: BackupId, reason: &str) -> Result<(), Stop> {
        let (service, tenant) = (&self.service, self.job.tenant_id);
        let mut tx = self.begin().await?;
        let Some(backup) = tx.backup(tenant, id).await? else {
            return Ok(());
        };
        service.inner().engines.forget(backup.repository_id);
        let found = tx.repository(tenant, backup.repository_id).await?;
        let Some(mut repository) = found.filter(|it| it.state == RepositoryState::Ready) else {
            return Ok(());
        };
        repository.state = RepositoryState::Unavailable;
        repository.reason = Some(reason.to_owned());
        repository.updated_at = service.now();
        tx.update_repository(&repository).await?;
        let subject = Subject::Repository(repository.id);
        let details = json!({ "reason": reason });
        let event = service.system_event(tenant, "repository.unavailable", subject, details);
        tx.insert_event(&event).await?;
        Ok(tx.commit().await?)
    }
}

/// A backup of a vault stays in the vault's repository.
async fn next_place(tx: &mut Tx, backup: &Backup) -> Result<Option<Repository>, Stop> {
    if backup.vault_id.is_some() {
        return Ok(None);
    }
    match policy_of(tx, backup).await? {
        Some(policy) => Ok(places::next(tx, &policy, backup.repository_id).await?),
        None => Ok(None),
    }
}
