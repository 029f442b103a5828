//! Events: the append-only audit record.

use jiff::Timestamp;

use crate::{EventId, PrincipalId, TenantId, operation::Subject};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// The tenant it happened in.
    pub tenant_id: TenantId,
    /// When.
    pub at: Timestamp,
    /// A dotted word, e.g. `backup.requested` or `backup.completed`.
    pub name: String,
    /// What it happened to.
    pub subject: Option<Subject>,
    /// Who did it; nobody if the system did.
    pub principal_id: Option<PrincipalId>,
    /// What else there is to say; never a secret.
    pub details: serde_json::Value,
}
