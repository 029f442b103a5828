//! Vaults: created, looked at, changed, deleted.

use strongroom_domain::{
    Annotations, PolicyId, TenantId, Trigger, VaultId,
    operation::{OperationKind, OperationState, Subject},
    principal::Permission,
    query::{BackupField, Filter},
    vault::Vault,
};
use strongroom_store::{Conn, Tx};

use super::{CreateVault, UpdateVault, VaultUsage, find_vault, members::check_members};
use crate::{
    Caller, ConflictKind, Error, Result, Service,
    policies::find_policy,
    repositories::choose_repository,
    validate::{Faults, check_version},
};

impl Service {
    /// Creates a vault.
    pub async fn create_vault(&self, caller: &Caller, request: CreateVault) -> Result<Vault> {
        caller.require(Permission::Write)?;
        let make = self.add_vault(caller, request);
        self.once(caller, make, |id| self.vault_alone(caller, id))
            .await
    }

    async fn add_vault(&self, caller: &Caller, request: CreateVault) -> Result<Vault> {
        let mut faults = Faults::default();
        faults.name("name", &request.name);
        faults.description(request.description.as_deref());
        faults.labels(&request.labels);
        check_quota(&mut faults, request.quota_bytes);
        faults.check()?;
        let now = self.now();
        let mut tx = self.begin().await?;
        let repository =
            choose_repository(&mut tx, caller.tenant_id, request.repository_id).await?;
        let mut vault = Vault {
            id: VaultId::from_uuid(self.uuid()),
            tenant_id: caller.tenant_id,
            name: request.name,
            description: request.description,
            repository_id: repository.id,
            resources: Vec::new(),
            policy_id: request.policy_id,
            quota_bytes: request.quota_bytes,
            locked: request.locked,
            labels: request.labels,
            annotations: request.annotations,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        check_policy(&mut tx, caller.tenant_id, vault.policy_id).await?;
        check_members(&mut tx, &vault, &request.resources).await?;
        vault.resources = request.resources;
        tx.insert_vault(&vault).await?;
        let subject = Some(Subject::Vault(vault.id));
        tx.insert_event(&self.event(caller, "vault.created", subject))
            .await?;
        self.remember(&mut tx, caller, &vault.id).await?;
        tx.commit().await?;
        self.changed();
        Ok(vault)
    }

    pub(super) async fn vault_alone(&self, caller: &Caller, id: VaultId) -> Result<Vault> {
        find_vault(&mut *self.read().await?, caller.tenant_id, id).await
    }

    /// One vault with its usage.
    pub async fn vault(&self, caller: &Caller, id: VaultId) -> Result<VaultUsage> {
        caller.require(Permission::Read)?;
        let mut read = self.read().await?;
        let vault = find_vault(&mut read, caller.tenant_id, id).await?;
        usage(&mut read, vault).await
    }

    /// All vaults of the tenant with their usage, newest first.
    pub async fn list_vaults(&self, caller: &Caller) -> Result<Vec<VaultUsage>> {
        caller.require(Permission::Read)?;
        let mut read = self.read().await?;
        let mut vaults = Vec::new();
        for vault in read.list_vaults(caller.tenant_id).await? {
            vaults.push(usage(&mut read, vault).await?);
        }
        Ok(vaults)
    }

    /// Changes a vault; `version` must be the one read, if given.
    pub async fn update_vault(
        &self,
        caller: &Caller,
        id: VaultId,
        version: Option<i64>,
        change: UpdateVault,
    ) -> Result<Vault> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let mut vault = find_vault(&mut tx, caller.tenant_id, id).await?;
        check_version("vault", &id, version, vault.version)?;
        apply(&mut vault, change)?;
        check_policy(&mut tx, caller.tenant_id, vault.policy_id).await?;
        vault.updated_at = self.now();
        tx.update_vault(&vault).await?;
        let subject = Some(Subject::Vault(id));
        tx.insert_event(&self.event(caller, "vault.changed", subject))
            .await?;
        tx.commit().await?;
        self.changed();
        vault.version += 1;
        Ok(vault)
    }

