//! `/api/v1/restores`: attempts to bring data back.

use axum::extract::State;
use strongroom_domain::RestoreId;
use strongroom_service::Service;

use super::{
    document::Problems,
    map::{
        common::list as listed,
        restores::{self as map, Listing},
    },
    reply::{Answer, Reply},
    request::{Auth, Body, Params, PathParams, Read, Write},
    wire::{CreateRestore, List, ListRestores, Restore, RestoreAccepted},
};
use crate::etag::IfNoneMatch;

/// The tenant's restores, newest first unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/restores", operation_id = "list_restores", tag = "restores",
    params(ListRestores), responses((status = 200, body = List<Restore>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListRestores>,
) -> Answer<List<Restore>> {
    let Listing { filter, sort, page } = query.0.try_into()?;
    let found = service
        .list_restores(&auth.0, &filter, &sort, &page)
        .await?;
    Ok(Reply::ok(listed(found)))
}

/// Starts a restore after the source accepted the target.
#[utoipa::path(post, path = "/api/v1/restores", operation_id = "create_restore",
    tag = "restores", request_body = CreateRestore, responses((status = 202, body = RestoreAccepted), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    body: Body<CreateRestore>,
) -> Answer<RestoreAccepted> {
    let made = service
        .request_restore(&auth.0, map::create(body.0))
        .await?;
    let location = format!("/api/v1/operations/{}", made.1.id);
    Ok(Reply::accepted(map::accepted(made), location))
}

/// One restore.
#[utoipa::path(get, path = "/api/v1/restores/{id}", operation_id = "get_restore",
    tag = "restores", params(("id" = Uuid, Path)),
    responses((status = 200, body = Restore), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<RestoreId>,
    known: IfNoneMatch,
) -> Answer<Restore> {
    let found = service.restore(&auth.0, id.0).await?;
    let version = found.version;
    Ok(Reply::ok(found.into()).unless(known, version))
}

/// Asks an active restore to stop.
#[utoipa::path(post, path = "/api/v1/restores/{id}/cancel", operation_id = "cancel_restore",
    tag = "restores", params(("id" = Uuid, Path)),
    responses((status = 202, body = Restore), Problems))]
pub(super) async fn cancel(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<RestoreId>,
) -> Answer<Restore> {
    let restore = service.cancel_restore(&auth.0, id.0).await?;
    let location = format!("/api/v1/restores/{}", restore.id);
    Ok(Reply::accepted(restore.into(), location))
}
