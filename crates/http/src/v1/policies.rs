//! `/api/v1/policies`: what is backed up when, and how long it is kept.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::PolicyId;
use strongroom_service::Service;

use super::{
    document::Problems,
    map::common::list as listed,
    reply::{Answer, Reply},
    request::{Auth, Body, IfMatch, Params, PathParams, Read, Write},
    wire::{CreatePolicy, List, ListQuery, Policy, UpdatePolicy},
};
use crate::{etag::IfNoneMatch, page::cut, problem::Problem};

/// The tenant's policies, oldest first.
#[utoipa::path(get, path = "/api/v1/policies", operation_id = "list_policies", tag = "policies",
    params(ListQuery), responses((status = 200, body = List<Policy>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Policy>> {
    let all = service.list_policies(&auth.0).await?;
    let page = cut(all, &query.0.into(), |it| (it.created_at, it.id.uuid()))?;
    Ok(Reply::ok(listed(page)))
}

/// Creates a policy; its next run is worked out at once.
#[utoipa::path(post, path = "/api/v1/policies", operation_id = "create_policy",
    tag = "policies", request_body = CreatePolicy,
    responses((status = 201, body = Policy), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    body: Body<CreatePolicy>,
) -> Answer<Policy> {
    let request = body.0.try_into()?;
    let made = service.create_policy(&auth.0, request).await?;
    let (location, version) = (format!("/api/v1/policies/{}", made.id), made.version);
    Ok(Reply::created(made.into(), location).version(version))
}

/// One policy.
#[utoipa::path(get, path = "/api/v1/policies/{id}", operation_id = "get_policy",
    tag = "policies", params(("id" = Uuid, Path)),
    responses((status = 200, body = Policy), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<PolicyId>,
    known: IfNoneMatch,
) -> Answer<Policy> {
    let found = service.policy(&auth.0, id.0).await?;
    let version = found.version;
    Ok(Reply::ok(found.into()).unless(known, version))
}

/// Changes a policy.
#[utoipa::path(patch, path = "/api/v1/policies/{id}", operation_id = "update_policy",
    tag = "policies", params(("id" = Uuid, Path)), request_body = UpdatePolicy,
    responses((status = 200, body = Policy), Problems))]
pub(super) async fn update(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<PolicyId>,
    version: IfMatch,
    body: Body<UpdatePolicy>,
) -> Answer<Policy> {
    let change = body.0.try_into()?;
    let changed = service
        .update_policy(&auth.0, id.0, version.0, change)
        .await?;
    let version = changed.version;
    Ok(Reply::ok(changed.into()).version(version))
}

/// Deletes a policy; its backups stay.
#[utoipa::path(delete, path = "/api/v1/policies/{id}", operation_id = "delete_policy",
    tag = "policies", params(("id" = Uuid, Path)), responses((status = 204), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<PolicyId>,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    service.delete_policy(&auth.0, id.0, version.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a policy now, as if an occurrence were due.
#[utoipa::path(post, path = "/api/v1/policies/{id}/run", operation_id = "run_policy",
    tag = "policies", params(("id" = Uuid, Path)), responses((status = 202), Problems))]
pub(super) async fn run(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<PolicyId>,
) -> Result<StatusCode, Problem> {
    service.run_policy(&auth.0, id.0).await?;
    Ok(StatusCode::ACCEPTED)
}
