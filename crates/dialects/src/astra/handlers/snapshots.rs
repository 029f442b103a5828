//! appSnaps: the service keeps no snapshots at the source, so that the collection is empty and no
//! id in it is known. Clients list it before they make a backup.

use axum::extract::State;
use serde::Deserialize;
use strongroom_domain::ResourceId;
use strongroom_http::auth::permission::Read;
use strongroom_service::{Error as Core, Service};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Path, app};
use crate::astra::{
    auth::Auth,
    error::{Doing, During, Problems, Result},
    page::{ListParameters, ListQuery, NoQuery},
    wire::{AppSnap, List},
};

/// An application in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfApp {
    /// The application's id.
    #[param(value_type = String)]
    app_id: ResourceId,
}

/// A snapshot of an application in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfAppOne {
    /// The application's id.
    #[param(value_type = String)]
    app_id: ResourceId,
    /// The snapshot's id.
    #[serde(rename = "appSnap_id")]
    #[param(value_type = String)]
    id: Uuid,
}

/// Lists the snapshots of an application.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/k8s/v1/apps/{app_id}/appSnaps",
    tag = "appSnaps",
    params(("account_id" = String, Path), OfApp, ListParameters),
    responses((status = 200, body = List<AppSnap>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfApp>,
    query: ListQuery,
) -> Result<List<AppSnap>> {
    app(&service, &caller, path.0.app_id, Doing::ListingResources).await?;
    query.apply(Vec::new())
}

/// Shows a snapshot of an application.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/k8s/v1/apps/{app_id}/appSnaps/{appSnap_id}",
    tag = "appSnaps",
    params(("account_id" = String, Path), OfAppOne),
    responses((status = 200, body = AppSnap), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfAppOne>,
    _: NoQuery,
) -> Result<List<AppSnap>> {
    let OfAppOne { app_id, id } = path.0;
    app(&service, &caller, app_id, Doing::GettingResource).await?;
    Err(Core::not_found("snapshot", id)).during(Doing::GettingResource)
}
