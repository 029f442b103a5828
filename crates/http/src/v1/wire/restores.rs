//! Restores on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    BackupId, PrincipalId, ResourceId, RestoreId,
    restore::{ConflictPolicy, RestoreState},
};
use utoipa::ToSchema;

use super::{Annotations, FailedEntry, Operation, Progress, schema};

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
    /// Where it is in its life.
    #[schema(value_type = schema::RestoreState)]
    pub state: RestoreState,
    /// How much of it is done.
    pub progress: Progress,
    /// Why it failed or was cancelled.
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
