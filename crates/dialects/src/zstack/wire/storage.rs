//! Backup storages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A backup storage, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupStorage {
    pub(crate) uuid: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) url: String,
    /// Bytes that it can hold; left out if not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_capacity: Option<u64>,
    /// Bytes still free in it; left out if not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available_capacity: Option<u64>,
    /// Always `ImageStoreBackupStorage`.
    pub(crate) r#type: &'static str,
    /// `Enabled` or `Disabled`.
    pub(crate) state: &'static str,
    /// `Connected` or `Disconnected`.
    pub(crate) status: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    /// Always empty: there are no zones.
    pub(crate) attached_zone_uuids: Vec<String>,
}

/// A backup storage, as listed among the image stores. How the vendor's server would reach it is
/// kept as a client gave it; one that was registered otherwise has nothing of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageStore {
    #[serde(flatten)]
    pub(crate) storage: BackupStorage,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ssh_port: Option<u16>,
}

/// The body of AddImageStoreBackupStorage.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddImageStore {
    pub(crate) params: Option<NewImageStore>,
    /// Clients put them here or into the parameters.
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) system_tags: Vec<String>,
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) user_tags: Vec<String>,
}

/// A storage to register.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewImageStore {
    /// Mandatory; kept, but a repository is reached at its URL.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) hostname: Option<String>,
    /// Mandatory; kept.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) username: Option<String>,
    /// Mandatory; the repository's password.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) password: Option<String>,
    /// 22 if not given; kept.
    #[serde(default, deserialize_with = "super::long")]
    pub(crate) ssh_port: Option<i64>,
    /// Mandatory; an absolute path on this server, or `s3:…`.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) url: Option<String>,
    /// Mandatory.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// Chosen by the client.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) resource_uuid: Option<String>,
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) system_tags: Vec<String>,
    #[serde(default, deserialize_with = "super::texts")]
    pub(crate) user_tags: Vec<String>,
}

// The derived form would print the password.
impl std::fmt::Debug for NewImageStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewImageStore")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What may be changed of a storage.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StorageChange {
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
}

/// What may be changed of an image store.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageStoreChange {
    #[serde(flatten)]
    pub(crate) storage: StorageChange,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) hostname: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) username: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) password: Option<String>,
    #[serde(default, deserialize_with = "super::long")]
    pub(crate) ssh_port: Option<i64>,
}

// The derived form would print the password.
impl std::fmt::Debug for ImageStoreChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageStoreChange")
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}

/// Whether a storage takes backups.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StorageState {
    /// `enable` or `disable`.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) state_event: Option<String>,
}

/// What several storages hold together, in bytes; those without a limit count with nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Capacities {
    pub(crate) total_capacity: u64,
    pub(crate) available_capacity: u64,
}

impl Capacities {
    /// With one more storage.
    pub(crate) fn add(self, storage: BackupStorage) -> Self {
        Self {
            total_capacity: self.total_capacity + storage.total_capacity.unwrap_or(0),
            available_capacity: self.available_capacity + storage.available_capacity.unwrap_or(0),
        }
    }
}
