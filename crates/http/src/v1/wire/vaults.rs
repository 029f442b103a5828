//! Vaults and checkpoints on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{CheckpointId, PolicyId, RepositoryId, ResourceId, VaultId};
use utoipa::ToSchema;

use super::{Annotations, Backup, Label, common::given};

/// A group of resources whose backups share a quota and a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Vault {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: VaultId,
    /// Its name.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where its backups are kept.
    #[schema(value_type = Uuid)]
    pub repository_id: RepositoryId,
    /// The resources in it.
    pub resources: Vec<VaultResource>,
    /// The policy that runs it.
    #[schema(value_type = Option<Uuid>)]
    pub policy_id: Option<PolicyId>,
    /// Bytes that its backups may store.
    pub quota_bytes: u64,
    /// Bytes that its backups added to the repository.
    pub used_bytes: u64,
    /// Write once: its automatic backups cannot be deleted by hand.
    pub locked: bool,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the `ETag` in quotes.
    pub version: i64,
}

/// A resource in a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VaultResource {
    /// The resource.
    #[schema(value_type = Uuid)]
    pub id: ResourceId,
    /// Its backups in the vault.
    pub backups: u64,
    /// Bytes that they added to the repository.
    pub stored_bytes: u64,
}

/// A vault to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateVault {
    /// Its name.
    pub name: String,
    /// A free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its backups are kept; the default repository if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<RepositoryId>,
    /// The resources in it.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>)]
    pub resource_ids: Vec<ResourceId>,
    /// The policy that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub policy_id: Option<PolicyId>,
    /// Bytes that its backups may store.
    pub quota_bytes: u64,
    /// Write once from the start.
    #[serde(default)]
    pub locked: bool,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

/// A change of a vault.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateVault {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new free text.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// A new quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<u64>,
    /// `true` locks it for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Another policy, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub policy_id: Option<Option<PolicyId>>,
    /// All its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub annotations: Option<Annotations>,
}

/// Resources to put into a vault.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultMembers {
    /// The resources.
    #[schema(value_type = Vec<Uuid>)]
    pub resource_ids: Vec<ResourceId>,
}

/// A checkpoint to make: a backup of each resource of a vault.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateCheckpoint {
    /// Only these resources of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    pub resource_ids: Option<Vec<ResourceId>>,
    /// The name of its backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When its backups go by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

/// The backups that one request on a vault made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: CheckpointId,
    /// The vault it was made of.
    #[schema(value_type = Uuid)]
    pub vault_id: VaultId,
    /// Its name.
    pub name: Option<String>,
    /// A free text.
    pub description: Option<String>,
    /// What it left out.
    pub skipped: Vec<Skipped>,
    /// Its backups that are not deleted.
    pub backups: Vec<Backup>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A resource that a checkpoint left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Skipped {
    /// The resource.
    pub id: String,
    /// Why it was left out.
    pub reason: String,
}
