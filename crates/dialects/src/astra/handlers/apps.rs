//! apps: the resources that this face shows.

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use strongroom_domain::{ResourceId, policy::PolicyTarget};
use strongroom_http::auth::permission::Read;
use strongroom_service::{Caller, Service};
use utoipa::IntoParams;

use super::{Path, app, apps};
use crate::astra::{
    answer::Accept,
    auth::Auth,
    error::{Doing, During, Problems, Result},
    map,
    page::{ListParameters, ListQuery, NoQuery},
    wire::{App, List},
};

/// An application in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct One {
    /// The application's id.
    #[param(value_type = String)]
    app_id: ResourceId,
}

/// Lists the applications.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/k8s/v2/apps",
    tag = "apps",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<App>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<App>> {
    let found = apps(&service, &caller, Doing::ListingApps).await?;
    let protected = protected(&service, &caller, Doing::ListingApps).await?;
    query.apply(
        found
            .iter()
            .map(|it| map::app(it, protected.contains(&it.id)))
            .collect(),
    )
}

/// Shows an application.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/k8s/v2/apps/{app_id}",
    tag = "apps",
    params(("account_id" = String, Path), One),
    responses((status = 200, body = App), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<One>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let found = app(&service, &caller, path.0.app_id, Doing::GettingApp).await?;
    let protected = protected(&service, &caller, Doing::GettingApp).await?;
    let shown = map::app(&found, protected.contains(&found.id));
    Ok(accept.resource(shown.media_type, &shown))
}

/// The resources that an enabled policy covers.
async fn protected(
    service: &Service,
    caller: &Caller,
    doing: Doing,
) -> Result<BTreeSet<ResourceId>> {
    let policies = service.list_policies(caller).await.during(doing)?;
    let targets = policies
        .into_iter()
        .filter(|it| it.enabled)
        .flat_map(|it| it.targets);
    let resource = |target| match target {
        PolicyTarget::Resource(id) => Some(id),
        // Vaults group what CBR shows.
        PolicyTarget::Vault(_) => None,
    };
    Ok(targets.filter_map(resource).collect())
}
