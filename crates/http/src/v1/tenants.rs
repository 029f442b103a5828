//! `/api/v1/tenants`: the isolation boundaries.

use axum::extract::State;
use strongroom_domain::TenantId;
use strongroom_service::Service;

use super::{
    document::Problems,
    reply::{Answer, Reply},
    request::{Administer, Auth, Body, Params, PathParams, Read},
    wire::{CreateTenant, List, ListQuery, NewTenant, Tenant},
};
use crate::{page::cut, v1::map::common::list as listed};

/// The tenants that the caller may act in.
#[utoipa::path(get, path = "/api/v1/tenants", operation_id = "list_tenants", tag = "tenants",
    params(ListQuery), responses((status = 200, body = List<Tenant>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Tenant>> {
    let own = vec![service.tenant(&auth.0).await?];
    let page = cut(own, &query.0.into(), |it| (it.created_at, it.id.uuid()))?;
    Ok(Reply::ok(listed(page)))
}

/// Makes a tenant with an administrator; only an owner of the first tenant can. The secrets are in
/// this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/tenants", operation_id = "create_tenant", tag = "tenants",
    request_body = CreateTenant, responses((status = 201, body = NewTenant), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Administer>,
    body: Body<CreateTenant>,
) -> Answer<NewTenant> {
    let CreateTenant {
        name,
        administrator,
    } = body.0;
    let made = service.found_tenant(&auth.0, &name, &administrator).await?;
    let location = format!("/api/v1/tenants/{}", made.tenant.id);
    Ok(Reply::created(made.into(), location))
}

/// One tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{id}", operation_id = "get_tenant", tag = "tenants",
    params(("id" = Uuid, Path)), responses((status = 200, body = Tenant), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<TenantId>,
) -> Answer<Tenant> {
    let found = service.tenant_by_id(&auth.0, id.0).await?;
    Ok(Reply::ok(found.into()))
}
