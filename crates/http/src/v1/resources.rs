//! `/api/v1/resources`: what is protected.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::ResourceId;
use strongroom_service::Service;

use super::{
    document::Problems,
    map::{
        common::{each, list as listed},
        resources as map,
    },
    reply::{Answer, Reply},
    request::{Auth, Body, IfMatch, Params, PathParams, Read, Write},
    wire::{
        CreateResource, DiscoverQuery, Discovered, List, ListResources, Resource, UpdateResource,
    },
};
use crate::{etag::IfNoneMatch, problem::Problem};

/// The tenant's resources, oldest first.
#[utoipa::path(get, path = "/api/v1/resources", operation_id = "list_resources", tag = "resources",
    params(ListResources), responses((status = 200, body = List<Resource>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListResources>,
) -> Answer<List<Resource>> {
    let (filter, page) = map::listing(query.0);
    let found = service.list_resources(&auth.0, &filter, &page).await?;
    Ok(Reply::ok(listed(found)))
}

/// Registers a resource after its source accepted the settings.
#[utoipa::path(post, path = "/api/v1/resources", operation_id = "create_resource",
    tag = "resources", request_body = CreateResource,
    responses((status = 201, body = Resource), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    body: Body<CreateResource>,
) -> Answer<Resource> {
    let made = service.create_resource(&auth.0, body.0.into()).await?;
    let (location, version) = (format!("/api/v1/resources/{}", made.id), made.version);
    Ok(Reply::created(made.into(), location).version(version))
}

/// What could be registered, as far as the server can see.
#[utoipa::path(get, path = "/api/v1/resources/discover", operation_id = "discover_resources",
    tag = "resources", params(DiscoverQuery),
    responses((status = 200, body = List<Discovered>), Problems))]
pub(super) async fn discover(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<DiscoverQuery>,
) -> Answer<List<Discovered>> {
    let items = each(service.discover(&auth.0, query.0.kind).await?);
    Ok(Reply::ok(List {
        items,
        next: None,
        total: None,
    }))
}

/// One resource.
#[utoipa::path(get, path = "/api/v1/resources/{id}", operation_id = "get_resource",
    tag = "resources", params(("id" = Uuid, Path)),
    responses((status = 200, body = Resource), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<ResourceId>,
    known: IfNoneMatch,
) -> Answer<Resource> {
    let found = service.resource(&auth.0, id.0).await?;
    let version = found.version;
    Ok(Reply::ok(found.into()).unless(known, version))
}

/// Changes a resource.
#[utoipa::path(patch, path = "/api/v1/resources/{id}", operation_id = "update_resource",
    tag = "resources", params(("id" = Uuid, Path)), request_body = UpdateResource,
    responses((status = 200, body = Resource), Problems))]
pub(super) async fn update(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<ResourceId>,
    version: IfMatch,
    body: Body<UpdateResource>,
) -> Answer<Resource> {
    let changed = service
        .update_resource(&auth.0, id.0, version.0, body.0.into())
        .await?;
    let version = changed.version;
    Ok(Reply::ok(changed.into()).version(version))
}

/// Stops protecting a resource; its backups stay.
#[utoipa::path(delete, path = "/api/v1/resources/{id}", operation_id = "delete_resource",
    tag = "resources", params(("id" = Uuid, Path)), responses((status = 204), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<ResourceId>,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    service.delete_resource(&auth.0, id.0, version.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
