//! Applications.

use strongroom_domain::{Resource, resource::Settings};

use super::{cluster_of, metadata};
use crate::astra::wire;

/// A resource as the application that Astra shows.
pub(in super::super) fn app(resource: &Resource, protected: bool) -> wire::App {
    let Resource {
        id,
        tenant_id: _,
        kind: _,
        face: _,
        name,
        settings,
        size_bytes: _,
        labels,
        annotations: _,
        created_at,
        updated_at,
        deleted_at: _,
        version: _,
    } = resource;
    let cluster = cluster_of(resource);
    let namespaces = namespaces(settings);
    let selectors: Vec<String> = settings
        .get("selector")
        .map(str::to_owned)
        .into_iter()
        .collect();
    let scoped = |namespace: &String| wire::NamespaceScopedResource {
        namespace: namespace.clone(),
        label_selectors: selectors.clone(),
    };
    wire::App {
        media_type: "application/astra-app",
        version: "2.2",
        id: id.to_string(),
        links: [],
        name: name.clone(),
        namespace_scoped_resources: namespaces.iter().map(scoped).collect(),
        state: "ready",
        state_details: Vec::new(),
        protection_state: if protected { "protected" } else { "none" },
        protection_state_details: Vec::new(),
        namespaces,
        cluster_name: cluster.name,
        cluster_id: cluster.id.to_string(),
        cluster_type: "kubernetes",
        metadata: metadata(labels, *created_at, *updated_at, None),
    }
}

/// The namespaces that a resource's settings name, separated by commas.
pub(super) fn namespaces(settings: &Settings) -> Vec<String> {
    let listed = settings
        .get("namespaces")
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    listed
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
