//! clusters and managedClusters: this server, and the Kubernetes clusters that applications name.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use strongroom_http::auth::permission::Read;
use strongroom_service::{Caller, Service};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Path, one, topology};
use crate::astra::{
    answer::Accept,
    auth::Auth,
    error::{Doing, Problems, Result},
    page::{ListParameters, ListQuery, NoQuery},
    wire::{Cluster, List},
};

const CLUSTER: &str = "application/astra-cluster";
const MANAGED: &str = "application/astra-managedCluster";

/// A cloud in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfCloud {
    /// The cloud's id.
    #[param(value_type = String)]
    cloud_id: Uuid,
}

/// A cluster of a cloud in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfCloudOne {
    /// The cloud's id.
    #[param(value_type = String)]
    cloud_id: Uuid,
    /// The cluster's id.
    #[param(value_type = String)]
    cluster_id: Uuid,
}

/// A cluster in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct One {
    /// The cluster's id.
    #[param(value_type = String)]
    cluster_id: Uuid,
}

/// Lists the clusters of a cloud.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clouds/{cloud_id}/clusters",
    tag = "clusters",
    params(("account_id" = String, Path), OfCloud, ListParameters),
    responses((status = 200, body = List<Cluster>), Problems)
)]
pub(in crate::astra) async fn list_of_cloud(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfCloud>,
    query: ListQuery,
) -> Result<List<Cluster>> {
    query.apply(all(&service, &caller, Some(path.0.cloud_id), CLUSTER).await?)
}

/// Shows a cluster of a cloud.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clouds/{cloud_id}/clusters/{cluster_id}",
    tag = "clusters",
    params(("account_id" = String, Path), OfCloudOne),
    responses((status = 200, body = Cluster), Problems)
)]
pub(in crate::astra) async fn get_of_cloud(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfCloudOne>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let OfCloudOne {
        cloud_id,
        cluster_id,
    } = path.0;
    let all = all(&service, &caller, Some(cloud_id), CLUSTER).await?;
    Ok(accept.resource(CLUSTER, &one(all, "cluster", cluster_id, |it| &it.id)?))
}

/// Lists the clusters.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clusters",
    tag = "clusters",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<Cluster>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<Cluster>> {
    query.apply(all(&service, &caller, None, CLUSTER).await?)
}

/// Shows a cluster.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clusters/{cluster_id}",
    tag = "clusters",
    params(("account_id" = String, Path), One),
    responses((status = 200, body = Cluster), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<One>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let all = all(&service, &caller, None, CLUSTER).await?;
    Ok(accept.resource(
        CLUSTER,
        &one(all, "cluster", path.0.cluster_id, |it| &it.id)?,
    ))
}

/// Lists the managed clusters: all of them are.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/managedClusters",
    tag = "managedClusters",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<Cluster>), Problems)
)]
pub(in crate::astra) async fn list_managed(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<Cluster>> {
    query.apply(all(&service, &caller, None, MANAGED).await?)
}

/// Shows a managed cluster.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/managedClusters/{cluster_id}",
    tag = "managedClusters",
    params(("account_id" = String, Path), One),
    responses((status = 200, body = Cluster), Problems)
)]
pub(in crate::astra) async fn get_managed(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<One>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let all = all(&service, &caller, None, MANAGED).await?;
    Ok(accept.resource(
        MANAGED,
        &one(all, "cluster", path.0.cluster_id, |it| &it.id)?,
    ))
}

/// The clusters, of that cloud if one is named.
async fn all(
    service: &Service,
    caller: &Caller,
    cloud: Option<Uuid>,
    media_type: &'static str,
) -> Result<Vec<Cluster>> {
    let topology = topology(service, caller, Doing::ListingResources).await?;
    if let Some(cloud) = cloud {
        one(vec![topology.cloud()], "cloud", cloud, |it| &it.id)?;
    }
    Ok(topology.clusters(media_type))
}
