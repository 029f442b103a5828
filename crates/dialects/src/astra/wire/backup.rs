//! appBackup 1.0 to 1.2 and appSnap 1.3.

use serde::{Deserialize, Serialize};
use strongroom_http::extract::Object;
use utoipa::ToSchema;

use super::{Label, Metadata, StateDetail};

/// A backup of an application.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppBackup {
    /// `application/astra-appBackup`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// The version that its creator spoke.
    pub version: String,
    /// UUID.
    pub id: String,
    /// 1 to 63 characters, a DNS-1123 label if it was given here.
    pub name: String,
    /// Where it is kept.
    #[serde(rename = "bucketID")]
    pub bucket_id: String,
    /// The schedule that made it, if one did.
    #[serde(rename = "scheduleID", skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<String>,
    /// `pending`, `discovering`, `running`, `completed`, `failed`, `removed`, `unknown` or
    /// `deleting`.
    pub state: &'static str,
    /// Why it does not run, failed or was removed; each 1 to 127 characters.
    pub state_unready: Vec<String>,
    /// More about the state.
    pub state_details: Vec<StateDetail>,
    /// `success` or `failed`, once the hooks have run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_state: Option<&'static str>,
    /// Why a hook failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_state_details: Option<Vec<StateDetail>>,
    /// The point in time that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_creation_timestamp: Option<String>,
    /// Bytes in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// Bytes backed up so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_done: Option<u64>,
    /// 100 once it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_done: Option<u8>,
    /// Labels and times.
    pub metadata: Metadata,
}

/// A backup to make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateAppBackup {
    /// `application/astra-appBackup`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// `1.0`, `1.1` or `1.2`.
    pub version: String,
    /// A DNS-1123 label; chosen by the service if left out.
    pub name: Option<String>,
    /// Where it goes; the default bucket if left out.
    #[serde(rename = "bucketID")]
    pub bucket_id: Option<String>,
    /// The snapshot to make it from.
    #[serde(rename = "snapshotID")]
    pub snapshot_id: Option<String>,
    /// Labels; the rest of it is the service's to say.
    #[schema(value_type = Option<CreateMetadata>)]
    pub metadata: Option<Object<CreateMetadata>>,
}

/// The metadata that a client may send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateMetadata {
    /// Labels to keep.
    #[serde(default)]
    #[schema(value_type = Vec<Label>)]
    pub labels: Vec<Object<Label>>,
    /// Accepted and not used: the service tells the time.
    #[serde(default)]
    pub creation_timestamp: Option<String>,
    /// Accepted and not used.
    #[serde(default)]
    pub modification_timestamp: Option<String>,
    /// Accepted and not used: the service knows who asks.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Accepted and not used.
    #[serde(default)]
    pub modified_by: Option<String>,
}

/// A snapshot of an application. The service keeps none, so that this is only ever the item type
/// of an empty collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum AppSnap {}
