//! Events on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{EventId, PrincipalId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Progress, Subject};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// A dotted word, e.g. `backup.completed`.
    pub name: String,
    /// What it happened to.
    pub subject: Option<Subject>,
    /// Who did it; nobody if the system did.
    #[schema(value_type = Option<Uuid>)]
    pub principal_id: Option<PrincipalId>,
    /// What else there is to say.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// How far a backup or restore is; the data of the stream's `backup` and `restore` messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActiveWork {
    /// The backup or restore.
    pub id: Uuid,
    /// Its state.
    pub state: String,
    /// How much of it is done.
    pub progress: Progress,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
