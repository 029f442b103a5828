//! Backups: a recovery point in a repository, and the steps of its life.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    BackupId, CheckpointId, Face, PolicyId, PrincipalId, RepositoryId, ResourceId, ResourceKind,
    TenantId, VaultId,
    annotations::{Annotations, Label},
    error::InvalidTransition,
    text_enum,
};

text_enum! {
    /// Where a backup is in its life.
    ///
    /// `pending → discovering → running → completed | partial | failed | cancelled`, then
    /// `completed | partial | failed | cancelled → deleting → deleted`. A finished backup is
    /// `removed` when its repository no longer has it, and `unknown` while the repository cannot
    /// be reached or after its deletion was given up.
    pub enum BackupState {
        /// Accepted; waits for a worker.
        Pending = "pending",
        /// The source is being looked at and prepared.
        Discovering = "discovering",
        /// Bytes are moving.
        Running = "running",
        /// All of it is in the repository and was read back.
        Completed = "completed",
        /// In the repository except for the entries that it names.
        Partial = "partial",
        /// Not in the repository; the reason stands beside it.
        Failed = "failed",
        /// Stopped on request; not in the repository.
        Cancelled = "cancelled",
        /// Being removed from the repository.
        Deleting = "deleting",
        /// Gone; kept as a record only.
        Deleted = "deleted",
        /// The repository no longer has it, though nobody here deleted it.
        Removed = "removed",
        /// The repository cannot be reached, or its deletion failed, so nobody can tell.
        Unknown = "unknown",
    }
}

impl BackupState {
    /// Whether work on it is still to come or going on.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Discovering | Self::Running)
    }

    /// Whether something can be restored from it.
    pub fn is_restorable(self) -> bool {
        matches!(self, Self::Completed | Self::Partial)
    }

    /// The states that may follow this one.
    pub fn next(self) -> &'static [Self] {
        use BackupState as S;
        match self {
            S::Pending => &[S::Discovering, S::Failed, S::Cancelled],
            // A worker that died leaves its backup mid-way; the next one starts it over.
            S::Discovering => &[S::Running, S::Failed, S::Cancelled, S::Pending],
            S::Running => &[
                S::Completed,
                S::Partial,
                S::Failed,
                S::Cancelled,
                S::Pending,
            ],
            S::Completed | S::Partial => &[S::Deleting, S::Removed, S::Unknown],
            S::Failed | S::Cancelled => &[S::Deleting],
            // Its repository may be found to have it again, e.g. once the right disk is mounted.
            S::Removed => &[S::Completed, S::Partial, S::Deleting],
            S::Unknown => &[S::Completed, S::Partial, S::Removed, S::Deleting],
            // A deletion that was given up: whether the repository still has it, the next check of
            // the repository finds out.
            S::Deleting => &[S::Deleted, S::Unknown],
            S::Deleted => &[],
        }
    }

    /// Checks that `wanted` may follow this state.
    pub fn to(self, wanted: Self) -> Result<Self, InvalidTransition> {
        if self.next().contains(&wanted) {
            Ok(wanted)
        } else {
            let (state, wanted) = (self.as_str(), wanted.as_str());
            Err(InvalidTransition {
                noun: "backup",
                state,
                wanted,
            })
        }
    }
}

text_enum! {
    /// What made a backup happen.
    pub enum Trigger {
        /// A person or program asked for it.
        Manual = "manual",
        /// A policy's schedule was due.
        Schedule = "schedule",
    }
}

/// An entry that could not be backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedEntry {
    /// Its path within the resource; bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// What was being done: `read`, `open`, `stat`, …
    pub phase: String,
    /// Why it failed.
    pub message: String,
}

/// How much of a backup is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupProgress {
    /// Source bytes read so far.
    pub bytes_done: u64,
    /// Source bytes to read, as far as known.
    pub bytes_total: Option<u64>,
    /// Entries finished so far.
    pub entries_done: u64,
}

impl BackupProgress {
    /// Whole percent done, 0 to 99 while it runs: only a finished backup is 100 %.
    pub fn percent(&self) -> Option<u8> {
        let total = self.bytes_total.filter(|total| *total > 0)?;
        let percent = u128::from(self.bytes_done) * 100 / u128::from(total);
        Some(u8::try_from(percent).unwrap_or(99).min(99))
    }
}

/// A recovery point, or an attempt at one.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What was backed up.
    pub resource_id: ResourceId,
    /// The resource's name at that time.
    pub resource_name: String,
    /// The resource's kind.
    pub kind: ResourceKind,
    /// The vendor API that shows it.
    pub face: Option<Face>,
    /// Where it is kept.
    pub repository_id: RepositoryId,
    /// The vault it was made in, if any.
    pub vault_id: Option<VaultId>,
    /// The checkpoint it belongs to, if any.
    pub checkpoint_id: Option<CheckpointId>,
    /// The policy that made it, if any.
    pub policy_id: Option<PolicyId>,
    /// The earlier backup of the same resource whose unchanged content it reuses.
    pub parent_id: Option<BackupId>,
    /// Its name.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where it is in its life.
    pub state: BackupState,
    /// What made it happen.
    pub trigger: Trigger,
    /// The occurrence of the policy's schedule that it stands for.
    pub scheduled_for: Option<Timestamp>,
    /// How much of it is done.
    pub progress: BackupProgress,
    /// Size of what was backed up in bytes, once known.
    pub source_bytes: Option<u64>,
    /// Bytes that it added to the repository, once known.
    pub stored_bytes: Option<u64>,
    /// Entries in it, once known.
    pub entries: Option<u64>,
    /// The engine's snapshot id (64 hex digits) once it is in the repository.
    pub snapshot: Option<String>,
    /// Why it failed, was cancelled or removed.
    pub reason: Option<String>,
    /// The entries missing from a partial backup, at most [`MAX_FAILED_ENTRIES`] of them.
    pub failed_entries: Vec<FailedEntry>,
    /// How many entries are missing in all.
    pub failed_entry_count: u64,
    /// Who asked for it; nobody if a schedule did.
    pub created_by: Option<PrincipalId>,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// When the source was read: the point in time it stands for.
    pub started_at: Option<Timestamp>,
    /// When it reached a final state.
    pub finished_at: Option<Timestamp>,
    /// When retention removes it, if that was fixed at creation.
    pub expires_at: Option<Timestamp>,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}

impl Backup {
    /// Whole percent done, as far as known; 100 once it is in the repository.
    pub fn percent(&self) -> Option<u8> {
        match self.snapshot {
            Some(_) => Some(100),
            None => self.progress.percent(),
        }
    }
}

/// How many failed entries a backup lists by name.
pub const MAX_FAILED_ENTRIES: usize = 1000;
