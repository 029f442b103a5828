//! The copies that a policy wants of its backups.
//!
//! The row of a copy is written with the end of its backup, in one transaction, and stays until
//! the copy is made or nobody wants it any more. Its job may be given up: then the scheduler
//! queues the next one.

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    Backup, BackupCopy, BackupId, RepositoryId,
    job::Work,
    operation::{Operation, OperationKind, Subject},
    policy::Policy,
};
use strongroom_store::{Conn, Tx};

use crate::{ConflictKind, Error, Result, Service, records::SCHEDULED};

/// How long a copy whose job was given up waits for the next one.
const RETRY: SignedDuration = SignedDuration::from_hours(1);
/// Copies looked at in one go.
const BATCH: u32 = 100;

impl Service {
    /// Writes down that a backup that was just made is to be copied, if its policy says so.
    pub(crate) async fn queue_policy_copy(&self, tx: &mut Tx, backup: &Backup) -> Result<()> {
        let Some(policy) = policy_of(tx, backup).await? else {
            return Ok(());
        };
        let Some(to) = wanted_in(&policy, backup) else {
            return Ok(());
        };
        if tx.repository(backup.tenant_id, to).await?.is_none() {
            return Ok(());
        }
        let operation = self.copy_operation(&policy, backup);
        let places = (backup.repository_id, to);
        self.start_copy(tx, backup, places, &operation, SCHEDULED)
            .await
    }

    /// Queues the copies that are wanted but that no job makes, and drops those that nobody wants.
    pub(crate) async fn resume_copies(&self) -> Result<()> {
        let now = self.now();
        let before = now.checked_sub(RETRY).unwrap_or(Timestamp::MIN);
        let waiting = self.read().await?.copies_being_made(before, BATCH).await?;
        for copy in waiting {
            match self.resume_copy(copy, now).await {
                // Its job ended at the same moment.
                Err(Error::Conflict {
                    kind: ConflictKind::VersionMismatch,
                    ..
                }) => {}
                other => other?,
            }
        }
        Ok(())
    }

    async fn resume_copy(&self, mut copy: BackupCopy, now: Timestamp) -> Result<()> {
        let (tenant, id, to) = (copy.tenant_id, copy.backup_id, copy.repository_id);
        let mut tx = self.begin().await?;
        let made = is_being_made(&mut tx, id, to).await?;
        let backup = tx.backup(tenant, id).await?;
        let wanted = match &backup {
            Some(backup) if backup.state.is_restorable() => {
                let policy = policy_of(&mut tx, backup).await?;
                policy.filter(|it| wanted_in(it, backup) == Some(to))
            }
            _ => None,
        };
        // Whatever becomes of it, it is not looked at again before its time.
        copy.updated_at = now;
        match (made, backup, wanted) {
            (true, ..) => tx.update_copy(&copy).await?,
            (false, Some(backup), Some(policy)) => {
                tx.update_copy(&copy).await?;
                let operation = self.copy_operation(&policy, &backup);
                self.queue_copy_job(&mut tx, &copy, backup.repository_id, &operation, SCHEDULED)
                    .await?;
            }
            (false, ..) => tx.delete_copy(&copy).await?,
        }
        tx.commit().await?;
        self.nudge();
        Ok(())
    }

    /// Drops a copy that is wanted no more; `false` if a job makes it now.
    pub(crate) async fn drop_waiting(
        &self,
        tx: &mut Tx,
        backup: &Backup,
        to: RepositoryId,
    ) -> Result<bool> {
        if is_being_made(tx, backup.id, to).await? {
            return Ok(false);
        }
        if let Some(copy) = tx.backup_copy(backup.tenant_id, backup.id, to).await? {
            tx.delete_copy(&copy).await?;
        }
        Ok(true)
    }

    fn copy_operation(&self, policy: &Policy, backup: &Backup) -> Operation {
        let subject = Some(Subject::Backup(backup.id));
        let kind = OperationKind::CopyBackup;
        let mut operation = self.system_operation(backup.tenant_id, kind, subject);
        operation.face = policy.face;
        operation
    }
}

/// Whether the policy of a backup wants a copy of it in a repository.
pub(crate) async fn is_wanted(conn: &mut Conn, backup: &Backup, to: RepositoryId) -> Result<bool> {
    let policy = policy_of(conn, backup).await?;
    Ok(policy.is_some_and(|it| wanted_in(&it, backup) == Some(to)))
}

/// Whether a job makes the copy of a backup there, or is going to.
async fn is_being_made(conn: &mut Conn, backup: BackupId, to: RepositoryId) -> Result<bool> {
    let jobs = conn.unfinished_jobs_about(Subject::Backup(backup)).await?;
    let makes = |work: &Work| matches!(work, Work::CopyBackup { to: it, .. } if *it == to);
    Ok(jobs.iter().any(|it| makes(&it.work)))
}

/// The policy that a backup was made for, if it is still there.
pub(crate) async fn policy_of(conn: &mut Conn, backup: &Backup) -> Result<Option<Policy>> {
    match backup.policy_id {
        Some(id) => Ok(conn.policy(backup.tenant_id, id).await?),
        None => Ok(None),
    }
}

/// Where a policy wants a copy of a backup that does not lie there itself.
fn wanted_in(policy: &Policy, backup: &Backup) -> Option<RepositoryId> {
    let to = policy.copy_to.as_ref()?.repository_id;
    (to != backup.repository_id).then_some(to)
}
