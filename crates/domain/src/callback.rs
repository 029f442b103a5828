//! Telling a client that its operation has ended, by calling a URL that it named.

use jiff::Timestamp;

use crate::{OperationId, TenantId};

/// A call that is due when its operation has ended. What is said is the face's to word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The operation; it has at most one.
    pub operation_id: OperationId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What is called.
    pub url: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this time.
    pub next_at: Timestamp,
}
