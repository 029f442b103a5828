//! `/api/v1/backups/{id}/copies` and `…/exports`: a backup in further repositories, and as a file.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::{BackupId, RepositoryId};
use strongroom_service::{Service, operations::NewOperation};

use super::{
    document::Problems,
    map::{common::each, copies as map},
    reply::{Answer, Reply},
    request::{Auth, Body, PathParams, Read, Write},
    wire::{Copy, CreateCopy, CreateExport, Export, List, Operation},
};
use crate::{extract::Base, problem::Problem};

/// The copies of a backup beside the one in its own repository.
#[utoipa::path(get, path = "/api/v1/backups/{id}/copies", operation_id = "list_copies",
    tag = "copies", params(("id" = Uuid, Path)),
    responses((status = 200, body = List<Copy>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<BackupId>,
) -> Answer<List<Copy>> {
    service.backup(&auth.0, id.0).await?;
    let found = service.copies_of(&auth.0, &[id.0]).await?;
    Ok(Reply::ok(List::all(each(found))))
}

/// Copies a backup to another repository.
#[utoipa::path(post, path = "/api/v1/backups/{id}/copies", operation_id = "create_copy",
    tag = "copies", params(("id" = Uuid, Path)), request_body = CreateCopy,
    responses((status = 202, body = Operation), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<BackupId>,
    body: Body<CreateCopy>,
) -> Answer<Operation> {
    let request = body.0.into();
    let operation = service.copy_backup(&auth.0, id.0, request).await?;
    Ok(Reply::operation(operation))
}

/// Removes a backup from one repository; from the last one, and the backup is deleted.
#[utoipa::path(delete, path = "/api/v1/backups/{id}/copies/{repository_id}",
    operation_id = "delete_copy", tag = "copies",
    params(("id" = Uuid, Path), ("repository_id" = Uuid, Path)),
    responses((status = 202, body = Operation), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Write>,
    ids: PathParams<(BackupId, RepositoryId)>,
) -> Answer<Operation> {
    let (id, places) = (ids.0.0, [ids.0.1]);
    let deleted = service.delete_copies(&auth.0, id, &places, NewOperation::default());
    Ok(Reply::operation(deleted.await?))
}

/// The exports of a backup.
#[utoipa::path(get, path = "/api/v1/backups/{id}/exports", operation_id = "list_exports",
    tag = "copies", params(("id" = Uuid, Path)),
    responses((status = 200, body = List<Export>), Problems))]
pub(super) async fn list_exports(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<BackupId>,
    base: Base,
) -> Answer<List<Export>> {
    service.backup(&auth.0, id.0).await?;
    let found = service.exports_of(&auth.0, &[id.0]).await?;
    let exports = found.into_iter().map(|it| map::export(it, &base));
    Ok(Reply::ok(List::all(exports.collect())))
}

/// Gives leave to download a backup as one compressed file, without a credential.
#[utoipa::path(post, path = "/api/v1/backups/{id}/exports", operation_id = "create_export",
    tag = "copies", params(("id" = Uuid, Path)), request_body = CreateExport,
    responses((status = 201, body = Export), Problems))]
pub(super) async fn create_export(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<BackupId>,
    base: Base,
    body: Body<CreateExport>,
) -> Answer<Export> {
    let from = body.0.repository_id;
    let made = service.create_export(&auth.0, id.0, from).await?;
    let export = map::export(made, &base);
    let location = export.url.clone();
    Ok(Reply::created(export, location))
}

/// Ends an export.
#[utoipa::path(delete, path = "/api/v1/backups/{id}/exports/{repository_id}",
    operation_id = "delete_export", tag = "copies",
    params(("id" = Uuid, Path), ("repository_id" = Uuid, Path)),
    responses((status = 204), Problems))]
pub(super) async fn delete_export(
    service: State<Service>,
    auth: Auth<Write>,
    ids: PathParams<(BackupId, RepositoryId)>,
) -> Result<StatusCode, Problem> {
    service.delete_export(&auth.0, ids.0.0, ids.0.1).await?;
    Ok(StatusCode::NO_CONTENT)
}
