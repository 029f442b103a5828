//! Vaults.

use axum::{extract::State, http::StatusCode};
use strongroom_service::Service;

use super::{Body, OfOne, Path, Query};
use crate::cbr::{
    answer::Json,
    auth::Auth,
    error::{Doing, During, Errors, Result},
    look, map,
    page::{ListVaults, Window},
    wire,
};

/// Lists vaults, newest first.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/vaults",
    tag = "vaults",
    params(("project_id" = String, Path), ListVaults),
    responses((status = 200, body = wire::VaultList), Errors)
)]
pub(in crate::cbr) async fn list(
    State(service): State<Service>,
    Auth(caller): Auth,
    query: Query<ListVaults>,
) -> Result<Json<wire::VaultList>> {
    let query = query.0;
    let Window { limit, offset } = Window::new(query.limit, query.offset)?;
    let members = look::members(&service, &caller).await?;
    let vaults = service.list_vaults(&caller).await?;
    let (count, vaults) = map::vaults_wanted(&vaults, &members, &query)?;
    let vaults = Window { limit, offset }.cut(vaults);
    Ok(Json(wire::VaultList {
        count,
        limit,
        offset,
        vaults,
    }))
}

/// Creates a vault.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/vaults",
    tag = "vaults",
    params(("project_id" = String, Path)),
    request_body = wire::CreateVaultRequest,
    responses((status = 200, body = wire::VaultEnvelope), Errors)
)]
pub(in crate::cbr) async fn create(
    State(service): State<Service>,
    Auth(caller): Auth,
    body: Body<wire::CreateVaultRequest>,
) -> Result<Json<wire::VaultEnvelope>> {
    let members = look::members(&service, &caller).await?;
    let request = map::create_vault(body.0.0.vault, &members.resources)?;
    let id = service.create_vault(&caller, request).await?.id;
    look::shown_vault(&service, &caller, id, &members)
        .await
        .map(Json)
}

/// Shows a vault.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/vaults/{id}",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = wire::VaultEnvelope), Errors)
)]
pub(in crate::cbr) async fn show(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<Json<wire::VaultEnvelope>> {
    let usage = look::vault(&service, &caller, &path.0.id).await?;
    let members = look::members(&service, &caller).await?;
    let vault = map::vault(&usage, &members);
    Ok(Json(wire::VaultEnvelope { vault }))
}

/// Changes a vault.
#[utoipa::path(
    put,
    path = "/v3/{project_id}/vaults/{id}",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::UpdateVaultRequest,
    responses((status = 200, body = wire::VaultEnvelope), Errors)
)]
pub(in crate::cbr) async fn update(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::UpdateVaultRequest>,
) -> Result<Json<wire::VaultEnvelope>> {
    let found = look::vault(&service, &caller, &path.0.id).await?.vault;
    let change = map::update_vault(&found, body.0.0.vault)?;
    let changed = service.update_vault(&caller, found.id, None, change).await;
    let id = changed.during(Doing::UpdatingVault)?.id;
    let members = look::members(&service, &caller).await?;
    look::shown_vault(&service, &caller, id, &members)
        .await
        .map(Json)
}

/// Deletes a vault and its backups.
#[utoipa::path(
    delete,
    path = "/v3/{project_id}/vaults/{id}",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 204), Errors)
)]
pub(in crate::cbr) async fn delete(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<StatusCode> {
    let id = look::vault(&service, &caller, &path.0.id).await?.vault.id;
    let deleted = service.delete_vault(&caller, id, None).await;
    deleted.during(Doing::DeletingVault)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adds up the capacity of all vaults.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/vaults/summary",
    tag = "vaults",
    params(("project_id" = String, Path)),
    responses((status = 200, body = wire::Summary), Errors)
)]
pub(in crate::cbr) async fn summary(
    State(service): State<Service>,
    Auth(caller): Auth,
) -> Result<Json<wire::Summary>> {
    let vaults = service.list_vaults(&caller).await?;
    Ok(Json(map::summary(&vaults)))
}

/// Puts resources into a vault.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/vaults/{id}/addresources",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::AddResources,
    responses((status = 200, body = wire::AddedResources), Errors)
)]
pub(in crate::cbr) async fn add_resources(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::AddResources>,
) -> Result<Json<wire::AddedResources>> {
    let vault = look::vault(&service, &caller, &path.0.id).await?.vault;
    let members = look::members(&service, &caller).await?;
    let ids = map::resources_to_add(&vault, &body.0.0, &members)?;
    service
        .add_vault_resources(&caller, vault.id, None, &ids)
        .await?;
    let add_resource_ids = ids.iter().map(ToString::to_string).collect();
    Ok(Json(wire::AddedResources { add_resource_ids }))
}

/// Takes resources out of a vault and deletes their backups in it.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/vaults/{id}/removeresources",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::RemoveResources,
    responses((status = 200, body = wire::RemovedResources), Errors)
)]
pub(in crate::cbr) async fn remove_resources(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::RemoveResources>,
) -> Result<Json<wire::RemovedResources>> {
    let vault = look::vault(&service, &caller, &path.0.id).await?.vault;
    let ids = map::resources_to_remove(&vault, &body.0.0)?;
    let removed = service
        .remove_vault_resources(&caller, vault.id, None, &ids)
        .await;
    removed.during(Doing::RemovingResources)?;
    let remove_resource_ids = ids.iter().map(ToString::to_string).collect();
    Ok(Json(wire::RemovedResources {
        remove_resource_ids,
    }))
}

/// Lets a policy run a vault, in place of the one that did.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/vaults/{id}/associatepolicy",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::Associate,
    responses((status = 200, body = wire::Associated), Errors)
)]
pub(in crate::cbr) async fn associate_policy(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::Associate>,
) -> Result<Json<wire::Associated>> {
    let vault = look::vault(&service, &caller, &path.0.id).await?.vault;
    let policy = look::policy(&service, &caller, map::policy_to_run(&body.0.0)?).await?;
    let change = map::run_by(Some(policy.id));
    let changed = service.update_vault(&caller, vault.id, None, change).await;
    changed.during(Doing::UpdatingVault)?;
    let associate_policy = map::policy_of_vault(policy.id, vault.id);
    Ok(Json(wire::Associated { associate_policy }))
}

/// Lets a policy no longer run a vault.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/vaults/{id}/dissociatepolicy",
    tag = "vaults",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::Dissociate,
    responses((status = 200, body = wire::Dissociated), Errors)
)]
pub(in crate::cbr) async fn dissociate_policy(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::Dissociate>,
) -> Result<Json<wire::Dissociated>> {
    let vault = look::vault(&service, &caller, &path.0.id).await?.vault;
    let policy = map::policy_to_drop(&vault, &body.0.0)?;
    let changed = service
        .update_vault(&caller, vault.id, None, map::run_by(None))
        .await;
    changed.during(Doing::UpdatingVault)?;
    let dissociate_policy = map::policy_of_vault(policy, vault.id);
    Ok(Json(wire::Dissociated { dissociate_policy }))
}
