//! Resources that could be put into a vault.

use axum::extract::State;
use serde::Deserialize;
use strongroom_service::Service;

use super::{Path, Query};
use crate::cbr::{
    answer::Json,
    auth::Auth,
    error::{Errors, Result},
    look, map,
    page::ListInstances,
    wire,
};

/// A type in the path.
#[derive(Debug, Deserialize)]
pub(in crate::cbr) struct OfType {
    protectable_type: String,
}

/// A resource of a type in the path.
#[derive(Debug, Deserialize)]
pub(in crate::cbr) struct OneOfType {
    protectable_type: String,
    id: String,
}

/// Lists resources of a type.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/protectables/{protectable_type}/instances",
    tag = "protectables",
    params(("project_id" = String, Path), ("protectable_type" = String, Path), ListInstances),
    responses((status = 200, body = wire::InstanceList), Errors)
)]
pub(in crate::cbr) async fn list(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfType>,
    query: Query<ListInstances>,
) -> Result<Json<wire::InstanceList>> {
    let query = query.0;
    let window = query.window()?;
    let kind = map::instance_kind(&path.0.protectable_type)?;
    let all = look::instances(&service, &caller, kind).await?;
    let (count, rest) = map::instances_wanted(all, &query)?;
    let instances = window.cut(rest);
    Ok(Json(wire::InstanceList { count, instances }))
}

/// Shows a resource.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/protectables/{protectable_type}/instances/{id}",
    tag = "protectables",
    params(
        ("project_id" = String, Path),
        ("protectable_type" = String, Path),
        ("id" = String, Path)
    ),
    responses((status = 200, body = wire::InstanceEnvelope), Errors)
)]
pub(in crate::cbr) async fn show(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OneOfType>,
) -> Result<Json<wire::InstanceEnvelope>> {
    let OneOfType {
        protectable_type,
        id,
    } = path.0;
    let kind = map::instance_kind(&protectable_type)?;
    let all = look::instances(&service, &caller, kind).await?;
    let instance = map::instance_with_id(all, &id)?;
    Ok(Json(wire::InstanceEnvelope { instance }))
}
