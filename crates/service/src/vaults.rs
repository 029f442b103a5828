//! Vaults and checkpoints.

use strongroom_domain::{
    Annotations, Backup, CheckpointId, Label, PolicyId, RepositoryId, ResourceId, VaultId,
    operation::Operation,
    vault::{Checkpoint, Vault},
};

use crate::{Caller, Result, Service};

/// A vault to create.
#[derive(Debug, Clone)]
pub struct CreateVault {
    /// Its name.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where its backups are kept; the tenant's default if nothing.
    pub repository_id: Option<RepositoryId>,
    /// The resources in it.
    pub resources: Vec<ResourceId>,
    /// The policy that runs it.
    pub policy_id: Option<PolicyId>,
    /// Bytes that its backups may store.
    pub quota_bytes: u64,
    /// Write once from the start.
    pub locked: bool,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

/// What may be changed of a vault; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateVault {
    /// A new name.
    pub name: Option<String>,
    /// A new free text.
    pub description: Option<Option<String>>,
    /// A new quota.
    pub quota_bytes: Option<u64>,
    /// `Some(true)` locks it for good; unlocking is refused.
    pub locked: Option<bool>,
    /// Another policy, or none.
    pub policy_id: Option<Option<PolicyId>>,
    /// All labels.
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

/// A vault with what can be counted of it.
#[derive(Debug, Clone)]
pub struct VaultUsage {
    /// The vault.
    pub vault: Vault,
    /// Bytes that its backups added to the repository.
    pub used_bytes: u64,
    /// Per resource in it, in the vault's order: number of backups and the bytes they added.
    pub per_resource: Vec<(ResourceId, u64, u64)>,
}

/// A checkpoint to make.
#[derive(Debug, Clone)]
pub struct RequestCheckpoint {
    /// Of which vault.
    pub vault_id: VaultId,
    /// Which of its resources, as the client wrote the ids; nothing means all.
    pub resources: Option<Vec<String>>,
    /// The name of the checkpoint's backups; chosen by us if nothing.
    pub name: Option<String>,
    /// A free text.
    pub description: Option<String>,
    /// When its backups go, if fixed.
    pub expires_at: Option<jiff::Timestamp>,
    /// Counts as automatic (made by a policy's trigger).
    pub automatic: bool,
    /// The policy it counts for, if automatic.
    pub policy_id: Option<PolicyId>,
    /// Vendor attributes of the checkpoint and its backups.
    pub annotations: Annotations,
}

/// A checkpoint with its backups and their operations.
#[derive(Debug, Clone)]
pub struct CheckpointView {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Its backups that are not deleted, in the order of the vault's resources.
    pub backups: Vec<Backup>,
}

impl Service {
    /// Creates a vault.
    pub async fn create_vault(&self, caller: &Caller, request: CreateVault) -> Result<Vault> {
        todo!()
    }

    /// One vault with its usage.
    pub async fn vault(&self, caller: &Caller, id: VaultId) -> Result<VaultUsage> {
        todo!()
    }

    /// All vaults of the tenant with their usage, newest first.
    pub async fn list_vaults(&self, caller: &Caller) -> Result<Vec<VaultUsage>> {
        todo!()
    }

    /// Changes a vault.
    pub async fn update_vault(
        &self,
        caller: &Caller,
        id: VaultId,
        change: UpdateVault,
    ) -> Result<Vault> {
        todo!()
    }

    /// Puts resources into a vault. A resource is in at most one vault.
    pub async fn add_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: &[ResourceId],
    ) -> Result<Vault> {
        todo!()
    }

    /// Takes resources out of a vault and deletes their backups in it, as CBR does. Refused for a
    /// locked vault.
    pub async fn remove_vault_resources(
        &self,
        caller: &Caller,
        id: VaultId,
        resources: &[ResourceId],
    ) -> Result<Vault> {
        todo!()
    }

    /// Deletes a vault and its backups. Refused while it is locked and has automatic ones.
    pub async fn delete_vault(&self, caller: &Caller, id: VaultId) -> Result<()> {
        todo!()
    }

    /// Starts a backup of each resource asked for; those that cannot be are named as skipped.
    pub async fn request_checkpoint(
        &self,
        caller: &Caller,
        request: RequestCheckpoint,
    ) -> Result<CheckpointView> {
        todo!()
    }

    /// One checkpoint; not found once all its backups are deleted.
    pub async fn checkpoint(&self, caller: &Caller, id: CheckpointId) -> Result<CheckpointView> {
        todo!()
    }

    /// The operations about the backups of a checkpoint.
    pub async fn checkpoint_operations(
        &self,
        caller: &Caller,
        id: CheckpointId,
    ) -> Result<Vec<Operation>> {
        todo!()
    }
}
