//! Repositories: where backups are kept (Astra's bucket, CBR's vault storage, ZStack's backup
//! storage).

use jiff::Timestamp;

use crate::{RepositoryId, TenantId, annotations::Annotations, text_enum};

text_enum! {
    /// Whether a repository can be used.
    pub enum RepositoryState {
        /// It was opened the last time it was tried.
        Ready = "ready",
        /// It could not be opened the last time it was tried; the reason stands beside it.
        Unavailable = "unavailable",
    }
}

/// A restic repository that the server holds the master key of.
#[derive(Debug, Clone, PartialEq)]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where it is: an absolute path, `s3:…` or `memory:NAME`.
    pub url: String,
    /// Whether it takes new backups.
    pub enabled: bool,
    /// Where backups go when a request names no repository; one per tenant.
    pub is_default: bool,
    /// Whether it can be used.
    pub state: RepositoryState,
    /// Why it cannot, if so.
    pub reason: Option<String>,
    /// The master key sealed with the server's key.
    pub sealed_master_key: Vec<u8>,
    /// Bytes stored in it when last measured.
    pub stored_bytes: u64,
    /// Bytes that may be stored in it, if limited.
    pub capacity_bytes: Option<u64>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}
