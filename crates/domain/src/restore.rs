//! Restores: one attempt to bring data back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    BackupId, PrincipalId, ResourceId, RestoreId, TenantId,
    annotations::Annotations,
    backup::{BackupProgress, FailedEntry},
    error::InvalidTransition,
    query::{Filter, RestoreField, Value},
    text_enum,
};

text_enum! {
    /// Where a restore is in its life.
    pub enum RestoreState {
        /// Accepted; waits for a worker.
        Pending = "pending",
        /// Bytes are moving.
        Running = "running",
        /// All of it was written.
        Completed = "completed",
        /// Written except for the entries that it names.
        Partial = "partial",
        /// Stopped by an error; the reason stands beside it.
        Failed = "failed",
        /// Stopped on request.
        Cancelled = "cancelled",
    }
}

impl RestoreState {
    /// Whether work on it is still to come or going on.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }

    /// The filter for those that have not ended.
    pub fn active() -> Filter<RestoreField> {
        let active = Self::ALL.iter().filter(|state| state.is_active());
        let active = active.map(|state| Value::from(state.as_str()));
        Filter::In(RestoreField::State, active.collect())
    }

    /// The states that may follow this one.
    pub fn next(self) -> &'static [Self] {
        use RestoreState as S;
        match self {
            S::Pending => &[S::Running, S::Failed, S::Cancelled],
            S::Running => &[
                S::Completed,
                S::Partial,
                S::Failed,
                S::Cancelled,
                S::Pending,
            ],
            S::Completed | S::Partial | S::Failed | S::Cancelled => &[],
        }
    }

    /// Checks that `wanted` may follow this state.
    pub fn to(self, wanted: Self) -> Result<Self, InvalidTransition> {
        if self.next().contains(&wanted) {
            Ok(wanted)
        } else {
            let (state, wanted) = (self.as_str(), wanted.as_str());
            Err(InvalidTransition {
                noun: "restore",
                state,
                wanted,
            })
        }
    }
}

/// Where a restore writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
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
        id: ResourceId,
    },
}

text_enum! {
    /// What happens to what is in the way.
    pub enum ConflictPolicy {
        /// It is replaced if it differs.
        Replace = "replace",
        /// It stays.
        Keep = "keep",
    }
}

/// One attempt to bring data back.
#[derive(Debug, Clone, PartialEq)]
pub struct Restore {
    /// Its id.
    pub id: RestoreId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What is restored.
    pub backup_id: BackupId,
    /// The resource it was a backup of.
    pub resource_id: ResourceId,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The paths to restore; empty means all.
    pub include: Vec<String>,
    /// What happens to what is in the way.
    pub conflict: ConflictPolicy,
    /// New names for databases, by their old ones.
    pub rename: BTreeMap<String, String>,
    /// A backup of what is about to be overwritten; the restore waits for it. Nothing
    /// before the restore is known to be possible.
    pub safety_backup_id: Option<BackupId>,
    /// Where it is in its life.
    pub state: RestoreState,
    /// How much of it is done.
    pub progress: BackupProgress,
    /// Why it failed or was cancelled, or what it left out on purpose.
    pub reason: Option<String>,
    /// The entries that could not be restored, at most
    /// [`MAX_FAILED_ENTRIES`](crate::backup::MAX_FAILED_ENTRIES) of them.
    pub failed_entries: Vec<FailedEntry>,
    /// How many could not be restored in all.
    pub failed_entry_count: u64,
    /// Who asked for it.
    pub created_by: Option<PrincipalId>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}

impl Restore {
    /// Whole percent done, as far as known; 100 once it has come to a good end.
    pub fn percent(&self) -> Option<u8> {
        match self.state {
            RestoreState::Completed | RestoreState::Partial => Some(100),
            _ => self.progress.percent(),
        }
    }
}
