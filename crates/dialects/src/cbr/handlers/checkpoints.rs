//! Checkpoints.

use axum::extract::State;
use strongroom_domain::CheckpointId;
use strongroom_http::extract::Arrival;
use strongroom_service::{Error as Core, Service};

use super::{Body, OfOne, Path};
use crate::cbr::{
    answer::Json,
    auth::Auth,
    error::{Doing, During, Errors, Result},
    look, map, wire,
};

/// Backs up the resources of a vault.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/checkpoints",
    tag = "checkpoints",
    params(("project_id" = String, Path)),
    request_body = wire::CreateCheckpointRequest,
    responses((status = 200, body = wire::CheckpointEnvelope), Errors)
)]
pub(in crate::cbr) async fn create(
    State(service): State<Service>,
    Auth(caller): Auth,
    Arrival(now): Arrival,
    body: Body<wire::CreateCheckpointRequest>,
) -> Result<Json<wire::CheckpointEnvelope>> {
    let wanted = body.0.0.checkpoint;
    let vault = service.vault(&caller, map::vault_of(&wanted)?).await?;
    let request = map::checkpoint_request(wanted, now, &vault)?;
    let made = service.request_checkpoint(&caller, request).await;
    let view = made.during(Doing::CreatingCheckpoint)?;
    let members = look::members(&service, &caller).await?;
    let checkpoint = map::checkpoint(&view, Some(&vault), &members);
    Ok(Json(wire::CheckpointEnvelope { checkpoint }))
}

/// Shows a checkpoint; there is none any more once all its backups are deleted.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/checkpoints/{id}",
    tag = "checkpoints",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = wire::CheckpointEnvelope), Errors)
)]
pub(in crate::cbr) async fn show(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<Json<wire::CheckpointEnvelope>> {
    let id = path.0.id.parse::<CheckpointId>();
    let id = id.map_err(|_| Core::not_found("checkpoint", &path.0.id))?;
    let view = service.checkpoint(&caller, id).await?;
    let vault = look::if_found(service.vault(&caller, view.checkpoint.vault_id).await)?;
    let members = look::members(&service, &caller).await?;
    let checkpoint = map::checkpoint(&view, vault.as_ref(), &members);
    Ok(Json(wire::CheckpointEnvelope { checkpoint }))
}
