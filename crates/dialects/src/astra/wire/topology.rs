//! cloud 1.1, cluster and managedCluster 1.7, namespace 1.2.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Label, Metadata, StateDetail};

/// A cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cloud {
    /// `application/astra-cloud`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// `1.1`.
    pub version: &'static str,
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `running`.
    pub state: &'static str,
    /// Why it does not run.
    pub state_unready: Vec<String>,
    /// `private`.
    pub cloud_type: &'static str,
    /// Where backups go when a request names no bucket.
    #[serde(rename = "defaultBucketID", skip_serializing_if = "Option::is_none")]
    pub default_bucket_id: Option<String>,
    /// Labels and times.
    pub metadata: Metadata,
}

/// A cluster, as itself and as a managed cluster: the two differ in `type` only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    /// `application/astra-cluster` or `application/astra-managedCluster`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// `1.7`.
    pub version: &'static str,
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `running`.
    pub state: &'static str,
    /// Why it does not run.
    pub state_unready: Vec<String>,
    /// `managed`.
    pub managed_state: &'static str,
    /// More about the managed state.
    pub managed_state_details: Vec<StateDetail>,
    /// Why it is not managed.
    pub managed_state_unready: Vec<String>,
    /// Since when it is managed.
    pub managed_timestamp: String,
    /// `full`.
    pub protection_state: &'static str,
    /// More about the protection.
    pub protection_state_details: Vec<StateDetail>,
    /// `false`: nothing is restored into a cluster through this API yet.
    pub restore_target_supported: &'static str,
    /// `false`: no snapshots are kept in the cluster.
    pub snapshot_supported: &'static str,
    /// `true` if an application runs in it.
    pub in_use: &'static str,
    /// `kubernetes`.
    pub cluster_type: &'static str,
    /// The version of what runs there, `unknown` until it was asked.
    pub cluster_version: String,
    /// The same for people.
    pub cluster_version_string: String,
    /// The namespaces of its applications.
    pub namespaces: Vec<String>,
    /// The cloud it is in.
    #[serde(rename = "cloudID")]
    pub cloud_id: String,
    /// `false`.
    pub is_multizonal: &'static str,
    /// Where backups of its applications go by default.
    #[serde(rename = "defaultBucketID", skip_serializing_if = "Option::is_none")]
    pub default_bucket_id: Option<String>,
    /// Labels and times.
    pub metadata: Metadata,
}

/// A namespace of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Namespace {
    /// `application/astra-namespace`.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// `1.2`.
    pub version: &'static str,
    /// UUID.
    pub id: String,
    /// Links to related resources; none.
    #[schema(value_type = Vec<Object>)]
    pub links: [(); 0],
    /// Its name.
    pub name: String,
    /// `discovered`.
    pub namespace_state: &'static str,
    /// More about the state.
    pub namespace_state_details: Vec<StateDetail>,
    /// The labels it has in Kubernetes, as far as known.
    pub kubernetes_labels: Vec<Label>,
    /// The UID it has in Kubernetes, empty until the cluster was asked.
    #[serde(rename = "kubernetesUID")]
    pub kubernetes_uid: String,
    /// The cluster it is in.
    #[serde(rename = "clusterID")]
    pub cluster_id: String,
    /// Labels and times.
    pub metadata: Metadata,
}
