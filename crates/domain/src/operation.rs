//! Operations: the client-visible record of long work (ZStack's api-job, GES's job, CBR's
//! operation log, Astra's task).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    BackupId, CheckpointId, Face, OperationId, PolicyId, PrincipalId, RepositoryId, ResourceId,
    RestoreId, TenantId, VaultId, annotations::Annotations, text_enum,
};

text_enum! {
    /// What kind of work it is.
    pub enum OperationKind {
        /// Makes a backup, or a checkpoint's group of them.
        Backup = "backup",
        /// Restores one.
        Restore = "restore",
        /// Deletes one.
        DeleteBackup = "delete_backup",
        /// Copies one to another repository.
        CopyBackup = "copy_backup",
        /// Removes copies of one.
        DeleteCopies = "delete_copies",
        /// Deletes a vault with its backups.
        DeleteVault = "delete_vault",
        /// Deletes the backups of resources taken out of a vault.
        RemoveResources = "remove_resources",
        /// Reads a repository over.
        Verify = "verify",
        /// Compares a repository's snapshots with the catalog.
        Scan = "scan",
        /// A request that a face answers late, e.g. one whose bad field is reported in the job.
        Request = "request",
    }
}

text_enum! {
    /// Where it is.
    pub enum OperationState {
        /// Waits.
        Pending = "pending",
        /// Goes on.
        Running = "running",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended badly; the error stands beside it.
        Failed = "failed",
        /// Stopped on request.
        Cancelled = "cancelled",
    }
}

impl OperationState {
    /// Whether it has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A backup.
    Backup(BackupId),
    /// A checkpoint.
    Checkpoint(CheckpointId),
    /// A restore.
    Restore(RestoreId),
    /// A resource.
    Resource(ResourceId),
    /// A repository.
    Repository(RepositoryId),
    /// A vault.
    Vault(VaultId),
    /// A policy.
    Policy(PolicyId),
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationError {
    /// A word for programs: the code of `service::Error` or a vendor's own.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// The record of long work that a client polls.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its id, chosen by us or, for ZStack, by the caller.
    pub id: OperationId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What kind of work it is.
    pub kind: OperationKind,
    /// The face that its request came through; nothing for the native API and schedules.
    pub face: Option<Face>,
    /// What it is about.
    pub subject: Option<Subject>,
    /// Where it is.
    pub state: OperationState,
    /// Whole percent done.
    pub percent: u8,
    /// Why it failed.
    pub error: Option<OperationError>,
    /// What a face needs to print it: names, vendor job types, a durable result.
    pub annotations: Annotations,
    /// Who asked for it.
    pub created_by: Option<PrincipalId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// When work on it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
