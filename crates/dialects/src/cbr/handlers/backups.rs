//! Backups.

use axum::{extract::State, http::StatusCode};
use strongroom_service::{
    Service,
    backups::{DeleteBackup, UpdateBackup},
};

use super::{Body, OfOne, Path, Query};
use crate::cbr::{
    answer::Json,
    auth::Auth,
    error::{Doing, During, Errors, Result},
    look, map,
    page::ListBackups,
    wire,
};

/// Lists backups, newest first unless another order is asked for.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/backups",
    tag = "backups",
    params(("project_id" = String, Path), ListBackups),
    responses((status = 200, body = wire::BackupList), Errors)
)]
pub(in crate::cbr) async fn list(
    State(service): State<Service>,
    Auth(caller): Auth,
    query: Query<ListBackups>,
) -> Result<Json<wire::BackupList>> {
    let query = map::backup_query(query.0)?;
    look::backups(&service, &caller, &query).await.map(Json)
}

/// Shows a backup.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/backups/{id}",
    tag = "backups",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = wire::BackupEnvelope), Errors)
)]
pub(in crate::cbr) async fn show(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<Json<wire::BackupEnvelope>> {
    let backup = look::backup(&service, &caller, &path.0.id).await?;
    let restoring = look::restoring(&service, &caller).await?;
    let backup = map::backup(&backup, &restoring);
    Ok(Json(wire::BackupEnvelope { backup }))
}

/// Renames a backup.
#[utoipa::path(
    put,
    path = "/v3/{project_id}/backups/{id}",
    tag = "backups",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::UpdateBackupRequest,
    responses((status = 200, body = wire::BackupEnvelope), Errors)
)]
pub(in crate::cbr) async fn update(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::UpdateBackupRequest>,
) -> Result<Json<wire::BackupEnvelope>> {
    let name = Some(body.0.0.backup.name);
    map::check_name("name", name.as_deref().unwrap_or_default())?;
    let id = look::backup(&service, &caller, &path.0.id).await?.id;
    let change = UpdateBackup {
        name,
        ..UpdateBackup::default()
    };
    let backup = service.update_backup(&caller, id, None, change).await?;
    let restoring = look::restoring(&service, &caller).await?;
    let backup = map::backup(&backup, &restoring);
    Ok(Json(wire::BackupEnvelope { backup }))
}

/// Deletes a backup, in the background.
#[utoipa::path(
    delete,
    path = "/v3/{project_id}/backups/{id}",
    tag = "backups",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 204), Errors)
)]
pub(in crate::cbr) async fn delete(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<StatusCode> {
    let id = look::backup(&service, &caller, &path.0.id).await?.id;
    let deletion = service
        .delete_backup(&caller, id, DeleteBackup::default())
        .await;
    deletion.during(Doing::DeletingBackup)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restores a backup, in the background. Clients poll the operation log named in the answer.
#[utoipa::path(
    post,
    path = "/v3/{project_id}/backups/{id}/restore",
    tag = "backups",
    params(("project_id" = String, Path), ("id" = String, Path)),
    request_body = wire::RestoreRequest,
    responses((status = 202, body = wire::RestoreAccepted), Errors)
)]
pub(in crate::cbr) async fn restore(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
    body: Body<wire::RestoreRequest>,
) -> Result<(StatusCode, Json<wire::RestoreAccepted>)> {
    let backup = look::backup(&service, &caller, &path.0.id).await?;
    let request = map::restore_request(&backup, &body.0.0.restore)?;
    let started = service.request_restore(&caller, request).await;
    let job_id = started.during(Doing::Restoring)?.1.id.to_string();
    Ok((StatusCode::ACCEPTED, Json(wire::RestoreAccepted { job_id })))
}
