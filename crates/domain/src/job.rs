//! Jobs: execution, never shown as such. A job updates the [`Operation`](crate::operation) that
//! clients see.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BackupId, JobId, OperationId, PolicyId, RepositoryId, RestoreId, TenantId, text_enum};

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Work {
    /// Make this backup.
    RunBackup {
        /// The backup to make.
        backup: BackupId,
    },
    /// Carry out this restore.
    RunRestore {
        /// The restore to carry out.
        restore: RestoreId,
        /// The repository it is read from; the backup's own if nothing.
        #[serde(default)]
        from: Option<RepositoryId>,
        /// Back up what is about to be overwritten, once the restore is known to be possible.
        #[serde(default)]
        safety: bool,
        /// Carry it out even if its safety backup fails.
        #[serde(default)]
        safety_may_fail: bool,
    },
    /// Remove this backup from its repository.
    DeleteBackup {
        /// The backup to remove.
        backup: BackupId,
    },
    /// Copy this backup to another repository.
    CopyBackup {
        /// The backup to copy.
        backup: BackupId,
        /// The repository it is read from.
        from: RepositoryId,
        /// The repository it goes to.
        to: RepositoryId,
    },
    /// Remove those copies of this backup that are marked so.
    DeleteCopies {
        /// The backup, which stays.
        backup: BackupId,
    },
    /// Decide which backups of a policy have to go.
    ApplyRetention {
        /// The policy whose rules apply.
        policy: PolicyId,
    },
    /// Check a repository and a part of its data.
    VerifyRepository {
        /// The repository to check.
        repository: RepositoryId,
    },
    /// Compare a repository's snapshots with the catalog: take up what the catalog does not know,
    /// mark what is gone.
    ScanRepository {
        /// The repository to look at.
        repository: RepositoryId,
    },
    /// Free what no snapshot needs.
    PruneRepository {
        /// The repository to prune.
        repository: RepositoryId,
    },
}

text_enum! {
    /// Where a job is.
    pub enum JobState {
        /// Waits for a worker.
        Queued = "queued",
        /// A worker holds its lease.
        Leased = "leased",
        /// Done.
        Done = "done",
        /// Given up.
        Failed = "failed",
    }
}

impl Work {
    /// The kind of work, as it is stored and logged.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunBackup { .. } => "run_backup",
            Self::RunRestore { .. } => "run_restore",
            Self::DeleteBackup { .. } => "delete_backup",
            Self::CopyBackup { .. } => "copy_backup",
            Self::DeleteCopies { .. } => "delete_copies",
            Self::ApplyRetention { .. } => "apply_retention",
            Self::VerifyRepository { .. } => "verify_repository",
            Self::ScanRepository { .. } => "scan_repository",
            Self::PruneRepository { .. } => "prune_repository",
        }
    }

    /// The id of what the work is about.
    pub fn subject(&self) -> uuid::Uuid {
        match *self {
            Self::RunBackup { backup }
            | Self::DeleteBackup { backup }
            | Self::CopyBackup { backup, .. }
            | Self::DeleteCopies { backup } => backup.uuid(),
            Self::RunRestore { restore, .. } => restore.uuid(),
            Self::ApplyRetention { policy } => policy.uuid(),
            Self::VerifyRepository { repository }
            | Self::ScanRepository { repository }
            | Self::PruneRepository { repository } => repository.uuid(),
        }
    }
}

/// Something that leased jobs hold: one exclusively, or any number sharing it. For example a
/// backup holds its resource exclusively and shares its repository, which pruning wants for
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lock {
    /// What is held, e.g. `resource:<id>` or `repository:<id>`.
    pub key: String,
    /// Whether nobody else may hold it at the same time.
    pub exclusive: bool,
}

impl Lock {
    /// Nobody else may hold `key` at the same time.
    pub fn exclusive(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            exclusive: true,
        }
    }

    /// Others may share `key`.
    pub fn shared(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            exclusive: false,
        }
    }
}

/// A unit of work in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The tenant it is done for.
    pub tenant_id: TenantId,
    /// What there is to do.
    pub work: Work,
    /// What it needs for itself, or shares with others, while it is leased.
    pub locks: Vec<Lock>,
    /// Lower runs first.
    pub priority: i32,
    /// Where it is.
    pub state: JobState,
    /// Not before this time.
    pub run_at: Timestamp,
    /// How often it has been leased.
    pub attempts: u32,
    /// Rises with every lease; a worker whose number is not the row's has lost the job.
    pub fence: i64,
    /// Until when the present worker may go on without renewing.
    pub lease_until: Option<Timestamp>,
    /// Somebody asked to stop it.
    pub cancel_requested: bool,
    /// What the client sees of it.
    pub operation_id: Option<OperationId>,
    /// What the worker wrote down so that the next attempt can clean up or go on.
    pub checkpoint: Option<serde_json::Value>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// How often a job is tried before it is given up.
pub const MAX_ATTEMPTS: u32 = 5;

/// How long to wait before attempt number `attempts + 1`: 2 s, 8 s, 32 s, … at most ten minutes.
/// `jitter` in 0..=1 spreads retries over the last fifth of it.
pub fn backoff(attempts: u32, jitter: f64) -> Duration {
    let full = 2_f64 * 4_f64.powi(i32::try_from(attempts.clamp(1, 8)).unwrap_or(8) - 1);
    Duration::from_secs_f64(full.min(600.0) * (0.8 + 0.2 * jitter.clamp(0.0, 1.0)))
}
