//! What is written down when an attempt ended early: whether the job is tried again, and what
//! becomes of the backup, restore and operation it was about.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use strongroom_domain::{
    BackupId, BackupState, RepositoryId, RestoreId,
    job::{MAX_ATTEMPTS, Work, backoff},
    operation::{OperationError, OperationState, Subject},
    restore::RestoreState,
};
use strongroom_store::{Outcome, Tx};

use super::{Attempt, Stop};
use crate::backups::policy_copies::is_wanted;

/// How something ended that did not end well.
#[derive(Debug, Clone)]
enum End {
    Cancelled,
    Failed { code: &'static str, reason: String },
}

impl Attempt {
    /// Writes down how an attempt that stopped early leaves things. A lost one leaves them to
    /// whoever has the job now.
    pub(crate) async fn settle(&self, stop: Stop) -> Result<(), Stop> {
        let now = self.service.now();
        if let Stop::Unopened { reason } = &stop
            && self.go_elsewhere(reason).await?
        {
            return Ok(());
        }
        match stop {
            Stop::Lost => Ok(()),
            Stop::HandBack => self.give_back(&Outcome::Released, None).await,
            Stop::Wait { after, reason } => {
                let outcome = Outcome::Wait {
                    at: later(now, after),
                    reason: reason.clone(),
                };
                self.give_back(&outcome, Some(reason)).await
            }
            Stop::Retry { reason } | Stop::Unopened { reason }
                if self.job.attempts < MAX_ATTEMPTS =>
            {
                let at = later(now, backoff(self.job.attempts, self.jitter()));
                let outcome = Outcome::Retry {
                    at,
                    error: reason.clone(),
                };
                self.give_back(&outcome, Some(reason)).await
            }
            Stop::Retry { reason } | Stop::Unopened { reason } => {
                let reason = format!("given up after {} attempts: {reason}", self.job.attempts);
                self.end(End::Failed {
                    code: "unavailable",
                    reason,
                })
                .await
            }
            Stop::Cancelled => self.end(End::Cancelled).await,
            Stop::Fail { code, reason } => self.end(End::Failed { code, reason }).await,
        }
    }

    /// The job goes back to the queue, and what it is about waits again.
    async fn give_back(&self, outcome: &Outcome, reason: Option<String>) -> Result<(), Stop> {
        let mut tx = self.begin().await?;
        match self.job.work {
            Work::RunBackup { backup } => self.reopen_backup(&mut tx, backup, reason).await?,
            Work::RunRestore { restore, .. } => {
                self.reopen_restore(&mut tx, restore, reason).await?;
            }
            _ => {}
        }
        tx.finish(self.job.id, self.job.fence, outcome).await?;
        Ok(tx.commit().await?)
    }

    async fn reopen_backup(
        &self,
        tx: &mut Tx,
        id: BackupId,
        reason: Option<String>,
    ) -> Result<(), Stop> {
        let Some(mut backup) = tx.backup(self.job.tenant_id, id).await? else {
            return Ok(());
        };
        if !matches!(
            backup.state,
            BackupState::Discovering | BackupState::Running
        ) {
            return Ok(());
        }
        backup.state = BackupState::Pending;
        backup.reason = reason;
        backup.updated_at = self.service.now();
        Ok(tx.update_backup(&backup).await?)
    }

    async fn reopen_restore(
        &self,
        tx: &mut Tx,
        id: RestoreId,
        reason: Option<String>,
    ) -> Result<(), Stop> {
        let Some(mut restore) = tx.restore(self.job.tenant_id, id).await? else {
            return Ok(());
        };
        if restore.state != RestoreState::Running {
            return Ok(());
        }
        restore.state = RestoreState::Pending;
        restore.reason = reason;
        restore.updated_at = self.service.now();
        Ok(tx.update_restore(&restore).await?)
    }

    /// The job is over, and so is what it was about.
    async fn end(&self, end: End) -> Result<(), Stop> {
        let mut tx = self.begin().await?;
        match self.job.work {
            Work::RunBackup { backup } => self.end_backup(&mut tx, backup, &end).await?,
            Work::RunRestore { restore, .. } => self.end_restore(&mut tx, restore, &end).await?,
            Work::DeleteBackup { backup } => self.end_deletion(&mut tx, backup, &end).await?,
            Work::CopyBackup { backup, to, .. } => {
                self.end_copy(&mut tx, backup, to, &end).await?;
            }
            Work::DeleteCopies { backup } => {
                self.end_copy_deletion(&mut tx, backup, &end).await?;
            }
            Work::ApplyRetention { .. }
            | Work::VerifyRepository { .. }
            | Work::ScanRepository { .. }
            | Work::PruneRepository { .. } => {
                self.note_failure(&mut tx, &end).await?;
            }
        }
        let (state, error, outcome) = match end {
            End::Cancelled => (OperationState::Cancelled, None, Outcome::Done),
            End::Failed { code, reason } => {
                let error = OperationError {
                    code: code.to_owned(),
                    message: reason.clone(),
                };
                (
                    OperationState::Failed,
                    Some(error),
                    Outcome::Failed { error: reason },
                )
            }
        };
        self.end_operation(&mut tx, state, error).await?;
        tx.finish(self.job.id, self.job.fence, &outcome).await?;
        tx.commit().await?;
        self.service.changed();
        Ok(())
    }

