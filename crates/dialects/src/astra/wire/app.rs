//! app 2.2.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Metadata, StateDetail};

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct App {
    /// `application/astra-app`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// `2.2`.
    pub version: &'static str,
    /// UUID.
    pub id: String,
    /// Links to related resources; none.
    #[schema(value_type = Vec<Object>)]
    pub links: [(); 0],
    /// Its name.
    pub name: String,
    /// The namespaces that belong to it.
    pub namespace_scoped_resources: Vec<NamespaceScopedResource>,
    /// `ready`: what is registered can be backed up.
    pub state: &'static str,
    /// More about the state.
    pub state_details: Vec<StateDetail>,
    /// `protected` if an enabled schedule covers it, else `none`.
    pub protection_state: &'static str,
    /// More about the protection.
    pub protection_state_details: Vec<StateDetail>,
    /// The names of its namespaces.
    pub namespaces: Vec<String>,
    /// The cluster it runs in.
    pub cluster_name: String,
    /// The cluster it runs in.
    #[serde(rename = "clusterID")]
    pub cluster_id: String,
    /// `kubernetes`.
    pub cluster_type: &'static str,
    /// Labels and times.
    pub metadata: Metadata,
}

/// A namespace of an application, or the part of it that its selectors choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamespaceScopedResource {
    /// The namespace's name.
    pub namespace: String,
    /// Kubernetes label selectors; none means the whole namespace.
    pub label_selectors: Vec<String>,
}
