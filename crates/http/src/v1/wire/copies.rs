//! Copies and exports of backups on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{BackupState, RepositoryId};
use utoipa::ToSchema;

use super::schema;

/// A backup in a further repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Copy {
    /// Where it is.
    #[schema(value_type = Uuid)]
    pub repository_id: RepositoryId,
    /// Where it is in its life: `running` while it is made.
    #[schema(value_type = schema::BackupState)]
    pub state: BackupState,
    /// Why it is not as it should be.
    pub reason: Option<String>,
    /// The snapshot's id in that repository, for use with restic.
    pub snapshot: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A copy to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCopy {
    /// Where it goes.
    #[schema(value_type = Uuid)]
    pub repository_id: RepositoryId,
    /// Where it is read from; the backup's own repository if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub from_repository_id: Option<RepositoryId>,
}

/// Leave to download a backup as one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// Where it is read from.
    #[schema(value_type = Uuid)]
    pub repository_id: RepositoryId,
    /// What the file is called.
    pub file_name: String,
    /// Where to download it. Whoever knows this needs no credential.
    pub url: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An export to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateExport {
    /// Where it is read from; the backup's own repository if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<RepositoryId>,
}
