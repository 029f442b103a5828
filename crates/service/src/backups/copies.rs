//! Copies of a backup in further repositories.
//!
//! A backup lies in the repository that its row names; copies lie in others. When it is removed
//! from the former alone, a copy takes its place.

use strongroom_domain::{
    Backup, BackupCopy, BackupId, BackupState, CopyId, RepositoryId, TenantId,
    job::{Lock, Work},
    operation::{Operation, OperationKind, Subject},
    principal::Permission,
};
use strongroom_store::{Conn, Tx};

use super::{delete::check_not_locked, find_backup};
use crate::{
    Caller, ConflictKind, Error, Result, Service,
    error::taken,
    operations::NewOperation,
    records::INTERACTIVE,
    repositories::{check_takes_backups, find_repository, lock_key},
};

/// A backup to be copied.
#[derive(Debug, Clone)]
pub struct CopyBackup {
    /// Where it goes.
    pub to: RepositoryId,
    /// Where it is read from; its own repository if nothing.
    pub from: Option<RepositoryId>,
    /// What the client sees of it.
    pub operation: NewOperation,
}

impl Service {
    /// Copies a backup to another repository, in the background.
    pub async fn copy_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        request: CopyBackup,
    ) -> Result<Operation> {
        caller.require(Permission::Write)?;
        let make = self.queue_copy(caller, id, request);
        self.once(caller, make, |id| self.operation(Some(caller), id))
            .await
    }

    async fn queue_copy(
        &self,
        caller: &Caller,
        id: BackupId,
        request: CopyBackup,
    ) -> Result<Operation> {
        let CopyBackup {
            to,
            from,
            operation,
        } = request;
        let tenant = caller.tenant_id;
        let mut tx = self.begin().await?;
        let backup = find_backup(&mut tx, tenant, id).await?;
        let from = from.unwrap_or(backup.repository_id);
        snapshot_in(&mut tx, &backup, from).await?;
        check_takes_backups(&find_repository(&mut tx, tenant, to).await?)?;
        if to == backup.repository_id {
            return Err(there_already(&backup));
        }
        let NewOperation {
            id: chosen,
            annotations,
        } = operation;
        let (kind, subject) = (OperationKind::CopyBackup, Some(Subject::Backup(id)));
        let operation = self.operation_of(caller, kind, subject, chosen, annotations);
        self.start_copy(&mut tx, &backup, (from, to), &operation, INTERACTIVE)
            .await?;
        let event = self.event(caller, "backup.copy_requested", Some(Subject::Backup(id)));
        tx.insert_event(&event).await?;
        self.remember(&mut tx, caller, &operation.id).await?;
        tx.commit().await?;
        self.nudge();
        Ok(operation)
    }

    /// Removes a backup from some repositories, in the background; from all that it is in, and it
    /// is deleted. Repositories that it is not in do not matter.
    pub async fn delete_copies(
        &self,
        caller: &Caller,
        id: BackupId,
        repositories: &[RepositoryId],
        operation: NewOperation,
    ) -> Result<Operation> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let backup = find_backup(&mut tx, caller.tenant_id, id).await?;
        check_not_locked(&mut tx, &backup).await?;
        let NewOperation {
            id: chosen,
            annotations,
        } = operation;
        let (kind, subject) = (OperationKind::DeleteCopies, Some(Subject::Backup(id)));
        let operation = self.operation_of(caller, kind, subject, chosen, annotations);
        let operation = self
            .queue_removal(&mut tx, backup, repositories, operation)
            .await?;
        let event = self.event(caller, "backup.copy_deletion_requested", subject);
        tx.insert_event(&event).await?;
        tx.commit().await?;
        self.nudge();
        Ok(operation)
    }

    /// Writes down that a backup is to be copied from one repository to another, and queues it.
    pub(super) async fn start_copy(
        &self,
        tx: &mut Tx,
        backup: &Backup,
        (from, to): (RepositoryId, RepositoryId),
        operation: &Operation,
        priority: i32,
    ) -> Result<()> {
        let now = self.now();
        let copy = BackupCopy {
            id: CopyId::from_uuid(self.uuid()),
            tenant_id: backup.tenant_id,
            backup_id: backup.id,
            repository_id: to,
            state: BackupState::Running,
            snapshot: None,
            reason: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let inserted = tx.insert_copy(&copy).await;
        inserted.map_err(|error| match error {
            strongroom_store::Error::Duplicate { .. } => there_already(backup),
            other => other.into(),
        })?;
        self.queue_copy_job(tx, &copy, from, operation, priority)
            .await
    }

    /// Queues the making of a copy.
    pub(super) async fn queue_copy_job(
        &self,
        tx: &mut Tx,
        copy: &BackupCopy,
        from: RepositoryId,
        operation: &Operation,
        priority: i32,
    ) -> Result<()> {
        let (backup, to) = (copy.backup_id, copy.repository_id);
        let locks = vec![
            Lock::exclusive(format!("copy:{backup}:{to}")),
            Lock::shared(lock_key(from)),
            Lock::shared(lock_key(to)),
            Lock::shared(format!("backup:{backup}")),
        ];
        let work = Work::CopyBackup { backup, from, to };
        self.queue_about(tx, operation, work, locks, priority).await
    }

    /// Takes a backup out of some repositories; out of all that it can be read in, and it is
    /// deleted. Gives the operation as it was recorded.
    pub(crate) async fn queue_removal(
        &self,
        tx: &mut Tx,
        mut backup: Backup,
        repositories: &[RepositoryId],
        mut operation: Operation,
    ) -> Result<Operation> {
        let id = backup.id;
        let copies = tx.copies_of(backup.tenant_id, &[id]).await?;
        let (mut going, staying): (Vec<_>, Vec<_>) = copies
            .into_iter()
            .partition(|it| repositories.contains(&it.repository_id));
        if repositories.contains(&backup.repository_id) {
            let Some(heir) = staying.into_iter().find(|it| it.state.is_restorable()) else {
                operation.kind = OperationKind::DeleteBackup;
                self.queue_deletion(tx, backup, &operation).await?;
                return Ok(operation);
            };
            check_unread(tx, &backup).await?;
            going.push(self.succeed(tx, &mut backup, heir).await?);
        }
        let now = self.now();
        for copy in &mut going {
            if copy.state != BackupState::Deleting {
                copy.state = BackupState::Deleting;
                copy.updated_at = now;
                tx.update_copy(copy).await?;
            }
        }
        let mut locks = vec![Lock::exclusive(format!("backup:{id}"))];
        let places = going
            .iter()
            .map(|it| Lock::shared(lock_key(it.repository_id)));
        locks.extend(places);
        let work = Work::DeleteCopies { backup: id };
        self.queue_about(tx, &operation, work, locks, INTERACTIVE)
            .await?;
        Ok(operation)
    }

    /// Puts a copy in the place of the backup itself, and what was there in the place of the copy,
    /// which it gives.
    async fn succeed(
        &self,
        tx: &mut Tx,
        backup: &mut Backup,
        mut heir: BackupCopy,
    ) -> Result<BackupCopy> {
        let now = self.now();
        std::mem::swap(&mut backup.repository_id, &mut heir.repository_id);
        std::mem::swap(&mut backup.snapshot, &mut heir.snapshot);
        backup.updated_at = now;
        heir.updated_at = now;
        tx.update_backup(backup).await?;
        backup.version += 1;
        tx.update_copy(&heir).await?;
        heir.version += 1;
        tx.delete_exports(backup.id, Some(heir.repository_id))
            .await?;
        Ok(heir)
    }

    async fn queue_about(
        &self,
        tx: &mut Tx,
        operation: &Operation,
        work: Work,
        locks: Vec<Lock>,
        priority: i32,
    ) -> Result<()> {
        tx.insert_operation(operation)
            .await
            .map_err(taken("operation", &operation.id.to_string()))?;
        let tenant = operation.tenant_id;
        let job = self.job(tenant, work, locks, priority, Some(operation.id));
        Ok(tx.enqueue(&job).await?)
    }

    /// The copies of these backups, oldest first.
    pub async fn copies_of(&self, caller: &Caller, ids: &[BackupId]) -> Result<Vec<BackupCopy>> {
        caller.require(Permission::Read)?;
        Ok(self.read().await?.copies_of(caller.tenant_id, ids).await?)
    }
}

