//! namespaces: those that applications name.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use strongroom_http::auth::permission::Read;
use strongroom_service::Service;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Path, one, topology};
use crate::astra::{
    answer::Accept,
    auth::Auth,
    error::{Doing, Problems, Result},
    page::{ListParameters, ListQuery, NoQuery},
    wire::{List, Namespace},
};

/// A namespace in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct One {
    /// The namespace's id.
    #[param(value_type = String)]
    namespace_id: Uuid,
}

/// A cluster in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfCluster {
    /// The cluster's id.
    #[param(value_type = String)]
    cluster_id: Uuid,
}

/// Lists the namespaces.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/namespaces",
    tag = "namespaces",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<Namespace>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<Namespace>> {
    let topology = topology(&service, &caller, Doing::ListingResources).await?;
    query.apply(topology.namespaces())
}

/// Shows a namespace.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/namespaces/{namespace_id}",
    tag = "namespaces",
    params(("account_id" = String, Path), One),
    responses((status = 200, body = Namespace), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<One>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let topology = topology(&service, &caller, Doing::GettingResource).await?;
    let shown = one(
        topology.namespaces(),
        "namespace",
        path.0.namespace_id,
        |it| &it.id,
    )?;
    Ok(accept.resource(shown.media_type, &shown))
}

/// Lists the namespaces of a cluster.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clusters/{cluster_id}/namespaces",
    tag = "namespaces",
    params(("account_id" = String, Path), OfCluster, ListParameters),
    responses((status = 200, body = List<Namespace>), Problems)
)]
pub(in crate::astra) async fn list_of_cluster(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfCluster>,
    query: ListQuery,
) -> Result<List<Namespace>> {
    let topology = topology(&service, &caller, Doing::ListingResources).await?;
    let clusters = topology.clusters("application/astra-cluster");
    let cluster = one(clusters, "cluster", path.0.cluster_id, |it| &it.id)?;
    let mut namespaces = topology.namespaces();
    namespaces.retain(|it| it.cluster_id == cluster.id);
    query.apply(namespaces)
}
