//! Which resources are in a vault.

use strongroom_domain::{
    ResourceId, VaultId,
    operation::{OperationKind, Subject},
    principal::Permission,
    query::{BackupField, Filter, Value},
    vault::Vault,
};
use strongroom_store::Conn;

use super::find_vault;
use crate::{
    Caller, ConflictKind, Error, Result, Service, resources::living_resource,
    validate::check_version,
};

impl Service {
    /// Puts resources into a vault. A resource is in at most one vault. `version` must be the one
    /// read, if given.
    pub async fn add_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        version: Option<i64>,
        resources: &[ResourceId],
    ) -> Result<Vault> {
        caller.require(Permission::Write)?;
        let make = self.add_members(caller, id, version, resources);
        self.once(caller, make, |()| self.vault_alone(caller, id))
            .await
    }

    async fn add_members(
        &self,
        caller: &Caller,
        id: VaultId,
        version: Option<i64>,
        resources: &[ResourceId],
    ) -> Result<Vault> {
        let mut tx = self.begin().await?;
        let mut vault = find_vault(&mut tx, caller.tenant_id, id).await?;
        check_version("vault", &id, version, vault.version)?;
        check_members(&mut tx, &vault, resources).await?;
        vault.resources.extend_from_slice(resources);
        vault.updated_at = self.now();
        tx.update_vault(&vault).await?;
        let subject = Some(Subject::Vault(id));
        tx.insert_event(&self.event(caller, "vault.resources_added", subject))
            .await?;
        self.remember(&mut tx, caller, &()).await?;
        tx.commit().await?;
        self.changed();
        vault.version += 1;
        Ok(vault)
    }

    /// Takes resources out of a vault and deletes their backups in it, as CBR does. Refused for a
    /// locked vault. `version` must be the one read, if given.
    pub async fn remove_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        version: Option<i64>,
        resources: &[ResourceId],
    ) -> Result<Vault> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let mut vault = find_vault(&mut tx, caller.tenant_id, id).await?;
        check_version("vault", &id, version, vault.version)?;
        if vault.locked {
            let message = format!("vault `{}` is locked", vault.name);
            return Err(Error::conflict(ConflictKind::Locked, "vault", message));
        }
        if let Some(other) = resources.iter().find(|it| !vault.resources.contains(it)) {
            return Err(Error::not_found("resource", other));
        }
        let ids = resources.iter().map(|it| Value::Id(it.uuid())).collect();
        let theirs = Filter::eq(BackupField::VaultId, id.uuid())
            .and(Filter::In(BackupField::ResourceId, ids));
        self.delete_matching(&mut tx, caller, &theirs).await?;
        vault.resources.retain(|it| !resources.contains(it));
        vault.updated_at = self.now();
        tx.update_vault(&vault).await?;
        self.record_vault_change(&mut tx, caller, id, OperationKind::RemoveResources)
            .await?;
        let subject = Some(Subject::Vault(id));
        tx.insert_event(&self.event(caller, "vault.resources_removed", subject))
            .await?;
        tx.commit().await?;
        self.nudge();
        vault.version += 1;
        Ok(vault)
    }
}

/// Each must be a living resource that is in no vault yet.
pub(super) async fn check_members(
    conn: &mut Conn,
    vault: &Vault,
    resources: &[ResourceId],
) -> Result<()> {
    for (at, &id) in resources.iter().enumerate() {
        if resources[..at].contains(&id) {
            return Err(Error::invalid(format!("resources[{at}]"), "is named twice"));
        }
        let resource = living_resource(conn, vault.tenant_id, id).await?;
        if let Some(other) = conn.vault_of(vault.tenant_id, id).await? {
            let (name, other) = (resource.name, other.name);
            let message = format!("resource `{name}` is in vault `{other}` already");
            return Err(Error::conflict(
                ConflictKind::AlreadyMember,
                "resource",
                message,
            ));
        }
    }
    Ok(())
}
