//! `/api/v1/vaults/{id}/checkpoints` and `/api/v1/checkpoints`: a backup of each resource of a
//! vault.

use axum::extract::State;
use strongroom_domain::{CheckpointId, VaultId};
use strongroom_service::Service;

use super::{
    document::Problems,
    map::vaults as map,
    reply::{Answer, Reply},
    request::{Auth, Body, PathParams, Read, Write},
    wire::{Checkpoint, CreateCheckpoint},
};

/// Starts a backup of each resource of a vault.
#[utoipa::path(post, path = "/api/v1/vaults/{id}/checkpoints",
    operation_id = "create_checkpoint", tag = "vaults", params(("id" = Uuid, Path)),
    request_body = CreateCheckpoint, responses((status = 202, body = Checkpoint), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<VaultId>,
    body: Body<CreateCheckpoint>,
) -> Answer<Checkpoint> {
    let request = map::checkpoint(id.0, body.0);
    let made = service.request_checkpoint(&auth.0, request).await?;
    let location = format!("/api/v1/checkpoints/{}", made.checkpoint.id);
    Ok(Reply::accepted(made.into(), location))
}

/// One checkpoint with its backups.
#[utoipa::path(get, path = "/api/v1/checkpoints/{id}", operation_id = "get_checkpoint",
    tag = "vaults", params(("id" = Uuid, Path)),
    responses((status = 200, body = Checkpoint), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<CheckpointId>,
) -> Answer<Checkpoint> {
    let found = service.checkpoint(&auth.0, id.0).await?;
    Ok(Reply::ok(found.into()))
}
