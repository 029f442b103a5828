//! The cloud, clusters and namespaces that Astra's clients walk through to find applications.
//!
//! There is one cloud per tenant, which stands for this installation. In it is one cluster for
//! the server itself, where command resources run, and one for each Kubernetes cluster that a
//! registered application names. Their ids are derived from the tenant's, so that they stay the
//! same without being stored.

use std::collections::BTreeMap;

use strongroom_domain::{
    RepositoryId, Resource, ResourceKind, TenantId, repository::Repository, tenant::Tenant,
};
use uuid::Uuid;

use super::{app::namespaces, metadata};
use crate::astra::wire;

/// A cluster as applications refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ClusterRef {
    /// Derived from the tenant and what names the cluster.
    pub(in super::super) id: Uuid,
    /// The context's name, or this server's.
    pub(in super::super) name: String,
}

/// The cluster that an application runs in.
pub(in super::super) fn cluster_of(resource: &Resource) -> ClusterRef {
    let settings = &resource.settings;
    match resource.kind {
        ResourceKind::Kubernetes => {
            let context = settings.get("context").unwrap_or("default");
            let kubeconfig = settings.get("kubeconfig").unwrap_or_default();
            let id = derived(resource.tenant_id, &["cluster", kubeconfig, context]);
            ClusterRef {
                id,
                name: context.to_owned(),
            }
        }
        ResourceKind::Files
        | ResourceKind::Volume
        | ResourceKind::Server
        | ResourceKind::Mariadb
        | ResourceKind::Postgres
        | ResourceKind::Graph
        | ResourceKind::Command => this_server(resource.tenant_id),
    }
}

fn this_server(tenant: TenantId) -> ClusterRef {
    ClusterRef {
        id: derived(tenant, &["cluster"]),
        name: "strongroom".to_owned(),
    }
}

fn derived(tenant: TenantId, parts: &[&str]) -> Uuid {
    Uuid::new_v5(
        &tenant.uuid(),
        format!("astra\n{}", parts.join("\n")).as_bytes(),
    )
}

/// What a tenant's cloud, clusters and namespaces are derived from.
#[derive(Debug)]
pub(in super::super) struct Topology {
    /// The tenant.
    pub(in super::super) tenant: Tenant,
    /// Its living applications.
    pub(in super::super) apps: Vec<Resource>,
    /// Its repositories.
    pub(in super::super) repositories: Vec<Repository>,
}

impl Topology {
    /// The one cloud.
    pub(in super::super) fn cloud(&self) -> wire::Cloud {
        let Tenant {
            id,
            name,
            created_at,
        } = &self.tenant;
        wire::Cloud {
            media_type: "application/astra-cloud",
            version: "1.1",
            id: derived(*id, &["cloud"]).to_string(),
            name: super::bounded(name, 63),
            state: "running",
            state_unready: Vec::new(),
            cloud_type: "private",
            default_bucket_id: self.default_bucket(),
            metadata: metadata(&[], *created_at, *created_at, None),
        }
    }

    /// This server's cluster, then those that applications name, by name.
    pub(in super::super) fn clusters(&self, media_type: &'static str) -> Vec<wire::Cluster> {
        let mut members: BTreeMap<(bool, String, Uuid), Vec<&Resource>> = BTreeMap::new();
        let ClusterRef { id: own, name } = this_server(self.tenant.id);
        members.insert((false, name, own), Vec::new());
        for app in &self.apps {
            let ClusterRef { id, name } = cluster_of(app);
            members.entry((id != own, name, id)).or_default().push(app);
        }
        let cluster = |((other, name, id), apps): (_, Vec<_>)| {
            self.cluster(media_type, ClusterRef { id, name }, other, &apps)
        };
        members.into_iter().map(cluster).collect()
    }

    fn cluster(
        &self,
        media_type: &'static str,
        ClusterRef { id, name }: ClusterRef,
        other: bool,
        apps: &[&Resource],
    ) -> wire::Cluster {
        let version = if other {
            "unknown"
        } else {
            env!("CARGO_PKG_VERSION")
        };
        let first = apps
            .iter()
            .map(|app| app.created_at)
            .min()
            .filter(|_| other);
        let since = first.unwrap_or(self.tenant.created_at);
        let mut names: Vec<String> = apps
            .iter()
            .flat_map(|app| namespaces(&app.settings))
            .collect();
        names.sort();
        names.dedup();
        wire::Cluster {
            media_type,
            version: "1.7",
            id: id.to_string(),
            name,
            state: "running",
            state_unready: Vec::new(),
            managed_state: "managed",
            managed_state_details: Vec::new(),
            managed_state_unready: Vec::new(),
            managed_timestamp: super::time(since),
            protection_state: "full",
            protection_state_details: Vec::new(),
            restore_target_supported: "false",
            snapshot_supported: "false",
            in_use: if apps.is_empty() { "false" } else { "true" },
            cluster_type: "kubernetes",
            cluster_version: version.to_owned(),
            cluster_version_string: version.to_owned(),
            namespaces: names,
            cloud_id: self.cloud().id,
            is_multizonal: "false",
            default_bucket_id: self.default_bucket(),
            metadata: metadata(&[], since, since, None),
        }
    }

    /// The namespaces of all applications.
    pub(in super::super) fn namespaces(&self) -> Vec<wire::Namespace> {
        let mut first: BTreeMap<(Uuid, String), &Resource> = BTreeMap::new();
        for app in &self.apps {
            let cluster = cluster_of(app).id;
            for name in namespaces(&app.settings) {
                first.entry((cluster, name)).or_insert(app);
            }
        }
        let namespace = |((cluster, name), app): ((Uuid, String), &Resource)| wire::Namespace {
            media_type: "application/astra-namespace",
            version: "1.2",
            id: derived(app.tenant_id, &["namespace", &cluster.to_string(), &name]).to_string(),
            links: [],
            name,
            namespace_state: "discovered",
            namespace_state_details: Vec::new(),
            kubernetes_labels: Vec::new(),
            kubernetes_uid: String::new(),
            cluster_id: cluster.to_string(),
            metadata: metadata(&[], app.created_at, app.created_at, None),
        };
        first.into_iter().map(namespace).collect()
    }

    fn default_bucket(&self) -> Option<String> {
        let default = self.repositories.iter().find(|it| it.is_default);
        default.map(|Repository { id, .. }| RepositoryId::to_string(id))
    }
}
