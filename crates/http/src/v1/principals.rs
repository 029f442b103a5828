//! `/api/v1/principals`: the users of the tenant, and `/api/v1/me`.

use axum::extract::State;
use strongroom_domain::Secret;
use strongroom_service::Service;

use super::{
    document::Problems,
    map::common::list as listed,
    reply::{Answer, Reply},
    request::{Administer, Auth, Body, Params, Read},
    wire::{CreatePrincipal, List, ListQuery, Me, Principal},
};
use crate::page::cut;

/// The tenant's users.
#[utoipa::path(get, path = "/api/v1/principals", operation_id = "list_principals",
    tag = "principals", params(ListQuery),
    responses((status = 200, body = List<Principal>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Principal>> {
    let all = service.list_principals(&auth.0).await?;
    let page = cut(all, &query.0.into(), |it| (it.created_at, it.id.uuid()))?;
    Ok(Reply::ok(listed(page)))
}

/// Adds a user to the tenant.
#[utoipa::path(post, path = "/api/v1/principals", operation_id = "create_principal",
    tag = "principals", request_body = CreatePrincipal,
    responses((status = 201, body = Principal), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Administer>,
    body: Body<CreatePrincipal>,
) -> Answer<Principal> {
    let CreatePrincipal {
        name,
        role,
        password,
    } = body.0;
    let password = Secret::new(password);
    let made = service
        .create_principal(&auth.0, &name, role, &password)
        .await?;
    Ok(Reply::created(made.into(), "/api/v1/principals".to_owned()))
}

/// Whom the presented credential stands for.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "get_me", tag = "principals",
    responses((status = 200, body = Me), Problems))]
pub(super) async fn me(auth: Auth<Read>) -> Answer<Me> {
    Ok(Reply::ok(auth.0.into()))
}