    async fn end_backup(&self, tx: &mut Tx, id: BackupId, end: &End) -> Result<(), Stop> {
        let Some(mut backup) = tx.backup(self.job.tenant_id, id).await? else {
            return Ok(());
        };
        if !backup.state.is_active() {
            return Ok(());
        }
        let (state, name) = match end {
            End::Cancelled => (BackupState::Cancelled, "backup.cancelled"),
            End::Failed { .. } => (BackupState::Failed, "backup.failed"),
        };
        let now = self.service.now();
        backup.state = backup.state.to(state).map_err(crate::Error::from)?;
        backup.reason = Some(end.reason().to_owned());
        backup.progress = self.meter.read();
        backup.updated_at = now;
        backup.finished_at = Some(now);
        tx.update_backup(&backup).await?;
        self.event(tx, name, end).await
    }

    /// A backup whose deletion came to nothing is not left as being deleted: it can be deleted
    /// again, and a check of its repository finds whether it is still there.
    async fn end_deletion(&self, tx: &mut Tx, id: BackupId, end: &End) -> Result<(), Stop> {
        let found = tx.backup(self.job.tenant_id, id).await?;
        if let Some(mut backup) = found.filter(|it| it.state == BackupState::Deleting) {
            backup.state = backup
                .state
                .to(BackupState::Unknown)
                .map_err(crate::Error::from)?;
            backup.reason = Some(format!("it could not be deleted: {}", end.reason()));
            backup.updated_at = self.service.now();
            tx.update_backup(&backup).await?;
        }
        self.note_failure(tx, end).await
    }

    /// A copy that was not made leaves no record, unless a policy wants it: then the scheduler
    /// has it tried again.
    async fn end_copy(
        &self,
        tx: &mut Tx,
        backup: BackupId,
        to: RepositoryId,
        end: &End,
    ) -> Result<(), Stop> {
        let tenant = self.job.tenant_id;
        let copy = tx.backup_copy(tenant, backup, to).await?;
        if let Some(mut copy) = copy.filter(|it| it.state == BackupState::Running) {
            let found = tx.backup(tenant, backup).await?;
            let wanted = match (end, found) {
                (End::Failed { .. }, Some(backup)) => is_wanted(tx, &backup, to).await?,
                _ => false,
            };
            if wanted {
                copy.reason = Some(end.reason().to_owned());
                copy.updated_at = self.service.now();
                tx.update_copy(&copy).await?;
            } else {
                tx.delete_copy(&copy).await?;
            }
        }
        self.note_failure(tx, end).await
    }

    /// Copies whose removal came to nothing can be removed again, like a backup.
    async fn end_copy_deletion(
        &self,
        tx: &mut Tx,
        backup: BackupId,
        end: &End,
    ) -> Result<(), Stop> {
        for mut copy in tx.copies_of(self.job.tenant_id, &[backup]).await? {
            if copy.state != BackupState::Deleting {
                continue;
            }
            copy.state = BackupState::Unknown;
            copy.reason = Some(format!("it could not be deleted: {}", end.reason()));
            copy.updated_at = self.service.now();
            tx.update_copy(&copy).await?;
        }
        self.note_failure(tx, end).await
    }

    async fn note_failure(&self, tx: &mut Tx, end: &End) -> Result<(), Stop> {
        let name = format!("{}.failed", self.job.work.kind());
        self.event(tx, &name, end).await
    }

    async fn end_restore(&self, tx: &mut Tx, id: RestoreId, end: &End) -> Result<(), Stop> {
        let Some(mut restore) = tx.restore(self.job.tenant_id, id).await? else {
            return Ok(());
        };
        if !restore.state.is_active() {
            return Ok(());
        }
        let (state, name) = match end {
            End::Cancelled => (RestoreState::Cancelled, "restore.cancelled"),
            End::Failed { .. } => (RestoreState::Failed, "restore.failed"),
        };
        let now = self.service.now();
        restore.state = restore.state.to(state).map_err(crate::Error::from)?;
        restore.reason = Some(end.reason().to_owned());
        restore.progress = self.meter.read();
        restore.updated_at = now;
        restore.finished_at = Some(now);
        tx.update_restore(&restore).await?;
        self.event(tx, name, end).await
    }

    /// Ends the operation that clients see.
    pub(crate) async fn end_operation(
        &self,
        tx: &mut Tx,
        state: OperationState,
        error: Option<OperationError>,
    ) -> Result<(), Stop> {
        let Some(mut operation) = self.operation(tx).await? else {
            return Ok(());
        };
        let now = self.service.now();
        operation.state = state;
        operation.error = error;
        if state == OperationState::Succeeded {
            operation.percent = 100;
        }
        operation.started_at.get_or_insert(now);
        operation.finished_at = Some(now);
        operation.updated_at = now;
        Ok(tx.update_operation(&operation).await?)
    }

    async fn event(&self, tx: &mut Tx, name: &str, end: &End) -> Result<(), Stop> {
        let details = json!({ "reason": end.reason() });
        let subject = subject(&self.job.work);
        let event = self
            .service
            .system_event(self.job.tenant_id, name, subject, details);
        Ok(tx.insert_event(&event).await?)
    }

    /// Spreads retries: 0 to 1, out of a fresh id.
    fn jitter(&self) -> f64 {
        f64::from(self.service.uuid().as_bytes()[15]) / 255.0
    }
}

impl End {
    fn reason(&self) -> &str {
        match self {
            Self::Cancelled => "cancelled on request",
            Self::Failed { reason, .. } => reason,
        }
    }
}

/// What a job is about.
pub(crate) fn subject(work: &Work) -> Subject {
    match *work {
        Work::RunBackup { backup }
        | Work::DeleteBackup { backup }
        | Work::CopyBackup { backup, .. }
        | Work::DeleteCopies { backup } => Subject::Backup(backup),
        Work::RunRestore { restore, .. } => Subject::Restore(restore),
        Work::ApplyRetention { policy } => Subject::Policy(policy),
        Work::VerifyRepository { repository }
        | Work::ScanRepository { repository }
        | Work::PruneRepository { repository } => Subject::Repository(repository),
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}
