//! Checkpoints: the backups that one request on a vault makes.

use jiff::Timestamp;
use strongroom_domain::{
    Annotations, Backup, CheckpointId, Face, Page, PolicyId, PrincipalId, Resource, ResourceId,
    TenantId,
    operation::{Operation, OperationKind, Subject},
    principal::Permission,
    query::{BackupField, Filter},
    vault::{Checkpoint, SkippedResource, Vault},
};
use strongroom_store::{Conn, Tx};

use super::{CheckpointView, RequestCheckpoint, find_vault, manage::usage};
use crate::{
    Caller, ConflictKind, Error, Result, Service,
    backups::request::Origin,
    policies::find_policy,
    repositories::{check_takes_backups, find_repository},
    validate::Faults,
};

/// A checkpoint to make, by a client or by a schedule.
#[derive(Debug, Default)]
pub(crate) struct CheckpointPlan {
    /// Which resources, as they were asked for; nothing means all.
    pub(crate) resources: Option<Vec<String>>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) automatic: bool,
    pub(crate) policy_id: Option<PolicyId>,
    pub(crate) scheduled_for: Option<Timestamp>,
    pub(crate) created_by: Option<PrincipalId>,
    pub(crate) face: Option<Face>,
    pub(crate) annotations: Annotations,
}

impl Service {
    /// Starts a backup of each resource asked for; those that cannot be are named as skipped.
    pub async fn request_checkpoint(
        &self,
        caller: &Caller,
        request: RequestCheckpoint,
    ) -> Result<CheckpointView> {
        caller.require(Permission::Write)?;
        let make = self.add_checkpoint(caller, request);
        self.once(caller, make, |id| self.checkpoint(caller, id))
            .await
    }

    async fn add_checkpoint(
        &self,
        caller: &Caller,
        request: RequestCheckpoint,
    ) -> Result<CheckpointView> {
        let mut faults = Faults::default();
        if let Some(name) = &request.name {
            faults.name("name", name);
        }
        faults.description(request.description.as_deref());
        if request.expires_at.is_some_and(|at| at <= self.now()) {
            faults.add("expires_at", "must not be in the past");
        }
        faults.check()?;
        let mut tx = self.begin().await?;
        let vault = find_vault(&mut tx, caller.tenant_id, request.vault_id).await?;
        if let Some(policy) = request.policy_id {
            find_policy(&mut tx, caller.tenant_id, policy).await?;
        }
        let plan = CheckpointPlan {
            resources: request.resources,
            name: request.name,
            description: request.description,
            expires_at: request.expires_at,
            automatic: request.automatic,
            policy_id: request.policy_id,
            scheduled_for: None,
            created_by: Some(caller.principal_id),
            face: caller.face,
            annotations: request.annotations,
        };
        let view = self.start_checkpoint(&mut tx, &vault, plan).await?;
        if view.backups.is_empty() {
            let reasons = view.checkpoint.skipped.iter().map(|it| &it.reason);
            let reasons: Vec<_> = reasons.map(String::as_str).collect();
            let name = &vault.name;
            let message = if reasons.is_empty() {
                format!("vault `{name}` has no resources")
            } else {
                format!(
                    "nothing of vault `{name}` can be backed up: {}",
                    reasons.join("; ")
                )
            };
            return Err(Error::conflict(
                ConflictKind::WrongState,
                "checkpoint",
                message,
            ));
        }
        self.remember(&mut tx, caller, &view.checkpoint.id).await?;
        tx.commit().await?;
        self.nudge();
        Ok(view)
    }

    /// Queues the backups of a checkpoint. Without any there is no checkpoint either.
    pub(crate) async fn start_checkpoint(
        &self,
        tx: &mut Tx,
        vault: &Vault,
        plan: CheckpointPlan,
    ) -> Result<CheckpointView> {
        let repository = find_repository(tx, vault.tenant_id, vault.repository_id).await?;
        check_takes_backups(&repository)?;
        check_quota(tx, vault).await?;
        let (resources, skipped) = choose(tx, vault, plan.resources.as_deref()).await?;
        let checkpoint = Checkpoint {
            id: CheckpointId::from_uuid(self.uuid()),
            tenant_id: vault.tenant_id,
            vault_id: vault.id,
            name: plan.name.clone(),
            description: plan.description.clone(),
            skipped,
            annotations: plan.annotations.clone(),
            created_at: self.now(),
        };
        let mut backups = Vec::new();
        for resource in &resources {
            let origin = plan.origin(vault, &checkpoint);
            let backup = self.new_backup(resource, &repository, origin);
            let operation = self.operation_in_checkpoint(&plan, &backup);
            if self.queue_backup(tx, &backup, &operation).await? {
                backups.push(backup);
            }
        }
        if !backups.is_empty() {
            tx.insert_checkpoint(&checkpoint).await?;
        }
        Ok(CheckpointView {
            checkpoint,
            backups,
        })
    }

