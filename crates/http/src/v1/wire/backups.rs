//! Backups on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    BackupId, BackupState, CheckpointId, Face, PolicyId, PrincipalId, RepositoryId, ResourceId,
    ResourceKind, Trigger, VaultId,
};
use utoipa::{IntoParams, ToSchema};

use super::{Annotations, Label, Limit, Operation, Sorting, common::given, schema};

/// A recovery point, or an attempt at one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: BackupId,
    /// Its name.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// What was backed up.
    #[schema(value_type = Uuid)]
    pub resource_id: ResourceId,
    /// The resource's name at that time.
    pub resource_name: String,
    /// The resource's kind.
    #[schema(value_type = schema::ResourceKind)]
    pub kind: ResourceKind,
    /// The vendor API that shows it too.
    #[schema(value_type = Option<schema::Face>)]
    pub face: Option<Face>,
    /// Where it is kept.
    #[schema(value_type = Uuid)]
    pub repository_id: RepositoryId,
    /// The vault it was made in.
    #[schema(value_type = Option<Uuid>)]
    pub vault_id: Option<VaultId>,
    /// The checkpoint it belongs to.
    #[schema(value_type = Option<Uuid>)]
    pub checkpoint_id: Option<CheckpointId>,
    /// The policy that made it.
    #[schema(value_type = Option<Uuid>)]
    pub policy_id: Option<PolicyId>,
    /// The earlier backup whose unchanged content it reuses.
    #[schema(value_type = Option<Uuid>)]
    pub parent_id: Option<BackupId>,
    /// Where it is in its life.
    #[schema(value_type = schema::BackupState)]
    pub state: BackupState,
    /// Why it failed, was cancelled or removed.
    pub reason: Option<String>,
    /// What made it happen.
    #[schema(value_type = schema::Trigger)]
    pub trigger: Trigger,
    /// The occurrence of the policy's schedule that it stands for.
    pub scheduled_for: Option<Timestamp>,
    /// How much of it is done.
    pub progress: Progress,
    /// Size of what was backed up in bytes.
    pub source_bytes: Option<u64>,
    /// Bytes that it added to the repository.
    pub stored_bytes: Option<u64>,
    /// Entries in it.
    pub entries: Option<u64>,
    /// The snapshot's id in the repository, for use with restic.
    pub snapshot: Option<String>,
    /// The entries missing from it, at most 1000 of them.
    pub failed_entries: Vec<FailedEntry>,
    /// How many entries are missing in all.
    pub failed_entry_count: u64,
    /// Who asked for it; nobody if a schedule did.
    #[schema(value_type = Option<Uuid>)]
    pub created_by: Option<PrincipalId>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the source was read: the point in time it stands for.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// When it goes by itself.
    pub expires_at: Option<Timestamp>,
    /// Counts changes; the `ETag` in quotes.
    pub version: i64,
}

/// How much is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Bytes done.
    pub bytes_done: u64,
    /// Bytes to do, as far as known.
    pub bytes_total: Option<u64>,
    /// Entries finished.
    pub entries_done: u64,
    /// Whole percent, at most 99 until it is finished.
    pub percent: Option<u8>,
}

/// An entry that could not be backed up or restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedEntry {
    /// Its path; bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// What was being done: `read`, `open`, `stat`, …
    pub phase: String,
    /// Why it failed.
    pub message: String,
}

/// A backup to make now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBackup {
    /// Of what.
    #[schema(value_type = Uuid)]
    pub resource_id: ResourceId,
    /// Where it goes; the default repository if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<RepositoryId>,
    /// Its name; made from the resource's and the time if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it goes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

/// A change of a backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateBackup {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new free text.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// All its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub annotations: Option<Annotations>,
    /// When it goes by itself.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Timestamp>)]
    pub expires_at: Option<Option<Timestamp>>,
}

/// Which backups.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListBackups {
    /// At most this many items; 100 if nothing is given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Count all matching items too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<bool>,
    /// A field's name, with `-` before it for largest first; `-created_at` if nothing is given.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sorting>,
    /// In one of these states.
    #[param(value_type = Vec<schema::BackupState>)]
    pub state: Vec<BackupState>,
    /// Of one of these kinds.
    #[param(value_type = Vec<schema::ResourceKind>)]
    pub kind: Vec<ResourceKind>,
    /// Shown by this vendor API.
    #[param(value_type = Option<schema::Face>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    /// Made by hand or by a schedule.
    #[param(value_type = Option<schema::Trigger>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Of this resource.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<ResourceId>,
    /// In this repository.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<RepositoryId>,
    /// In this vault.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<VaultId>,
    /// Of this checkpoint.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_id: Option<CheckpointId>,
    /// Made by this policy.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<PolicyId>,
    /// With exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With this text in the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_contains: Option<String>,
    /// Asked for at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<Timestamp>,
    /// Asked for before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
}

/// A backup that was accepted, and the operation that makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BackupAccepted {
    /// The backup.
    pub backup: Backup,
    /// The work on it.
    pub operation: Operation,
}

/// Which directory of a backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// The directory; the root if nothing is given.
    pub path: String,
}

/// What is in a directory of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entries {
    /// The entries directly in it.
    pub items: Vec<Entry>,
}

/// A file or directory in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its path; bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// `file`, `directory`, `symlink`, …
    pub kind: String,
    /// Size of a file in bytes.
    pub size: u64,
    /// Unix permission bits.
    pub mode: u32,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// What a symlink points to.
    pub link_target: Option<String>,
}
