//! A new backup: its row, operation, job, event and idempotency record in one transaction.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, Backup, BackupId, BackupState, CheckpointId, Label, OperationId, PolicyId,
    PrincipalId, Resource, ResourceId, Trigger, VaultId,
    backup::BackupProgress,
    job::{Job, Lock, Work},
    operation::{Operation, OperationKind, Subject},
    principal::Permission,
    query::{BackupField, Filter, Value},
    repository::Repository,
};
use strongroom_store::{Conn, Tx};

use super::RequestBackup;
use crate::{
    Caller, ConflictKind, Error, Result, Service,
    error::taken,
    records::{INTERACTIVE, SCHEDULED},
    repositories::{check_takes_backups, choose_repository},
    resources::living_resource,
    validate::Faults,
};

/// What a replayed request is answered with.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Answer {
    backup: BackupId,
    operation: OperationId,
}

/// Where a new backup comes from and what it is called.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// The backup's id, if the client chose it.
    pub(crate) id: Option<BackupId>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) vault_id: Option<VaultId>,
    pub(crate) checkpoint_id: Option<CheckpointId>,
    pub(crate) policy_id: Option<PolicyId>,
    pub(crate) scheduled: bool,
    pub(crate) scheduled_for: Option<Timestamp>,
    pub(crate) created_by: Option<PrincipalId>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) labels: Vec<Label>,
    pub(crate) annotations: Annotations,
}

impl Service {
    /// Starts a backup: its row, operation, job, event and idempotency record are one
    /// transaction. The row is listed when this returns.
    pub async fn request_backup(
        &self,
        caller: &Caller,
        request: RequestBackup,
    ) -> Result<(Backup, Operation)> {
        caller.require(Permission::Write)?;
        self.check_backup_request(&request)?;
        let make = self.insert_requested(caller, &request);
        self.once(caller, make, |answer| self.first_answer(caller, answer))
            .await
    }

    fn check_backup_request(&self, request: &RequestBackup) -> Result<()> {
        let mut faults = Faults::default();
        if let Some(name) = &request.name {
            faults.name("name", name);
        }
        faults.description(request.description.as_deref());
        faults.labels(&request.labels);
        if request.expires_at.is_some_and(|at| at <= self.now()) {
            faults.add("expires_at", "must not be in the past");
        }
        faults.check()
    }

    async fn insert_requested(
        &self,
        caller: &Caller,
        request: &RequestBackup,
    ) -> Result<(Backup, Operation)> {
        let mut tx = self.begin().await?;
        let resource = living_resource(&mut tx, caller.tenant_id, request.resource_id).await?;
        let repository =
            choose_repository(&mut tx, caller.tenant_id, request.repository_id).await?;
        check_takes_backups(&repository)?;
        if request.alone || request.unique_name {
            tx.lock_resource(&resource).await?;
        }
        if request.alone {
            check_alone(&mut tx, &resource).await?;
        }
        if let Some(name) = request.name.as_deref().filter(|_| request.unique_name) {
            check_unique_name(&mut tx, &resource, name).await?;
        }
        let origin = Origin {
            id: request.id,
            name: request.name.clone(),
            description: request.description.clone(),
            created_by: Some(caller.principal_id),
            expires_at: request.expires_at,
            labels: request.labels.clone(),
            annotations: request.annotations.clone(),
            ..Origin::default()
        };
        let backup = self.new_backup(&resource, &repository, origin);
        let operation = self.operation_of(
            caller,
            OperationKind::Backup,
            Some(Subject::Backup(backup.id)),
            request.operation_id,
            request.operation_annotations.clone(),
        );
        self.queue_backup(&mut tx, &backup, &operation).await?;
        let answer = Answer {
            backup: backup.id,
            operation: operation.id,
        };
        self.remember(&mut tx, caller, &answer).await?;
        tx.commit().await?;
        self.nudge();
        Ok((backup, operation))
    }

    async fn first_answer(&self, caller: &Caller, answer: Answer) -> Result<(Backup, Operation)> {
        let backup = self.backup(caller, answer.backup).await?;
        let operation = self.operation(Some(caller), answer.operation).await?;
        Ok((backup, operation))
    }

