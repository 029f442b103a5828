//! Copies of a backup in further repositories, and files that were made of a backup for download.

use jiff::Timestamp;

use crate::{BackupId, BackupState, CopyId, ExportId, RepositoryId, TenantId};

/// A backup in a repository other than the one that it was made in. Going with the backup, it is
/// deleted with it; deleted alone, it leaves no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupCopy {
    /// Its id, never shown: a copy is named by backup and repository.
    pub id: CopyId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What it is a copy of.
    pub backup_id: BackupId,
    /// Where it lies; a backup has at most one copy in a repository.
    pub repository_id: RepositoryId,
    /// Where it is in its life, in the words of a backup's: `running` while it is made.
    pub state: BackupState,
    /// The snapshot in its repository, once it is there.
    pub snapshot: Option<String>,
    /// Why it is not as it should be.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}

/// Leave to download a backup as one file, for whoever knows its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its id: random, and all that is needed to download.
    pub id: ExportId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What is downloaded.
    pub backup_id: BackupId,
    /// From where.
    pub repository_id: RepositoryId,
    /// What the file is called.
    pub file_name: String,
    /// When it was granted.
    pub created_at: Timestamp,
}
