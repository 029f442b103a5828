//! Restores on the wire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    BackupId, PrincipalId, RepositoryId, ResourceId, RestoreId,
    restore::{ConflictPolicy, RestoreState},
};
use utoipa::{IntoParams, ToSchema};

use super::{Annotations, FailedEntry, Limit, Operation, Progress, Sorting, schema};

/// One attempt to bring data back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Restore {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: RestoreId,
    /// What is restored.
    #[schema(value_type = Uuid)]
    pub backup_id: BackupId,
    /// The resource it was a backup of.
    #[schema(value_type = Uuid)]
    pub resource_id: ResourceId,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The paths to restore; empty means all.
    pub include: Vec<String>,
    /// What happens to what is in the way.
    #[schema(value_type = schema::ConflictPolicy)]
    pub conflict: ConflictPolicy,
    /// New names for databases, by their old ones.
    pub rename: BTreeMap<String, String>,
    /// A backup of what is about to be overwritten; the restore waits for it. Nothing
    /// before the restore is known to be possible.
    #[schema(value_type = Option<Uuid>)]
    pub safety_backup_id: Option<BackupId>,
    /// Where it is in its life.
    #[schema(value_type = schema::RestoreState)]
    pub state: RestoreState,
    /// How much of it is done.
    pub progress: Progress,
    /// Why it failed or was cancelled, or what it left out on purpose.
    pub reason: Option<String>,
    /// The entries that could not be restored, at most 1000 of them.
    pub failed_entries: Vec<FailedEntry>,
    /// How many could not be restored in all.
    pub failed_entry_count: u64,
    /// Who asked for it.
    #[schema(value_type = Option<Uuid>)]
    pub created_by: Option<PrincipalId>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// Counts changes; the `ETag` in quotes.
    pub version: i64,
}

/// Where a restore writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum RestoreTarget {
    /// Back to where it came from.
    Original,
    /// Into a directory of the server's machine.
    Directory {
        /// Absolute path.
        path: String,
    },
    /// Into another registered resource of the same kind.
    Resource {
        /// That resource.
        #[schema(value_type = Uuid)]
        id: ResourceId,
    },
}

/// A restore to carry out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRestore {
    /// What is restored.
    #[schema(value_type = Uuid)]
    pub backup_id: BackupId,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The paths to restore; empty means all.
    #[serde(default)]
    pub include: Vec<String>,
    /// What happens to what is in the way; replaced if nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ConflictPolicy>)]
    pub conflict: Option<ConflictPolicy>,
    /// New names for databases, by their old ones; for database servers only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, String>,
    /// The repository to read it from, if not the backup's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<RepositoryId>,
    /// Back up what is about to be overwritten first, and restore nothing if that fails. If this is
    /// left out, databases that are overwritten are backed up as far as they can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_backup: Option<bool>,
    /// Vendor attributes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

/// A restore that was accepted, and the operation that carries it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestoreAccepted {
    /// The restore.
    pub restore: Restore,
    /// The work on it.
    pub operation: Operation,
}

/// Which restores.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListRestores {
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
    #[param(value_type = Vec<schema::RestoreState>)]
    pub state: Vec<RestoreState>,
    /// Of this backup.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<BackupId>,
    /// Of backups of this resource.
    #[param(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<ResourceId>,
    /// Asked for at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<Timestamp>,
    /// Asked for before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
}
