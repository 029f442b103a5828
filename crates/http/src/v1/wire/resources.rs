//! Resources on the wire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{Face, ResourceId, ResourceKind};
use utoipa::{IntoParams, ToSchema};

use super::{Annotations, Label, Limit, schema};

/// What a source needs to know, as `key: value` texts.
pub type Settings = BTreeMap<String, String>;

/// Something that can be backed up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ResourceId,
    /// Unique among the tenant's living resources.
    pub name: String,
    /// What kind it is.
    #[schema(value_type = schema::ResourceKind)]
    pub kind: ResourceKind,
    /// The vendor API that shows it too.
    #[schema(value_type = Option<schema::Face>)]
    pub face: Option<Face>,
    /// What its source knows; secrets are shown as `…`.
    pub settings: Settings,
    /// Size of what is protected in bytes, when last seen.
    pub size_bytes: Option<u64>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was removed; its backups may outlive it.
    pub deleted_at: Option<Timestamp>,
    /// Counts changes; the `ETag` in quotes.
    pub version: i64,
}

/// A resource to register.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateResource {
    /// Unique among the tenant's living resources.
    pub name: String,
    /// What kind it is.
    #[schema(value_type = schema::ResourceKind)]
    pub kind: ResourceKind,
    /// What its source needs to know.
    #[serde(default)]
    pub settings: Settings,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

/// A change of a resource.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateResource {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// All its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub annotations: Option<Annotations>,
}

/// Which resources.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListResources {
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
    /// Shown by this vendor API.
    #[param(value_type = Option<schema::Face>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face: Option<Face>,
    /// Of this kind.
    #[param(value_type = Option<schema::ResourceKind>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ResourceKind>,
    /// With exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Also those that were removed.
    pub include_deleted: bool,
}

/// Where to look for resources.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DiscoverQuery {
    /// Only this kind.
    #[param(value_type = Option<schema::ResourceKind>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ResourceKind>,
}

/// Something found that could be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Discovered {
    /// What kind it is.
    #[schema(value_type = schema::ResourceKind)]
    pub kind: ResourceKind,
    /// A name to suggest.
    pub name: String,
    /// The settings to register it with.
    pub settings: Settings,
    /// Its size in bytes, if known.
    pub size_bytes: Option<u64>,
}
