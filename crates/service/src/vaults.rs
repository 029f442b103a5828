//! Vaults and checkpoints.

pub(crate) mod checkpoints;
mod manage;
mod members;

use strongroom_domain::{
    Annotations, Backup, Label, PolicyId, RepositoryId, ResourceId, TenantId, VaultId,
    vault::{Checkpoint, Vault},
};
use strongroom_store::Conn;

use crate::{Error, Result};

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

/// The vault, unless it is another tenant's.
pub(crate) async fn find_vault(conn: &mut Conn, tenant: TenantId, id: VaultId) -> Result<Vault> {
    let found = conn.vault(tenant, id).await?;
    found.ok_or_else(|| Error::not_found("vault", id))
}
