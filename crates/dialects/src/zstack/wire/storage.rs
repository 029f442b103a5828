//! Backup storages.

use serde::Serialize;
use utoipa::ToSchema;

/// A backup storage, as listed. An image store's `hostname`, `username` and `sshPort` are left out,
/// because a repository is not reached that way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupStorage {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) url: String,
    /// Bytes that it can hold; left out if not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_capacity: Option<u64>,
    /// Bytes still free in it; left out if not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available_capacity: Option<u64>,
    /// Always `ImageStoreBackupStorage`.
    pub(crate) r#type: &'static str,
    /// Always `Enabled`.
    pub(crate) state: &'static str,
    /// `Connected` or `Disconnected`.
    pub(crate) status: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    /// Always empty: there are no zones.
    pub(crate) attached_zone_uuids: Vec<String>,
}

/// A backup storage, as listed among the image stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct ImageStore(pub(crate) BackupStorage);

impl BackupStorage {
    /// The members that a client may ask for by name.
    pub(crate) const MEMBERS: [&'static str; 12] = [
        "uuid",
        "name",
        "url",
        "description",
        "totalCapacity",
        "availableCapacity",
        "type",
        "state",
        "status",
        "createDate",
        "lastOpDate",
        "attachedZoneUuids",
    ];
}
