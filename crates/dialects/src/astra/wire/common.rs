//! Parts that every Astra resource shares.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name and value attached to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    /// The label's name.
    pub name: String,
    /// The label's value.
    pub value: String,
}

/// What client and service say about a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// Labels, possibly none.
    pub labels: Vec<Label>,
    /// When it was made, `YYYY-MM-DDThh:mm:ssZ`.
    pub creation_timestamp: String,
    /// When it last changed, `YYYY-MM-DDThh:mm:ssZ`.
    pub modification_timestamp: String,
    /// The user who made it; the nil UUID if the system did.
    pub created_by: String,
}

/// More about a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StateDetail {
    /// A URI that names the kind of detail.
    #[serde(rename = "type")]
    pub kind: String,
    /// 1 to 40 characters.
    pub title: String,
    /// 1 to 511 characters.
    pub detail: String,
}