    fn operation_in_checkpoint(&self, plan: &CheckpointPlan, backup: &Backup) -> Operation {
        let subject = Some(Subject::Backup(backup.id));
        let mut operation = self.system_operation(backup.tenant_id, OperationKind::Backup, subject);
        operation.face = plan.face;
        operation.created_by = plan.created_by;
        operation
    }

    /// One checkpoint; not found once all its backups are deleted.
    pub async fn checkpoint(&self, caller: &Caller, id: CheckpointId) -> Result<CheckpointView> {
        caller.require(Permission::Read)?;
        let mut read = self.read().await?;
        let tenant = caller.tenant_id;
        let found = read.checkpoint(tenant, id).await?;
        let checkpoint = found.ok_or_else(|| Error::not_found("checkpoint", id))?;
        let mut backups = backups_of(&mut read, tenant, id).await?;
        if backups.is_empty() {
            return Err(Error::not_found("checkpoint", id));
        }
        if let Some(vault) = read.vault(tenant, checkpoint.vault_id).await? {
            let place = |id: ResourceId| vault.resources.iter().position(|it| *it == id);
            backups.sort_by_key(|backup| place(backup.resource_id).unwrap_or(usize::MAX));
        }
        Ok(CheckpointView {
            checkpoint,
            backups,
        })
    }

    /// The operations about the backups of a checkpoint.
    pub async fn checkpoint_operations(
        &self,
        caller: &Caller,
        id: CheckpointId,
    ) -> Result<Vec<Operation>> {
        let view = self.checkpoint(caller, id).await?;
        let mut read = self.read().await?;
        let mut operations = Vec::new();
        for backup in view.backups {
            let subject = Subject::Backup(backup.id);
            operations.extend(read.operations_about(caller.tenant_id, subject).await?);
        }
        Ok(operations)
    }
}

impl CheckpointPlan {
    fn origin(&self, vault: &Vault, checkpoint: &Checkpoint) -> Origin {
        Origin {
            id: None,
            name: self.name.clone(),
            description: self.description.clone(),
            vault_id: Some(vault.id),
            checkpoint_id: Some(checkpoint.id),
            policy_id: self.policy_id,
            scheduled: self.automatic,
            scheduled_for: self.scheduled_for,
            created_by: self.created_by,
            expires_at: self.expires_at,
            labels: Vec::new(),
            annotations: self.annotations.clone(),
        }
    }
}

/// The living resources to back up, in the vault's order, and those that cannot be.
async fn choose(
    conn: &mut Conn,
    vault: &Vault,
    asked: Option<&[String]>,
) -> Result<(Vec<Resource>, Vec<SkippedResource>)> {
    let all: Vec<_> = vault.resources.iter().map(ToString::to_string).collect();
    let (mut chosen, mut skipped) = (Vec::<Resource>::new(), Vec::new());
    for text in asked.unwrap_or(&all) {
        let member = text
            .parse::<ResourceId>()
            .ok()
            .filter(|id| vault.resources.contains(id));
        let resource = match member {
            Some(id) => conn.resource(vault.tenant_id, id).await?,
            None => None,
        };
        let reason = match &resource {
            None => format!("it is not in vault `{}`", vault.name),
            Some(resource) if resource.deleted_at.is_some() => "it was removed".to_owned(),
            Some(resource) if chosen.iter().any(|it| it.id == resource.id) => continue,
            Some(_) => String::new(),
        };
        match resource {
            Some(resource) if reason.is_empty() => chosen.push(resource),
            _ => skipped.push(SkippedResource {
                id: text.clone(),
                reason,
            }),
        }
    }
    chosen.sort_by_key(|it| vault.resources.iter().position(|id| *id == it.id));
    Ok((chosen, skipped))
}

async fn check_quota(conn: &mut Conn, vault: &Vault) -> Result<()> {
    let used = usage(conn, vault.clone()).await?.used_bytes;
    if used < vault.quota_bytes {
        return Ok(());
    }
    let (name, quota) = (&vault.name, vault.quota_bytes);
    let message = format!("vault `{name}` uses {used} of its {quota} bytes");
    Err(Error::conflict(
        ConflictKind::QuotaExceeded,
        "vault",
        message,
    ))
}

async fn backups_of(conn: &mut Conn, tenant: TenantId, id: CheckpointId) -> Result<Vec<Backup>> {
    let filter = Filter::eq(BackupField::CheckpointId, id.uuid());
    Ok(conn
        .list_backups(tenant, &filter, &[], &Page::ALL)
        .await?
        .items)
}
