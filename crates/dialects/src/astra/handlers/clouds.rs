//! clouds: one, which stands for this installation.

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
    wire::{Cloud, List},
};

/// A cloud in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct One {
    /// The cloud's id.
    #[param(value_type = String)]
    cloud_id: Uuid,
}

/// Lists the clouds.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clouds",
    tag = "clouds",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<Cloud>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<Cloud>> {
    let topology = topology(&service, &caller, Doing::ListingResources).await?;
    query.apply(vec![topology.cloud()])
}

/// Shows a cloud.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/clouds/{cloud_id}",
    tag = "clouds",
    params(("account_id" = String, Path), One),
    responses((status = 200, body = Cloud), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<One>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let topology = topology(&service, &caller, Doing::GettingResource).await?;
    let shown = one(vec![topology.cloud()], "cloud", path.0.cloud_id, |it| {
        &it.id
    })?;
    Ok(accept.resource(shown.media_type, &shown))
}
