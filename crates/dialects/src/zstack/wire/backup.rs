//! Database backups.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A database backup, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatabaseBackup {
    /// 32 lower-case hex digits.
    #[schema(example = "742a7c7d4a4f3a01b206632a40ac414f")]
    pub(crate) uuid: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Always `Enabled`.
    pub(crate) state: &'static str,
    /// `Creating`, `Ready`, `Failed`, `Deleted` or `Unknown`.
    pub(crate) status: &'static str,
    /// Bytes backed up; 0 until that is known.
    pub(crate) size: u64,
    /// A JSON text about what was backed up.
    pub(crate) metadata: String,
    #[schema(example = "Nov 14, 2017 10:20:57 PM")]
    pub(crate) create_date: String,
    #[schema(example = "Nov 14, 2017 10:20:57 PM")]
    pub(crate) last_op_date: String,
    /// Where it is kept.
    pub(crate) backup_storage_refs: Vec<DatabaseBackupStorageRef>,
}

impl DatabaseBackup {
    /// The members that a client may ask for by name.
    pub(crate) const MEMBERS: [&'static str; 10] = [
        "uuid",
        "name",
        "description",
        "state",
        "status",
        "size",
        "metadata",
        "createDate",
        "lastOpDate",
        "backupStorageRefs",
    ];
}

/// A copy of a database backup in a backup storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatabaseBackupStorageRef {
    pub(crate) database_backup_uuid: String,
    pub(crate) backup_storage_uuid: String,
    #[schema(example = "zstore://zsbak/742a7c7d4a4f3a01b206632a40ac414f")]
    pub(crate) install_path: String,
    /// As the backup's.
    pub(crate) status: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// The body of CreateDatabaseBackup.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct CreateDatabaseBackup {
    pub(crate) params: Option<CreateDatabaseBackupParams>,
}

/// What may be set of a new backup. Checked late: what is missing is reported by the job.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateDatabaseBackupParams {
    /// Mandatory; at most 255 characters.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// Mandatory; where the backup goes.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) backup_storage_uuid: Option<String>,
    /// The new backup's uuid, if the client chooses it.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) resource_uuid: Option<String>,
}
