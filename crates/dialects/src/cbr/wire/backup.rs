//! Backups.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A backup of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Backup)]
pub(in crate::cbr) struct Backup {
    /// The checkpoint it belongs to.
    pub(in crate::cbr) checkpoint_id: Option<String>,
    /// The disks' backups of a server's backup.
    #[schema(no_recursion)]
    pub(in crate::cbr) children: Vec<Backup>,
    /// When it was asked for: UTC, microseconds, no zone.
    pub(in crate::cbr) created_at: String,
    /// A free text.
    pub(in crate::cbr) description: Option<String>,
    /// Always `0`.
    pub(in crate::cbr) enterprise_project_id: &'static str,
    /// When it is removed, if that is fixed.
    pub(in crate::cbr) expired_at: Option<String>,
    /// What else is known.
    pub(in crate::cbr) extend_info: ExtendInfo,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// `backup`.
    pub(in crate::cbr) image_type: &'static str,
    /// Whether it reuses an earlier backup's content.
    pub(in crate::cbr) incremental: bool,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// The server's backup that a disk's belongs to.
    pub(in crate::cbr) parent_id: Option<String>,
    /// The project.
    pub(in crate::cbr) project_id: String,
    /// The point in time it stands for.
    pub(in crate::cbr) protected_at: Option<String>,
    /// Which kind of resource, as an id.
    pub(in crate::cbr) provider_id: &'static str,
    /// Its copies elsewhere.
    pub(in crate::cbr) replication_records: Vec<ReplicationRecord>,
    /// The availability zone.
    pub(in crate::cbr) resource_az: &'static str,
    /// The resource.
    pub(in crate::cbr) resource_id: String,
    /// The resource's name at that time.
    pub(in crate::cbr) resource_name: String,
    /// Its size in GB; 0 while it is not known.
    pub(in crate::cbr) resource_size: u64,
    /// `OS::Nova::Server`, `OS::Cinder::Volume` or `OS::Sfs::Turbo`.
    pub(in crate::cbr) resource_type: &'static str,
    /// The policy that made it.
    pub(in crate::cbr) scheduled_operation_id: Option<String>,
    /// `available`, `protecting`, `deleting`, `restoring`, `error` or `waiting_protect`.
    pub(in crate::cbr) status: &'static str,
    /// When it last changed.
    pub(in crate::cbr) updated_at: String,
    /// The vault it is in.
    pub(in crate::cbr) vault_id: Option<String>,
    /// 3.
    pub(in crate::cbr) version: u8,
}

/// What else is known of a backup.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::ExtendInfo)]
pub(in crate::cbr) struct ExtendInfo {
    /// How consistent applications in it are; nothing for a disk.
    pub(in crate::cbr) app_consistency: Option<AppConsistency>,
    /// `x86_64`, `aarch64`, ….
    pub(in crate::cbr) architecture: &'static str,
    /// Made by a policy.
    pub(in crate::cbr) auto_trigger: bool,
    /// Whether a system can boot from it.
    pub(in crate::cbr) bootable: Option<bool>,
    /// Whether a server's system disk is in it.
    pub(in crate::cbr) contain_system_disk: bool,
    /// Whether the disk itself was encrypted.
    pub(in crate::cbr) encrypted: bool,
    /// How.
    pub(in crate::cbr) encrypted_algorithm: Option<String>,
    /// In a dedicated cloud.
    pub(in crate::cbr) is_dec: bool,
    /// Kept in several zones.
    pub(in crate::cbr) is_multi_az: bool,
    /// Images made of it.
    pub(in crate::cbr) os_images_data: Option<Vec<serde_json::Value>>,
    /// Whole percent done of one that is being made, and 100 for a disk's.
    pub(in crate::cbr) progress: Option<u8>,
    /// The disk's snapshot.
    pub(in crate::cbr) snapshot_id: Option<String>,
    /// Whether it can be restored while it is in use.
    pub(in crate::cbr) support_lld: bool,
    /// `backup`.
    pub(in crate::cbr) supported_restore_mode: &'static str,
    /// Whether it is a system disk's.
    pub(in crate::cbr) system_disk: bool,
}

/// How consistent applications in a backup are.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::AppConsistency)]
pub(in crate::cbr) struct AppConsistency {
    /// `0`: not asked for.
    pub(in crate::cbr) app_consistency: &'static str,
    /// `0` or an error's code.
    pub(in crate::cbr) app_consistency_error_code: &'static str,
    /// What is missing from the backup, if anything.
    pub(in crate::cbr) app_consistency_error_message: String,
    /// `0`: not application-consistent.
    pub(in crate::cbr) app_consistency_status: &'static str,
}

/// A copy of a backup elsewhere. None is ever made by this server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::ReplicationRecord)]
pub(in crate::cbr) struct ReplicationRecord {
    /// Its id.
    pub(in crate::cbr) id: String,
}

/// `{"backup": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::BackupEnvelope)]
pub(in crate::cbr) struct BackupEnvelope {
    /// The backup.
    pub(in crate::cbr) backup: Backup,
}

/// A page of backups.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::BackupList)]
pub(in crate::cbr) struct BackupList {
    /// The page.
    pub(in crate::cbr) backups: Vec<Backup>,
    /// How many match in all.
    pub(in crate::cbr) count: u64,
    /// The page's limit.
    pub(in crate::cbr) limit: u64,
    /// How many were skipped.
    pub(in crate::cbr) offset: u64,
}

/// `{"backup": {"name": …}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::UpdateBackupRequest)]
pub(in crate::cbr) struct UpdateBackupRequest {
    /// The change.
    pub(in crate::cbr) backup: BackupUpdate,
}

/// What may be changed of a backup.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::BackupUpdate)]
pub(in crate::cbr) struct BackupUpdate {
    /// A new name, 1 to 64 characters.
    pub(in crate::cbr) name: String,
}

/// `{"restore": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::RestoreRequest)]
pub(in crate::cbr) struct RestoreRequest {
    /// The restore.
    pub(in crate::cbr) restore: BackupRestore,
}

/// Where a backup is restored to: the resource that it is of, or another of the same type.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = cbr::BackupRestore)]
pub(in crate::cbr) struct BackupRestore {
    /// The disks of a server's backup, each with a target.
    pub(in crate::cbr) mappings: Option<Vec<Mapping>>,
    /// Whether the server is started afterwards; nothing here is ever stopped.
    #[expect(dead_code, reason = "accepted and ignored")]
    pub(in crate::cbr) power_on: Option<bool>,
    /// The target server.
    pub(in crate::cbr) server_id: Option<String>,
    /// The target disk.
    pub(in crate::cbr) volume_id: Option<String>,
    /// Any target.
    pub(in crate::cbr) resource_id: Option<String>,
    /// Where inside the target.
    pub(in crate::cbr) details: Option<RestoreDetails>,
}

/// A disk's backup and the disk it is restored to.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::RestoreMapping)]
pub(in crate::cbr) struct Mapping {
    /// The backup.
    pub(in crate::cbr) backup_id: String,
    /// The disk.
    #[expect(dead_code, reason = "accepted and ignored")]
    pub(in crate::cbr) volume_id: String,
}

/// Where inside the target.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::RestoreDetails)]
pub(in crate::cbr) struct RestoreDetails {
    /// A directory, 1 to 255 characters.
    #[expect(dead_code, reason = "refused as a whole")]
    pub(in crate::cbr) destination_path: String,
}

/// The restore was started.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::RestoreAccepted)]
pub(in crate::cbr) struct RestoreAccepted {
    /// The operation log to poll.
    pub(in crate::cbr) job_id: String,
}
