//! Operations on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Face, OperationId, PrincipalId,
    operation::{OperationKind, OperationState},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Annotations, Limit, Sorting, schema};

/// The record of long work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: OperationId,
    /// What kind of work it is.
    #[schema(value_type = schema::OperationKind)]
    pub kind: OperationKind,
    /// The face that its request came through; nothing for the native API and schedules.
    #[schema(value_type = Option<schema::Face>)]
    pub face: Option<Face>,
    /// What it is about.
    pub subject: Option<Subject>,
    /// Where it is.
    #[schema(value_type = schema::OperationState)]
    pub state: OperationState,
    /// Whole percent done.
    pub percent: u8,
    /// Why it failed.
    pub error: Option<OperationError>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// Who asked for it.
    #[schema(value_type = Option<Uuid>)]
    pub created_by: Option<PrincipalId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When work on it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationError {
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// What an operation or event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A backup.
    Backup(Uuid),
    /// A checkpoint.
    Checkpoint(Uuid),
    /// A restore.
    Restore(Uuid),
    /// A resource.
    Resource(Uuid),
    /// A repository.
    Repository(Uuid),
    /// A vault.
    Vault(Uuid),
    /// A policy.
    Policy(Uuid),
}

/// Which operations.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListOperations {
    /// At most this many items; 100 if nothing is given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Count all matching items too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<bool>,
    /// A field's name, with `-` before it for largest first; `-created_at` if nothing is given.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sorting>,
    /// Of one of these kinds.
    #[param(value_type = Vec<schema::OperationKind>)]
    pub kind: Vec<OperationKind>,
    /// In one of these states.
    #[param(value_type = Vec<schema::OperationState>)]
    pub state: Vec<OperationState>,
    /// About this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Uuid>,
}