/// The snapshot of the backup in a repository, if it can be read there.
pub(crate) async fn snapshot_in(
    conn: &mut Conn,
    backup: &Backup,
    repository: RepositoryId,
) -> Result<String> {
    let (state, snapshot) = if repository == backup.repository_id {
        (backup.state, backup.snapshot.clone())
    } else {
        let tenant = backup.tenant_id;
        let copy = conn.backup_copy(tenant, backup.id, repository).await?;
        match copy {
            Some(copy) => (copy.state, copy.snapshot),
            None => return Err(not_there(conn, backup.tenant_id, &backup.name, repository).await?),
        }
    };
    match snapshot {
        Some(snapshot) if state.is_restorable() => Ok(snapshot),
        _ => {
            let message = format!(
                "backup `{}` is {state} there and cannot be read",
                backup.name
            );
            Err(Error::conflict(ConflictKind::WrongState, "backup", message))
        }
    }
}

async fn not_there(
    conn: &mut Conn,
    tenant: TenantId,
    backup: &str,
    repository: RepositoryId,
) -> Result<Error> {
    let repository = find_repository(conn, tenant, repository).await?;
    let message = format!(
        "backup `{backup}` is not in repository `{}`",
        repository.name
    );
    Ok(Error::conflict(ConflictKind::WrongState, "backup", message))
}

fn there_already(backup: &Backup) -> Error {
    let message = format!("backup `{}` is in that repository already", backup.name);
    Error::conflict(ConflictKind::AlreadyMember, "backup", message)
}

/// Fails while a restore reads the backup.
pub(super) async fn check_unread(conn: &mut Conn, backup: &Backup) -> Result<()> {
    let restores = conn.active_restores_of_backup(backup.tenant_id, backup.id);
    if restores.await?.is_empty() {
        return Ok(());
    }
    let message = format!("a restore reads backup `{}`", backup.name);
    Err(Error::conflict(ConflictKind::InUse, "backup", message))
}
