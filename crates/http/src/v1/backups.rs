//! `/api/v1/backups`: recovery points, and attempts at them.

use axum::extract::State;
use strongroom_domain::BackupId;
use strongroom_service::{Service, backups::DeleteBackup};

use super::{
    document::Problems,
    map::{
        backups::{self as map, Listing},
        common::{each, list as listed},
    },
    reply::{Answer, Reply},
    request::{Auth, Body, IfMatch, Params, PathParams, Read, Write},
    wire::{
        Backup, BackupAccepted, CreateBackup, Entries, EntriesQuery, List, ListBackups, Operation,
        UpdateBackup,
    },
};
use crate::etag::IfNoneMatch;

/// The tenant's backups, newest first unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/backups", operation_id = "list_backups", tag = "backups",
    params(ListBackups), responses((status = 200, body = List<Backup>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListBackups>,
) -> Answer<List<Backup>> {
    let Listing { filter, sort, page } = query.0.try_into()?;
    let found = service.list_backups(&auth.0, &filter, &sort, &page).await?;
    Ok(Reply::ok(listed(found)))
}

/// Starts a backup.
#[utoipa::path(post, path = "/api/v1/backups", operation_id = "create_backup", tag = "backups",
    request_body = CreateBackup,
    responses((status = 202, body = BackupAccepted), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Write>,
    body: Body<CreateBackup>,
) -> Answer<BackupAccepted> {
    let made = service.request_backup(&auth.0, map::create(body.0)).await?;
    let location = format!("/api/v1/operations/{}", made.1.id);
    Ok(Reply::accepted(map::accepted(made), location))
}

/// One backup.
#[utoipa::path(get, path = "/api/v1/backups/{id}", operation_id = "get_backup", tag = "backups",
    params(("id" = Uuid, Path)), responses((status = 200, body = Backup), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<BackupId>,
    known: IfNoneMatch,
) -> Answer<Backup> {
    let found = service.backup(&auth.0, id.0).await?;
    let version = found.version;
    Ok(Reply::ok(found.into()).unless(known, version))
}

/// Changes a backup's name, description, labels, annotations or expiry.
#[utoipa::path(patch, path = "/api/v1/backups/{id}", operation_id = "update_backup",
    tag = "backups", params(("id" = Uuid, Path)), request_body = UpdateBackup,
    responses((status = 200, body = Backup), Problems))]
pub(super) async fn update(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<BackupId>,
    version: IfMatch,
    body: Body<UpdateBackup>,
) -> Answer<Backup> {
    let changed = service
        .update_backup(&auth.0, id.0, version.0, body.0.into())
        .await?;
    let version = changed.version;
    Ok(Reply::ok(changed.into()).version(version))
}

/// Deletes a backup from its repository; an active one is cancelled first.
#[utoipa::path(delete, path = "/api/v1/backups/{id}", operation_id = "delete_backup",
    tag = "backups", params(("id" = Uuid, Path)),
    responses((status = 202, body = Operation), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<BackupId>,
    version: IfMatch,
) -> Answer<Operation> {
    let request = DeleteBackup {
        version: version.0,
        ..DeleteBackup::default()
    };
    let operation = service.delete_backup(&auth.0, id.0, request).await?;
    Ok(Reply::operation(operation))
}

/// Asks an active backup to stop.
#[utoipa::path(post, path = "/api/v1/backups/{id}/cancel", operation_id = "cancel_backup",
    tag = "backups", params(("id" = Uuid, Path)),
    responses((status = 202, body = Backup), Problems))]
pub(super) async fn cancel(
    service: State<Service>,
    auth: Auth<Write>,
    id: PathParams<BackupId>,
) -> Answer<Backup> {
    let backup = service.cancel_backup(&auth.0, id.0).await?;
    let location = format!("/api/v1/backups/{}", backup.id);
    Ok(Reply::accepted(backup.into(), location))
}

/// What is in a directory of a backup.
#[utoipa::path(get, path = "/api/v1/backups/{id}/entries", operation_id = "browse_backup",
    tag = "backups", params(("id" = Uuid, Path), EntriesQuery),
    responses((status = 200, body = Entries), Problems))]
pub(super) async fn entries(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<BackupId>,
    query: Params<EntriesQuery>,
) -> Answer<Entries> {
    let entries = service.browse_backup(&auth.0, id.0, &query.0.path).await?;
    Ok(Reply::ok(Entries {
        items: each(entries),
    }))
}