    /// The row of a backup that is about to be queued.
    pub(crate) fn new_backup(
        &self,
        resource: &Resource,
        repository: &Repository,
        origin: Origin,
    ) -> Backup {
        let now = self.now();
        Backup {
            id: origin
                .id
                .unwrap_or_else(|| BackupId::from_uuid(self.uuid())),
            tenant_id: resource.tenant_id,
            resource_id: resource.id,
            resource_name: resource.name.clone(),
            kind: resource.kind,
            face: resource.face,
            repository_id: repository.id,
            vault_id: origin.vault_id,
            checkpoint_id: origin.checkpoint_id,
            policy_id: origin.policy_id,
            parent_id: None,
            name: origin
                .name
                .unwrap_or_else(|| default_name(&resource.name, now)),
            description: origin.description,
            state: BackupState::Pending,
            trigger: if origin.scheduled {
                Trigger::Schedule
            } else {
                Trigger::Manual
            },
            scheduled_for: origin.scheduled_for,
            progress: BackupProgress::default(),
            source_bytes: None,
            stored_bytes: None,
            entries: None,
            snapshot: None,
            reason: None,
            failed_entries: Vec::new(),
            failed_entry_count: 0,
            created_by: origin.created_by,
            labels: origin.labels,
            annotations: origin.annotations,
            created_at: now,
            updated_at: now,
            started_at: None,
            finished_at: None,
            expires_at: origin.expires_at,
            version: 1,
        }
    }

    /// Inserts a backup with its operation, job and event; `false`, and nothing written, if its
    /// policy already made one for the same occurrence.
    pub(crate) async fn queue_backup(
        &self,
        tx: &mut Tx,
        backup: &Backup,
        operation: &Operation,
    ) -> Result<bool> {
        let inserted = tx.insert_backup(backup).await;
        if !inserted.map_err(taken("backup", &backup.id.to_string()))? {
            return Ok(false);
        }
        tx.insert_operation(operation)
            .await
            .map_err(taken("operation", &operation.id.to_string()))?;
        let priority = match backup.trigger {
            Trigger::Manual => INTERACTIVE,
            Trigger::Schedule => SCHEDULED,
        };
        let job = self.backup_job(backup, priority, Some(operation.id));
        tx.enqueue(&job).await?;
        let details = serde_json::json!({ "name": backup.name, "resource": backup.resource_name });
        let subject = Subject::Backup(backup.id);
        let mut event = self.system_event(backup.tenant_id, "backup.requested", subject, details);
        event.principal_id = backup.created_by;
        tx.insert_event(&event).await?;
        Ok(true)
    }

    /// The job that makes a backup where its row says.
    pub(crate) fn backup_job(
        &self,
        backup: &Backup,
        priority: i32,
        operation: Option<OperationId>,
    ) -> Job {
        let work = Work::RunBackup { backup: backup.id };
        let locks = vec![
            resource_lock(backup.resource_id),
            Lock::shared(repository_key(backup)),
        ];
        self.job(backup.tenant_id, work, locks, priority, operation)
    }
}

/// At most one backup of a resource runs at a time; the others wait for it.
fn resource_lock(resource: ResourceId) -> Lock {
    Lock::exclusive(format!("resource:{resource}"))
}

fn repository_key(backup: &Backup) -> String {
    crate::repositories::lock_key(backup.repository_id)
}

/// `<resource>-yyyymmddhhmmss`, in UTC.
fn default_name(resource: &str, now: Timestamp) -> String {
    format!("{resource}-{}", now.strftime("%Y%m%d%H%M%S"))
}

/// How many backups of the resource have not ended.
pub(crate) async fn active_backups(conn: &mut Conn, resource: &Resource) -> Result<u64> {
    let active = BackupState::ALL.iter().filter(|state| state.is_active());
    let active = active.map(|state| Value::from(state.as_str())).collect();
    let filter = Filter::eq(BackupField::ResourceId, resource.id.uuid())
        .and(Filter::In(BackupField::State, active));
    Ok(conn.count_backups(resource.tenant_id, &filter).await?)
}

async fn check_alone(conn: &mut Conn, resource: &Resource) -> Result<()> {
    if active_backups(conn, resource).await? == 0 {
        return Ok(());
    }
    let message = format!("a backup of resource `{}` is active", resource.name);
    Err(Error::conflict(ConflictKind::InUse, "resource", message))
}

async fn check_unique_name(conn: &mut Conn, resource: &Resource, name: &str) -> Result<()> {
    let filter = Filter::eq(BackupField::ResourceId, resource.id.uuid())
        .and(Filter::eq(BackupField::Name, name));
    let page = strongroom_domain::Page::offset(1, 0);
    let found = conn
        .list_backups(resource.tenant_id, &filter, &[], &page)
        .await?;
    if found.items.is_empty() {
        return Ok(());
    }
    let message = format!("resource `{}` has a backup `{name}` already", resource.name);
    Err(Error::conflict(
        ConflictKind::DuplicateName,
        "backup",
        message,
    ))
}
