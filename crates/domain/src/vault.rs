//! Vaults: CBR's grouping of resources with a quota and a policy; and the checkpoints made of
//! them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    CheckpointId, PolicyId, RepositoryId, ResourceId, TenantId, VaultId,
    annotations::{Annotations, Label},
};

/// A group of resources whose backups share a quota and a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Vault {
    /// Its id.
    pub id: VaultId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Its name; not unique in CBR.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where its backups are kept.
    pub repository_id: RepositoryId,
    /// The resources in it; a resource is in at most one vault.
    pub resources: Vec<ResourceId>,
    /// The policy that runs it.
    pub policy_id: Option<PolicyId>,
    /// Bytes that its backups may store.
    pub quota_bytes: u64,
    /// Write once: its automatic backups cannot be deleted by hand. Cannot be undone.
    pub locked: bool,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes: billing, bind rules, thresholds.
    pub annotations: Annotations,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}

/// A resource that a checkpoint left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedResource {
    /// The id as it was asked for.
    pub id: String,
    /// Why it was left out.
    pub reason: String,
}

/// The group of backups that one request on a vault made. Its state follows from theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The vault it was made of.
    pub vault_id: VaultId,
    /// Its name.
    pub name: Option<String>,
    /// A free text.
    pub description: Option<String>,
    /// What it left out.
    pub skipped: Vec<SkippedResource>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// When it was asked for.
    pub created_at: Timestamp,
}
