//! Policies.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::Face;
use strongroom_service::Service;

use super::{Body, OfOne, Path, Query};
use crate::cbr::{
    answer::Json,
    auth::Auth,
    error::{Errors, Result},
    look, map,
    page::ListPolicies,
    wire,
};

/// Lists policies, oldest first.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/policies",
    tag = "policies",
    params(("project_id" = String, Path), ListPolicies),
    responses((status = 200, body = wire::PolicyList), Errors)
)]
pub(in crate::cbr) async fn list(
    State(service): State<Service>,
    Auth(caller): Auth,
    query: Query<ListPolicies>,
) -> Result<Json<wire::PolicyList>> {
    map::check_query(&query.0)?;
    let vaults = look::vaults_of_policies(&service, &caller).await?;
    let all = service.list_policies(&caller).await?.into_iter();
    let shown = all.filter(|it| it.face == Some(Face::Cbr)).map(|it| {
        let vaults = vaults.get(&it.id).map_or(&[][..], Vec::as_slice);
        map::policy(&it, vaults)
    });
    Ok(Json(map::policy_list(shown.collect(), &query.0)))
}

/// Creates a policy.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/policies",
    tag = "policies",
    params(("project_id" = String, Path)),
    request_body = wire::CreatePolicyRequest,
    responses((status = 200, body = wire::PolicyEnvelope), Errors)
)]
pub(in crate::cbr) async fn create(
    State(service): State<Service>,
    Auth(caller): Auth,
    body: Body<wire::CreatePolicyRequest>,
) -> Result<Json<wire::PolicyEnvelope>> {
    let request = map::create_policy(body.0.0.policy)?;
    let made = service.create_policy(&caller, request).await?;
    let policy = map::policy(&made, &[]);
    Ok(Json(wire::PolicyEnvelope { policy }))
}

/// Shows a policy.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/policies/{id}",
    tag = "policies",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = wire::PolicyEnvelope), Errors)
)]
pub(in crate::cbr) async fn show(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<Json<wire::PolicyEnvelope>> {
    let found = look::policy(&service, &caller, &path.0.id).await?;
    let vaults = look::vaults_of_policies(&service, &caller).await?;
    let vaults = vaults.get(&found.id).cloned().unwrap_or_default();
    let policy = map::policy(&found, &vaults);
    Ok(Json(wire::PolicyEnvelope { policy }))
}

/// Changes a policy.
#[utoipa::path(
    put,
    path = "/v3/{project_id}/policies/{id}",
    tag = "policies",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::UpdatePolicyRequest,
    responses((status = 200, body = wire::PolicyEnvelope), Errors)
)]
pub(in crate::cbr) async fn update(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::UpdatePolicyRequest>,
) -> Result<Json<wire::PolicyEnvelope>> {
    let found = look::policy(&service, &caller, &path.0.id).await?;
    let change = map::update_policy(&found, body.0.0.policy)?;
    let version = Some(found.version);
    let changed = service
        .update_policy(&caller, found.id, version, change)
        .await?;
    let vaults = look::vaults_of_policies(&service, &caller).await?;
    let vaults = vaults.get(&found.id).cloned().unwrap_or_default();
    let policy = map::policy(&changed, &vaults);
    Ok(Json(wire::PolicyEnvelope { policy }))
}

/// Deletes a policy; its backups stay.
#[utoipa::path(
    delete,
    path = "/v3/{project_id}/policies/{id}",
    tag = "policies",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 204), Errors)
)]
pub(in crate::cbr) async fn delete(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<StatusCode> {
    let found = look::policy(&service, &caller, &path.0.id).await?;
    service.delete_policy(&caller, found.id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
