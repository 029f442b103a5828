//! Resources that could be protected.

use serde::Serialize;
use utoipa::ToSchema;

use super::Vault;

/// `{"instance": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::InstanceEnvelope)]
pub(in crate::cbr) struct InstanceEnvelope {
    /// The resource.
    pub(in crate::cbr) instance: Instance,
}

/// A page of resources.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::InstanceList)]
pub(in crate::cbr) struct InstanceList {
    /// How many match in all.
    pub(in crate::cbr) count: u64,
    /// The page.
    pub(in crate::cbr) instances: Vec<Instance>,
}

/// A resource.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Instance)]
pub(in crate::cbr) struct Instance {
    /// Disks of a server.
    pub(in crate::cbr) children: Vec<serde_json::Value>,
    /// Nothing more is known.
    pub(in crate::cbr) detail: serde_json::Map<String, serde_json::Value>,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// Whether it can be put into a vault.
    pub(in crate::cbr) protectable: Protectable,
    /// Its size in GB; 0 while it is not known.
    pub(in crate::cbr) size: u64,
    /// `ACTIVE`.
    pub(in crate::cbr) status: &'static str,
    /// Its type.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// Whether a resource can be put into a vault.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Protectable)]
pub(in crate::cbr) struct Protectable {
    /// Why not, as a code.
    pub(in crate::cbr) code: Option<&'static str>,
    /// Why not.
    pub(in crate::cbr) message: Option<String>,
    /// Why not, in a word.
    pub(in crate::cbr) reason: Option<String>,
    /// Whether it can.
    pub(in crate::cbr) result: bool,
    /// The vault it is in.
    pub(in crate::cbr) vault: Option<Vault>,
}
