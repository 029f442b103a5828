//! Deleting and cancelling backups.

use serde_json::json;
use strongroom_domain::{
    Annotations, Backup, BackupId, BackupState, Page, Trigger,
    job::{Job, JobState, Lock, Work},
    operation::{Operation, OperationKind, OperationState, Subject},
    principal::Permission,
    query::{BackupField, Filter},
};
use strongroom_store::{Conn, Tx};

use super::{DeleteBackup, copies::check_unread, find_backup};
use crate::{
    Caller, ConflictKind, Error, Result, Service, jobs::leaves_nothing, records::INTERACTIVE,
    repositories::lock_key, validate::check_version,
};

impl Service {
    /// Deletes a backup from its repository, in the background. An active one is cancelled first.
    /// Refused for an automatic one in a locked vault and while a restore reads it.
    pub async fn delete_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        request: DeleteBackup,
    ) -> Result<Operation> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let mut backup = find_backup(&mut tx, caller.tenant_id, id).await?;
        if request.version.is_some() {
            check_version("backup", &id, request.version, backup.version)?;
            // An active backup's row may stay as it is; so that it is the one that was read.
            backup.updated_at = self.now();
            tx.update_backup(&backup).await?;
            backup.version += 1;
        }
        check_not_locked(&mut tx, &backup).await?;
        let subject = Some(Subject::Backup(id));
        let operation = self.operation_of(
            caller,
            OperationKind::DeleteBackup,
            subject,
            request.operation_id,
            request.operation_annotations,
        );
        self.queue_deletion(&mut tx, backup, &operation).await?;
        tx.commit().await?;
        self.nudge();
        Ok(operation)
    }

    /// Asks an active backup to stop; it becomes `cancelled`.
    pub async fn cancel_backup(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        caller.require(Permission::Write)?;
        self.once(caller, self.cancel(caller, id), |()| {
            self.backup(caller, id)
        })
        .await
    }

    async fn cancel(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        let mut tx = self.begin().await?;
        let mut backup = find_backup(&mut tx, caller.tenant_id, id).await?;
        if !backup.state.is_active() {
            let message = format!("backup `{}` is {} already", backup.name, backup.state);
            return Err(Error::conflict(ConflictKind::WrongState, "backup", message));
        }
        self.stop_backup(&mut tx, &mut backup).await?;
        let event = self.event(
            caller,
            "backup.cancellation_requested",
            Some(Subject::Backup(id)),
        );
        tx.insert_event(&event).await?;
        self.remember(&mut tx, caller, &()).await?;
        tx.commit().await?;
        self.inner().running.cancel(id.uuid());
        self.changed();
        Ok(backup)
    }

    /// Deletes all backups that match, each with an operation of its own.
    pub(crate) async fn delete_matching(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        filter: &Filter<BackupField>,
    ) -> Result<()> {
        let found = tx
            .list_backups(caller.tenant_id, filter, &[], &Page::ALL)
            .await?;
        for backup in found.items {
            if backup.state == BackupState::Deleting {
                continue;
            }
            let subject = Some(Subject::Backup(backup.id));
            let operation = self.operation_of(
                caller,
                OperationKind::DeleteBackup,
                subject,
                None,
                Annotations::default(),
            );
            self.queue_deletion(tx, backup, &operation).await?;
        }
        Ok(())
    }

    /// Queues the deletion of a backup: marks it, or stops it if it is active, and inserts
    /// operation, job and event.
    pub(crate) async fn queue_deletion(
        &self,
        tx: &mut Tx,
        mut backup: Backup,
        operation: &Operation,
    ) -> Result<()> {
        let id = backup.id;
        if backup.state == BackupState::Deleting {
            let message = format!("backup `{}` is being deleted already", backup.name);
            return Err(Error::conflict(ConflictKind::WrongState, "backup", message));
        }
        check_unread(tx, &backup).await?;
        if backup.state.is_active() {
            self.stop_backup(tx, &mut backup).await?;
            self.inner().running.cancel(id.uuid());
        }
        if !backup.state.is_active() {
            backup.state = backup.state.to(BackupState::Deleting)?;
            backup.updated_at = self.now();
            tx.update_backup(&backup).await?;
        }
        tx.insert_operation(operation).await?;
        let copies = tx.copies_of(backup.tenant_id, &[id]).await?;
        let copied = copies.iter().map(|it| it.repository_id);
        let mut locks = vec![Lock::exclusive(format!("backup:{id}"))];
        locks.extend(
            std::iter::once(backup.repository_id)
                .chain(copied)
                .map(|it| Lock::shared(lock_key(it))),
        );
        let work = Work::DeleteBackup { backup: id };
        let job = self.job(
            backup.tenant_id,
            work,
            locks,
            INTERACTIVE,
            Some(operation.id),
        );
        tx.enqueue(&job).await?;
        let details = json!({ "name": backup.name, "resource": backup.resource_name });
        let subject = Subject::Backup(id);
        let mut event = self.system_event(
            backup.tenant_id,
            "backup.deletion_requested",
            subject,
            details,
        );
        event.principal_id = operation.created_by;
        Ok(tx.insert_event(&event).await?)
    }

    /// Stops an active backup: at once if no worker has it, else its worker is asked to.
    async fn stop_backup(&self, tx: &mut Tx, backup: &mut Backup) -> Result<()> {
        let now = self.now();
        let subject = Subject::Backup(backup.id);
        if !self.settle_waiting(tx, subject).await? {
            tx.request_cancel(subject, now).await?;
            return Ok(());
        }
        backup.state = backup.state.to(BackupState::Cancelled)?;
        backup.reason = Some("cancelled on request".to_owned());
        backup.updated_at = now;
        backup.finished_at = Some(now);
        tx.update_backup(backup).await?;
        backup.version += 1;
        let details = json!({ "name": backup.name, "resource": backup.resource_name });
        let event = self.system_event(backup.tenant_id, "backup.cancelled", subject, details);
        Ok(tx.insert_event(&event).await?)
    }

    /// Cancels the operation of a job that no worker has taken yet; `false` if one has, or left
    /// something to clean up. The job itself finds that there is nothing to do any more.
    pub(crate) async fn settle_waiting(&self, tx: &mut Tx, subject: Subject) -> Result<bool> {
        let jobs = tx.unfinished_jobs_about(subject).await?;
        let runs =
            |job: &&Job| matches!(job.work, Work::RunBackup { .. } | Work::RunRestore { .. });
        let Some(job) = jobs.iter().find(runs) else {
            return Ok(true);
        };
        if job.state != JobState::Queued || !leaves_nothing(job.checkpoint.as_ref()) {
            return Ok(false);
        }
        let operation = match job.operation_id {
            Some(id) => tx.operation(job.tenant_id, id).await?,
            None => None,
        };
        if let Some(mut operation) = operation {
            let now = self.now();
            operation.state = OperationState::Cancelled;
            operation.updated_at = now;
            operation.finished_at = Some(now);
            tx.update_operation(&operation).await?;
        }
        Ok(true)
    }
}

/// An automatic backup in a locked vault goes by retention only.
pub(super) async fn check_not_locked(conn: &mut Conn, backup: &Backup) -> Result<()> {
    let Some(vault) = backup
        .vault_id
        .filter(|_| backup.trigger == Trigger::Schedule)
    else {
        return Ok(());
    };
    match conn.vault(backup.tenant_id, vault).await? {
        Some(vault) if vault.locked => {
            let (name, vault) = (&backup.name, vault.name);
            let message = format!("backup `{name}` is automatic and its vault `{vault}` is locked");
            Err(Error::conflict(ConflictKind::Locked, "backup", message))
        }
        _ => Ok(()),
    }
}
