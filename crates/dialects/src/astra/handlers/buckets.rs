//! buckets: the tenant's repositories.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use strongroom_domain::RepositoryId;
use strongroom_http::auth::permission::Read;
use strongroom_service::Service;
use utoipa::IntoParams;

use super::Path;
use crate::astra::{
    answer::Accept,
    auth::Auth,
    error::{Doing, During, Problems, Result},
    map,
    page::{ListParameters, ListQuery, NoQuery},
    wire::{Bucket, List},
};

/// A bucket in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct One {
    /// The bucket's id.
    #[param(value_type = String)]
    bucket_id: RepositoryId,
}

/// Lists the buckets.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/buckets",
    tag = "buckets",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<Bucket>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<Bucket>> {
    let found = service
        .list_repositories(&caller)
        .await
        .during(Doing::ListingResources)?;
    query.apply(found.iter().map(map::bucket).collect())
}

/// Shows a bucket.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/buckets/{bucket_id}",
    tag = "buckets",
    params(("account_id" = String, Path), One),
    responses((status = 200, body = Bucket), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<One>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let found = service.repository(&caller, path.0.bucket_id).await;
    let shown = map::bucket(&found.during(Doing::GettingResource)?);
    Ok(accept.resource(shown.media_type, &shown))
}