    /// Deletes a vault and its backups. Refused while it is locked and has automatic ones.
    /// `version` must be the one read, if given.
    pub async fn delete_vault(
        &self,
        caller: &Caller,
        id: VaultId,
        version: Option<i64>,
    ) -> Result<()> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let vault = find_vault(&mut tx, caller.tenant_id, id).await?;
        check_version("vault", &id, version, vault.version)?;
        let in_vault = Filter::eq(BackupField::VaultId, id.uuid());
        let automatic = Filter::eq(BackupField::Trigger, Trigger::Schedule.as_str());
        let automatic = in_vault.clone().and(automatic);
        if vault.locked && tx.count_backups(caller.tenant_id, &automatic).await? > 0 {
            let message = format!("vault `{}` is locked and has automatic backups", vault.name);
            return Err(Error::conflict(ConflictKind::Locked, "vault", message));
        }
        self.delete_matching(&mut tx, caller, &in_vault).await?;
        tx.delete_vault(&vault).await?;
        self.record_vault_change(&mut tx, caller, id, OperationKind::DeleteVault)
            .await?;
        tx.insert_event(&self.event(caller, "vault.deleted", Some(Subject::Vault(id))))
            .await?;
        tx.commit().await?;
        self.nudge();
        Ok(())
    }

    /// The record of a change that is done at once; the deletions that follow from it have
    /// records of their own.
    pub(super) async fn record_vault_change(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: VaultId,
        kind: OperationKind,
    ) -> Result<()> {
        let subject = Some(Subject::Vault(id));
        let mut operation = self.operation_of(caller, kind, subject, None, Annotations::default());
        operation.state = OperationState::Succeeded;
        operation.percent = 100;
        operation.started_at = Some(operation.created_at);
        operation.finished_at = Some(operation.created_at);
        Ok(tx.insert_operation(&operation).await?)
    }
}

fn apply(vault: &mut Vault, change: UpdateVault) -> Result<()> {
    let UpdateVault {
        name,
        description,
        quota_bytes,
        locked,
        policy_id,
        labels,
        annotations,
    } = change;
    if vault.locked && locked == Some(false) {
        let message = format!("vault `{}` is locked for good", vault.name);
        return Err(Error::conflict(ConflictKind::Locked, "vault", message));
    }
    vault.locked |= locked == Some(true);
    let mut faults = Faults::default();
    if let Some(name) = name {
        faults.name("name", &name);
        vault.name = name;
    }
    if let Some(description) = description {
        faults.description(description.as_deref());
        vault.description = description;
    }
    if let Some(quota) = quota_bytes {
        check_quota(&mut faults, quota);
        vault.quota_bytes = quota;
    }
    if let Some(labels) = labels {
        faults.labels(&labels);
        vault.labels = labels;
    }
    if let Some(policy_id) = policy_id {
        vault.policy_id = policy_id;
    }
    if let Some(annotations) = annotations {
        vault.annotations = annotations;
    }
    faults.check()
}

fn check_quota(faults: &mut Faults, quota: u64) {
    if quota == 0 {
        faults.add("quota_bytes", "must be more than 0");
    }
}

async fn check_policy(conn: &mut Conn, tenant: TenantId, id: Option<PolicyId>) -> Result<()> {
    match id {
        Some(id) => find_policy(conn, tenant, id).await.map(drop),
        None => Ok(()),
    }
}

/// Counts what the backups in a vault take up.
pub(super) async fn usage(conn: &mut Conn, vault: Vault) -> Result<VaultUsage> {
    let counted = conn.vault_usage(vault.tenant_id, vault.id).await?;
    let used_bytes = counted.iter().map(|it| it.stored_bytes).sum();
    let of = |id| counted.iter().find(|it| it.resource_id == id);
    let per_resource = vault.resources.iter().map(|&id| {
        let (backups, bytes) = of(id).map_or((0, 0), |it| (it.backups, it.stored_bytes));
        (id, backups, bytes)
    });
    let per_resource = per_resource.collect();
    Ok(VaultUsage {
        vault,
        used_bytes,
        per_resource,
    })
}
