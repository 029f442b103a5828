//! Things of a vendor's API that the core has no use for, kept so that a client reads back what it
//! wrote.

use jiff::Timestamp;

use crate::{Face, ObjectId, TenantId};

/// A thing that only one face knows, e.g. a trigger that no job is bound to yet, or a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceObject {
    /// Its id, as its face prints it.
    pub id: ObjectId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The face that knows it.
    pub face: Face,
    /// The face's word for what it is.
    pub kind: String,
    /// Everything else about it; the core never looks inside.
    pub body: serde_json::Value,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}
