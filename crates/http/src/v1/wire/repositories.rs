//! Repositories on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{RepositoryId, repository::RepositoryState};
use utoipa::ToSchema;

use super::{Annotations, common::given, schema};

/// Where backups are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Repository {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: RepositoryId,
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where it is: an absolute path, `s3:…` or `memory:NAME`.
    pub url: String,
    /// Whether it takes new backups.
    pub enabled: bool,
    /// Where backups go when a request names no repository.
    pub is_default: bool,
    /// Whether it can be used.
    #[schema(value_type = schema::RepositoryState)]
    pub state: RepositoryState,
    /// Why it cannot, if so.
    pub reason: Option<String>,
    /// Bytes stored in it when last measured.
    pub stored_bytes: u64,
    /// Bytes that may be stored in it, if limited.
    pub capacity_bytes: Option<u64>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the `ETag` in quotes.
    pub version: i64,
}

/// A repository to register: an existing one if `password` opens it, else a new one.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRepository {
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it is: an absolute path, `s3:…` or `memory:NAME`.
    pub url: String,
    /// The restic password; a random one is made for a new repository if nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub password: Option<String>,
    /// Becomes the tenant's default.
    #[serde(default)]
    pub is_default: bool,
    /// Bytes that may be stored in it, if limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_bytes: Option<u64>,
    /// Vendor attributes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

impl std::fmt::Debug for CreateRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateRepository")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A change of a repository.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateRepository {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new free text.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// Whether it takes new backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Becomes the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    /// A new limit.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub capacity_bytes: Option<Option<u64>>,
    /// All vendor attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub annotations: Option<Annotations>,
}
