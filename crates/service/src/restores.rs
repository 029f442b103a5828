//! Restores.

pub(crate) mod target;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, Backup, BackupId, FieldError, OperationId, Page, Paged, RepositoryId, ResourceId,
    ResourceKind, RestoreId, Secret, TenantId,
    backup::BackupProgress,
    job::{Lock, Work},
    operation::{Operation, OperationKind, Subject},
    principal::Permission,
    query::{Filter, RestoreField, Sort},
    restore::{ConflictPolicy, Restore, RestoreState, RestoreTarget},
    tree::Patterns,
};
use strongroom_source::SourceError;
use strongroom_store::{Conn, Tx};

use self::target::{source_target, target_lock};
use crate::{
    Caller, ConflictKind, Error, Result, Service,
    backups::{copies::snapshot_in, find_backup},
    error::taken,
    records::INTERACTIVE,
    repositories::{check_takes_backups, find_repository, lock_key},
    resources::living_resource,
    validate::Faults,
};

/// What a replayed request is answered with.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Answer {
    restore: RestoreId,
    operation: OperationId,
}

/// A restore to carry out.
#[derive(Debug, Clone)]
pub struct RequestRestore {
    /// What is restored.
    pub backup_id: BackupId,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The paths to restore; empty means all.
    pub include: Vec<String>,
    /// What happens to what is in the way.
    pub conflict: ConflictPolicy,
    /// New names for databases, by their old ones; for database servers only.
    pub rename: BTreeMap<String, String>,
    /// The repository it is read from; the backup's own if nothing.
    pub from: Option<RepositoryId>,
    /// Back up what is about to be overwritten first, which the restore waits for. If that is asked
    /// for, nothing is restored unless it succeeds. If nothing is said, databases that are
    /// overwritten are backed up as far as they can be.
    pub safety_backup: Option<bool>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// The operation's id, if the client chose it.
    pub operation_id: Option<OperationId>,
    /// Vendor attributes of the operation.
    pub operation_annotations: Annotations,
}

impl RequestRestore {
    /// A restore of all of a backup that replaces what is in the way.
    pub fn of(backup_id: BackupId, target: RestoreTarget) -> Self {
        Self {
            backup_id,
            target,
            include: Vec::new(),
            conflict: ConflictPolicy::Replace,
            rename: BTreeMap::new(),
            from: None,
            safety_backup: None,
            annotations: Annotations::default(),
            operation_id: None,
            operation_annotations: Annotations::default(),
        }
    }

    fn to_directory(&self) -> bool {
        matches!(self.target, RestoreTarget::Directory { .. })
    }

    /// Whether what is about to be overwritten is backed up first. Under new names databases
    /// overwrite nothing that anybody has said is there.
    fn is_safe(&self, kind: ResourceKind) -> bool {
        let replaces = kind.has_databases() && !self.to_directory() && self.rename.is_empty();
        self.safety_backup
            .unwrap_or(replaces && self.conflict == ConflictPolicy::Replace)
    }
}

impl Service {
    /// Starts a restore after the source accepted the target.
    pub async fn request_restore(
        &self,
        caller: &Caller,
        request: RequestRestore,
    ) -> Result<(Restore, Operation)> {
        caller.require(Permission::Write)?;
        let make = async {
            let target = self.check_restore(caller, &request).await?;
            let request = RequestRestore { target, ..request };
            self.insert_restore(caller, &request).await
        };
        self.once(caller, make, |answer| self.first_restore(caller, answer))
            .await
    }

