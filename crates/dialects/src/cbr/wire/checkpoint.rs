//! Checkpoints. Inside their resources all numbers are strings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ResourceRef;

/// `{"checkpoint": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::CreateCheckpointRequest)]
pub(in crate::cbr) struct CreateCheckpointRequest {
    /// What to back up.
    pub(in crate::cbr) checkpoint: CreateCheckpoint,
}

/// A checkpoint to make.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::CreateCheckpoint)]
pub(in crate::cbr) struct CreateCheckpoint {
    /// Of which vault.
    pub(in crate::cbr) vault_id: String,
    /// How.
    pub(in crate::cbr) parameters: Option<CheckpointParameters>,
}

/// How a checkpoint is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = cbr::CheckpointParameters)]
pub(in crate::cbr) struct CheckpointParameters {
    /// Counts as made by a policy.
    pub(in crate::cbr) auto_trigger: Option<bool>,
    /// A free text, at most 255 characters without `<` and `>`.
    pub(in crate::cbr) description: Option<String>,
    /// Every backup reuses what the one before it has; asking for a full one changes nothing.
    #[expect(dead_code, reason = "accepted and ignored")]
    pub(in crate::cbr) incremental: Option<bool>,
    /// The name of its backups, 1 to 64 characters.
    pub(in crate::cbr) name: Option<String>,
    /// Which of the vault's resources; all if nothing.
    pub(in crate::cbr) resources: Option<Vec<String>>,
    /// The same, with types.
    pub(in crate::cbr) resource_details: Option<Vec<ResourceRef>>,
    /// Days until its backups go, 1 to 36500; -1 is never.
    pub(in crate::cbr) retention_duration_days: Option<i64>,
    /// The policy it counts for, if automatic.
    pub(in crate::cbr) policy_id: Option<String>,
}

/// `{"checkpoint": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::CheckpointEnvelope)]
pub(in crate::cbr) struct CheckpointEnvelope {
    /// The checkpoint.
    pub(in crate::cbr) checkpoint: Checkpoint,
}

/// The backups that one request on a vault made.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Checkpoint)]
pub(in crate::cbr) struct Checkpoint {
    /// When it was asked for.
    pub(in crate::cbr) created_at: String,
    /// What it was called.
    pub(in crate::cbr) extra_info: CheckpointExtra,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// The project.
    pub(in crate::cbr) project_id: String,
    /// `protecting`, `available`, `deleting` or `error`.
    pub(in crate::cbr) status: &'static str,
    /// What it was made of.
    pub(in crate::cbr) vault: CheckpointVault,
}

/// What a checkpoint was called.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::CheckpointExtra)]
pub(in crate::cbr) struct CheckpointExtra {
    /// The free text.
    pub(in crate::cbr) description: Option<String>,
    /// The name.
    pub(in crate::cbr) name: Option<String>,
    /// Days until it goes; -1 is never.
    pub(in crate::cbr) retention_duration: i64,
}

/// What a checkpoint was made of.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::CheckpointVault)]
pub(in crate::cbr) struct CheckpointVault {
    /// The vault.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// The resources backed up.
    pub(in crate::cbr) resources: Vec<CheckpointResource>,
    /// Those that were not.
    pub(in crate::cbr) skipped_resources: Vec<SkippedResource>,
}

/// A resource of a checkpoint.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::CheckpointResource)]
pub(in crate::cbr) struct CheckpointResource {
    /// `True`.
    pub(in crate::cbr) auto_protect: &'static str,
    /// How many backups of it the vault has.
    pub(in crate::cbr) backup_count: String,
    /// What they take up, in MB.
    pub(in crate::cbr) backup_size: String,
    /// `{}`.
    pub(in crate::cbr) extra_info: &'static str,
    /// The resource.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// `available`, `protecting`, `restoring`, `removing` or `error`.
    pub(in crate::cbr) protect_status: &'static str,
    /// Its size in GB.
    pub(in crate::cbr) resource_size: String,
    /// Its type.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// A resource that a checkpoint left out.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::SkippedResource)]
pub(in crate::cbr) struct SkippedResource {
    /// Why, as a code.
    pub(in crate::cbr) code: &'static str,
    /// The id as it was asked for.
    pub(in crate::cbr) id: String,
    /// Its name, if there is such a resource.
    pub(in crate::cbr) name: String,
    /// Why.
    pub(in crate::cbr) reason: String,
    /// Its type, if there is such a resource.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}
