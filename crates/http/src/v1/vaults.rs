//! `/api/v1/vaults`: resources whose backups share a quota and a policy.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::{ResourceId, VaultId};
use strongroom_service::{Caller, Service};

use super::{
    document::Problems,
    map::common::list as listed,
    reply::{Answer, Reply},
    request::{Auth, Body, IfMatch, Params, PathParams, Read, Write},
    wire::{CreateVault, List, ListQuery, UpdateVault, Vault, VaultMembers},
};
use crate::{etag::IfNoneMatch, page::cut, problem::Problem};

/// The tenant's vaults, newest first.
#[utoipa::path(get, path = "/api/v1/vaults", operation_id = "list_vaults", tag = "vaults",
    params(ListQuery), responses((status = 200, body = List<Vault>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Vault>> {
    let all = service.list_vaults(&auth.0).await?;
    let page = cut(all, &query.0.into(), |it| {
        (it.vault.created_at, it.vault.id.uuid())
    })?;
    Ok(Reply::ok(listed(page)))
}

/// Creates a vault.
#[utoipa::path(post, path = "/api/v1/vaults", operation_id = "create_vault", tag = "vaults",
    request_body = CreateVault, responses((status = 201, body = Vault), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    body: Body<CreateVault>,
) -> Answer<Vault> {
    let id = service.create_vault(&auth.0, body.0.into()).await?.id;
    let reply = shown(&service, &auth.0, id).await?;
    Ok(reply.made_at(format!("/api/v1/vaults/{id}")))
}

/// One vault.
#[utoipa::path(get, path = "/api/v1/vaults/{id}", operation_id = "get_vault", tag = "vaults",
    params(("id" = Uuid, Path)), responses((status = 200, body = Vault), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<VaultId>,
    known: IfNoneMatch,
) -> Answer<Vault> {
    let found = service.vault(&auth.0, id.0).await?;
    let version = found.vault.version;
    Ok(Reply::ok(found.into()).unless(known, version))
}

/// Changes a vault.
#[utoipa::path(patch, path = "/api/v1/vaults/{id}", operation_id = "update_vault",
    tag = "vaults", params(("id" = Uuid, Path)), request_body = UpdateVault,
    responses((status = 200, body = Vault), Problems))]
pub(super) async fn update(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<VaultId>,
    version: IfMatch,
    body: Body<UpdateVault>,
) -> Answer<Vault> {
    service
        .update_vault(&auth.0, id.0, version.0, body.0.into())
        .await?;
    shown(&service, &auth.0, id.0).await
}

/// Deletes a vault and its backups.
#[utoipa::path(delete, path = "/api/v1/vaults/{id}", operation_id = "delete_vault",
    tag = "vaults", params(("id" = Uuid, Path)), responses((status = 204), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<VaultId>,
    version: IfMatch,
) -> Result<StatusCode, Problem> {
    service.delete_vault(&auth.0, id.0, version.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts resources into a vault.
#[utoipa::path(post, path = "/api/v1/vaults/{id}/resources",
    operation_id = "add_vault_resources", tag = "vaults",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = VaultMembers, responses((status = 200, body = Vault), Problems))]
pub(super) async fn add_resources(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<VaultId>,
    version: IfMatch,
    body: Body<VaultMembers>,
) -> Answer<Vault> {
    service
        .add_vault_resources(&auth.0, id.0, version.0, &body.0.resource_ids)
        .await?;
    shown(&service, &auth.0, id.0).await
}

/// Takes a resource out of a vault and deletes its backups in it.
#[utoipa::path(delete, path = "/api/v1/vaults/{id}/resources/{resource_id}",
    operation_id = "remove_vault_resource", tag = "vaults",
    params(("id" = Uuid, Path), ("resource_id" = Uuid, Path),
        ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Vault), Problems))]
pub(super) async fn remove_resource(
    service: State<Service>,
    auth: Auth<Write>,
    ids: PathParams<(VaultId, ResourceId)>,
    version: IfMatch,
) -> Answer<Vault> {
    let (id, resource) = ids.0;
    service
        .remove_vault_resources(&auth.0, id, version.0, &[resource])
        .await?;
    shown(&service, &auth.0, id).await
}

async fn shown(service: &Service, caller: &Caller, id: VaultId) -> Answer<Vault> {
    let found = service.vault(caller, id).await?;
    let version = found.vault.version;
    Ok(Reply::ok(found.into()).version(version))
}
