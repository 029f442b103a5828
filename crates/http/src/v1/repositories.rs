//! `/api/v1/repositories`: where backups are kept.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::RepositoryId;
use strongroom_service::{Service, operations::NewOperation};

use super::{
    document::Problems,
    map::common::list as listed,
    reply::{Answer, Reply},
    request::{Administer, Auth, Body, IfMatch, Params, PathParams, Read, Write},
    wire::{CreateRepository, List, ListQuery, Operation, Repository, UpdateRepository},
};
use crate::{etag::IfNoneMatch, page::cut, problem::Problem};

/// The tenant's repositories, oldest first.
#[utoipa::path(get, path = "/api/v1/repositories", operation_id = "list_repositories",
    tag = "repositories", params(ListQuery),
    responses((status = 200, body = List<Repository>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Repository>> {
    let all = service.list_repositories(&auth.0).await?;
    let page = cut(all, &query.0.into(), |it| (it.created_at, it.id.uuid()))?;
    Ok(Reply::ok(listed(page)))
}

/// Registers a repository, initialising it if there is none at its place.
#[utoipa::path(post, path = "/api/v1/repositories", operation_id = "create_repository",
    tag = "repositories", request_body = CreateRepository,
    responses((status = 201, body = Repository), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Administer>,
    body: Body<CreateRepository>,
) -> Answer<Repository> {
    let made = service.create_repository(&auth.0, body.0.into()).await?;
    let (location, version) = (format!("/api/v1/repositories/{}", made.id), made.version);
    Ok(Reply::created(made.into(), location).version(version))
}

/// One repository.
#[utoipa::path(get, path = "/api/v1/repositories/{id}", operation_id = "get_repository",
    tag = "repositories", params(("id" = Uuid, Path)),
    responses((status = 200, body = Repository), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<RepositoryId>,
    known: IfNoneMatch,
) -> Answer<Repository> {
    let found = service.repository(&auth.0, id.0).await?;
    let version = found.version;
    Ok(Reply::ok(found.into()).unless(known, version))
}

/// Changes a repository.
#[utoipa::path(patch, path = "/api/v1/repositories/{id}", operation_id = "update_repository",
    tag = "repositories", params(("id" = Uuid, Path)), request_body = UpdateRepository,
    responses((status = 200, body = Repository), Problems))]
pub(super) async fn update(
    service: State<Service>,
    auth: Auth<Administer>,
    id: PathParams<RepositoryId>,
    version: IfMatch,
    body: Body<UpdateRepository>,
) -> Answer<Repository> {
    let changed = service
        .update_repository(&auth.0, id.0, version.0, body.0.into())
        .await?;
    let version = changed.version;
    Ok(Reply::ok(changed.into()).version(version))
}

/// Forgets a repository that has no backups; its data are never touched.
#[utoipa::path(delete, path = "/api/v1/repositories/{id}", operation_id = "delete_repository",
    tag = "repositories", params(("id" = Uuid, Path)), responses((status = 204), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Administer>,
    id: PathParams<RepositoryId>,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    service.delete_repository(&auth.0, id.0, version.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks a repository now: its structure, a part of its data, and whether its backups are still
/// in it.
#[utoipa::path(post, path = "/api/v1/repositories/{id}/check", operation_id = "check_repository",
    tag = "repositories", params(("id" = Uuid, Path)),
    responses((status = 202, body = Operation), Problems))]
pub(super) async fn check(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<RepositoryId>,
) -> Answer<Operation> {
    let asked = service.verify_repository(&auth.0, id.0, NewOperation::default());
    Ok(Reply::operation(asked.await?))
}

/// Compares a repository with the catalog: takes up backups that the catalog does not know, and
/// marks those that the repository no longer has.
#[utoipa::path(post, path = "/api/v1/repositories/{id}/scan", operation_id = "scan_repository",
    tag = "repositories", params(("id" = Uuid, Path)),
    responses((status = 202, body = Operation), Problems))]
pub(super) async fn scan(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<RepositoryId>,
) -> Answer<Operation> {
    let asked = service.scan_repository(&auth.0, id.0, NewOperation::default());
    Ok(Reply::operation(asked.await?))
}