    /// Everything about a restore that can be found wrong before it starts; gives the target as
    /// it is to be used.
    async fn check_restore(
        &self,
        caller: &Caller,
        request: &RequestRestore,
    ) -> Result<RestoreTarget> {
        let id = request.backup_id;
        let backup = restorable(&mut *self.read().await?, caller.tenant_id, id).await?;
        let allowed = self.allowed_target(caller, &request.target).await?;
        let target = source_target(&mut *self.read().await?, &backup, &allowed).await?;
        let (kind, to_directory) = (backup.kind, request.to_directory());
        let mut faults = Faults::default();
        if let Err(error) = Patterns::new(request.include.iter().map(String::as_str)) {
            faults.add("include", error);
        }
        let wrong = self.blocking(move |service| {
            let Some(source) = service.sources().get(kind) else {
                let reason = format!("`{kind}` has no source in this build");
                return vec![FieldError::new("backup_id", reason)];
            };
            source.validate_target(&target)
        });
        faults.extend(wrong.await?);
        let to_server = kind.has_databases() && !to_directory;
        if !request.rename.is_empty() && !to_server {
            faults.add("rename", "is for restores into database servers only");
        }
        if request.safety_backup == Some(true) && to_directory {
            faults.add(
                "safety_backup",
                "a directory is not a resource that can be backed up",
            );
        }
        faults.check()?;
        Ok(allowed)
    }

    async fn insert_restore(
        &self,
        caller: &Caller,
        request: &RequestRestore,
    ) -> Result<(Restore, Operation)> {
        let mut tx = self.begin().await?;
        let backup = restorable(&mut tx, caller.tenant_id, request.backup_id).await?;
        let restore = self.new_restore(caller, &backup, request);
        let from = request.from.unwrap_or(backup.repository_id);
        snapshot_in(&mut tx, &backup, from).await?;
        let safety = request.is_safe(backup.kind);
        if safety {
            let id = backup.repository_id;
            check_takes_backups(&find_repository(&mut tx, caller.tenant_id, id).await?)?;
        }
        let subject = Subject::Restore(restore.id);
        let operation = self.operation_of(
            caller,
            OperationKind::Restore,
            Some(subject),
            request.operation_id,
            request.operation_annotations.clone(),
        );
        tx.insert_restore(&restore).await?;
        tx.insert_operation(&operation)
            .await
            .map_err(taken("operation", &operation.id.to_string()))?;
        let locks = vec![target_lock(&restore), Lock::shared(lock_key(from))];
        let work = Work::RunRestore {
            restore: restore.id,
            from: request.from,
            safety,
            safety_may_fail: request.safety_backup.is_none(),
        };
        let job = self.job(
            caller.tenant_id,
            work,
            locks,
            INTERACTIVE,
            Some(operation.id),
        );
        tx.enqueue(&job).await?;
        tx.insert_event(&self.event(caller, "restore.requested", Some(subject)))
            .await?;
        let answer = Answer {
            restore: restore.id,
            operation: operation.id,
        };
        self.remember(&mut tx, caller, &answer).await?;
        tx.commit().await?;
        self.nudge();
        Ok((restore, operation))
    }

    fn new_restore(&self, caller: &Caller, backup: &Backup, request: &RequestRestore) -> Restore {
        let now = self.now();
        Restore {
            id: RestoreId::from_uuid(self.uuid()),
            tenant_id: caller.tenant_id,
            backup_id: backup.id,
            resource_id: backup.resource_id,
            target: request.target.clone(),
            include: request.include.clone(),
            conflict: request.conflict,
            rename: request.rename.clone(),
            safety_backup_id: None,
            state: RestoreState::Pending,
            progress: BackupProgress {
                bytes_total: backup.source_bytes,
                ..Default::default()
            },
            reason: None,
            failed_entries: Vec::new(),
            failed_entry_count: 0,
            created_by: Some(caller.principal_id),
            annotations: request.annotations.clone(),
            created_at: now,
            updated_at: now,
            started_at: None,
            finished_at: None,
            version: 1,
        }
    }

    async fn first_restore(&self, caller: &Caller, answer: Answer) -> Result<(Restore, Operation)> {
        let restore = self.restore(caller, answer.restore).await?;
        let operation = self.operation(Some(caller), answer.operation).await?;
        Ok((restore, operation))
    }

