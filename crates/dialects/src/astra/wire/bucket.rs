//! bucket 1.2.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Metadata, StateDetail};

/// Where backups are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bucket {
    /// `application/astra-bucket`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// `1.2`.
    pub version: &'static str,
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The nil UUID: credentials of a repository are the server's configuration.
    #[serde(rename = "credentialID")]
    pub credential_id: String,
    /// `available` or `failed`.
    pub state: &'static str,
    /// Why it cannot be used.
    pub state_details: Vec<StateDetail>,
    /// 0: no write-once retention.
    pub retention_time: u64,
    /// `aws` or `generic-s3`.
    pub provider: &'static str,
    /// Where it is.
    pub bucket_parameters: BucketParameters,
    /// Labels and times.
    pub metadata: Metadata,
}

/// Exactly one provider's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct BucketParameters {
    /// An S3 bucket, or a directory shown as one with no server.
    pub s3: S3Parameters,
}

/// An S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct S3Parameters {
    /// The server, empty for a directory.
    #[serde(rename = "serverURL")]
    pub server_url: String,
    /// The bucket's name.
    pub bucket_name: String,
}
