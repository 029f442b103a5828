//! Database backups.

use std::collections::BTreeMap;

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

/// The members of `metadata`, a JSON text. The vendor's command-line tool needs `name`, `version`
/// and `createdTime`; `kind` is ours.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupMetadata<'a> {
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    /// The version of the server that was backed up, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'a str>,
    pub(crate) created_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<&'static str>,
}

/// A copy of a database backup in a backup storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatabaseBackupStorageRef {
    pub(crate) database_backup_uuid: String,
    pub(crate) backup_storage_uuid: String,
    #[schema(example = "zstore://zsbak/742a7c7d4a4f3a01b206632a40ac414f")]
    pub(crate) install_path: String,
    /// Where it can be downloaded, if it is exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) export_url: Option<String>,
    /// As the backup's.
    pub(crate) status: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// The body of CreateDatabaseBackup.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateDatabaseBackup {
    pub(crate) params: Option<CreateDatabaseBackupParams>,
    /// Here or in the parameters.
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) system_tags: Vec<String>,
    /// Here or in the parameters.
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) user_tags: Vec<String>,
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
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) system_tags: Vec<String>,
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) user_tags: Vec<String>,
    /// The patterns of further tags; they must have no tokens.
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) tag_uuids: Vec<String>,
}

/// The body of RecoverDatabaseFromBackup.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoverDatabase {
    pub(crate) recover_database_from_backup: Option<Recovery>,
}

/// Which backup a database is recovered from: one by its uuid, or by storage and path.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recovery {
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) uuid: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) backup_storage_url: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) backup_install_path: Option<String>,
    /// Mandatory; the password of the database server's `root`.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) mysql_root_password: Option<String>,
}

// The derived form would print passwords.
impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery")
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

/// The body of SyncDatabaseBackupFromImageStoreBackupStorage.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CopyDatabaseBackup {
    pub(crate) sync_database_backup_from_image_store_backup_storage: Option<CopyPlaces>,
}

/// Where a backup is copied from and to.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CopyPlaces {
    /// Mandatory.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) src_backup_storage_uuid: Option<String>,
    /// Mandatory.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) dst_backup_storage_uuid: Option<String>,
}

/// The result of SyncDatabaseBackup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Synced {
    pub(crate) result: SyncResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    schema: Option<BTreeMap<&'static str, &'static str>>,
}

/// What a storage and the catalog did not agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncResult {
    /// Backups that the storage no longer has.
    pub(crate) deleted_backup_count: u64,
    /// Backups that the catalog did not know.
    pub(crate) new_backup_count: u64,
}

impl Synced {
    /// Reads what a scan wrote down.
    pub(crate) fn read(result: Option<&serde_json::Value>, with_schema: bool) -> Self {
        let number = |name: &str| result.and_then(|it| it.get(name)?.as_u64()).unwrap_or(0);
        let class = "org.zstack.header.storage.backup.SyncBackupResult";
        Self {
            result: SyncResult {
                deleted_backup_count: number("removed"),
                new_backup_count: number("new"),
            },
            schema: with_schema.then(|| [("result", class)].into()),
        }
    }
}

/// The result of ExportDatabaseBackupFromBackupStorage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exported {
    /// Where the backup can be downloaded, without a credential.
    pub(crate) database_backup_url: String,
}

/// The answer to GetDatabaseBackupFromImageStore.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stored {
    backups: Vec<DatabaseBackupStruct>,
    #[schema(value_type = Object)]
    schema: BTreeMap<String, &'static str>,
}

/// A database backup as it lies in a storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatabaseBackupStruct {
    pub(crate) name: String,
    /// The version of the server that was backed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    pub(crate) install_path: String,
    /// `singleDatabase` or `multiDatabase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) r#type: Option<&'static str>,
    pub(crate) size: u64,
    pub(crate) created_time: String,
}

impl Stored {
    pub(crate) fn new(backups: Vec<DatabaseBackupStruct>) -> Self {
        let class = "org.zstack.header.storage.database.backup.DatabaseBackupStruct";
        let paths = (0..backups.len()).map(|at| (format!("backups[{at}]"), class));
        Self {
            schema: paths.collect(),
            backups,
        }
    }
}