    /// Whether `user` can log in to a resource with that password: some clients must prove it
    /// before they may restore over it. Kinds without log-ins have nothing to prove.
    pub async fn check_login(
        &self,
        caller: &Caller,
        id: ResourceId,
        user: &str,
        password: Secret,
    ) -> Result<()> {
        caller.require(Permission::Write)?;
        let resource = living_resource(&mut *self.read().await?, caller.tenant_id, id).await?;
        let user = user.to_owned();
        let checked = self.blocking(move |service| match service.sources().get(resource.kind) {
            Some(source) => source.check_login(&resource.settings, &user, &password),
            None => Ok(()),
        });
        checked.await?.map_err(|error| match error {
            SourceError::Unavailable { what, message } => Error::Unavailable { what, message },
            other => Error::invalid("password", other),
        })
    }

    /// One restore.
    pub async fn restore(&self, caller: &Caller, id: RestoreId) -> Result<Restore> {
        caller.require(Permission::Read)?;
        find_restore(&mut *self.read().await?, caller.tenant_id, id).await
    }

    /// The tenant's restores that match, in the order asked for (newest first if none).
    pub async fn list_restores(
        &self,
        caller: &Caller,
        filter: &Filter<RestoreField>,
        sort: &[Sort<RestoreField>],
        page: &Page,
    ) -> Result<Paged<Restore>> {
        caller.require(Permission::Read)?;
        Ok(self
            .read()
            .await?
            .list_restores(caller.tenant_id, filter, sort, page)
            .await?)
    }

    /// Asks an active restore to stop; it becomes `cancelled`.
    pub async fn cancel_restore(&self, caller: &Caller, id: RestoreId) -> Result<Restore> {
        caller.require(Permission::Write)?;
        let make = self.cancel_active_restore(caller, id);
        self.once(caller, make, |()| self.restore(caller, id)).await
    }

    async fn cancel_active_restore(&self, caller: &Caller, id: RestoreId) -> Result<Restore> {
        let mut tx = self.begin().await?;
        let mut restore = find_restore(&mut tx, caller.tenant_id, id).await?;
        if !restore.state.is_active() {
            let message = format!("restore `{id}` is {} already", restore.state);
            return Err(Error::conflict(
                ConflictKind::WrongState,
                "restore",
                message,
            ));
        }
        self.stop_restore(&mut tx, &mut restore).await?;
        let event = self.event(
            caller,
            "restore.cancellation_requested",
            Some(Subject::Restore(id)),
        );
        tx.insert_event(&event).await?;
        self.remember(&mut tx, caller, &()).await?;
        tx.commit().await?;
        self.inner().running.cancel(id.uuid());
        self.changed();
        Ok(restore)
    }

    /// Stops an active restore: at once if no worker has it, else its worker is asked to.
    async fn stop_restore(&self, tx: &mut Tx, restore: &mut Restore) -> Result<()> {
        let now = self.now();
        let subject = Subject::Restore(restore.id);
        if !self.settle_waiting(tx, subject).await? {
            tx.request_cancel(subject, now).await?;
            return Ok(());
        }
        restore.state = restore.state.to(RestoreState::Cancelled)?;
        restore.reason = Some("cancelled on request".to_owned());
        restore.updated_at = now;
        restore.finished_at = Some(now);
        tx.update_restore(restore).await?;
        restore.version += 1;
        Ok(())
    }
}

/// The restore, unless it is another tenant's.
pub(crate) async fn find_restore(
    conn: &mut Conn,
    tenant: TenantId,
    id: RestoreId,
) -> Result<Restore> {
    let found = conn.restore(tenant, id).await?;
    found.ok_or_else(|| Error::not_found("restore", id))
}

/// The backup, if something can be restored from it.
async fn restorable(conn: &mut Conn, tenant: TenantId, id: BackupId) -> Result<Backup> {
    let backup = find_backup(conn, tenant, id).await?;
    if backup.state.is_restorable() {
        return Ok(backup);
    }
    let message = format!(
        "backup `{}` is {} and cannot be restored",
        backup.name, backup.state
    );
    Err(Error::conflict(ConflictKind::WrongState, "backup", message))
}
