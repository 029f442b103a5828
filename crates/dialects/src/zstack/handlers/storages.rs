//! Backup storages. A repository is an image store: what the vendor's clients take database backups
//! to.

use axum::{extract::State, http::Uri};
use strongroom_domain::{
    RepositoryId,
    repository::{Repository, RepositoryState},
};
use strongroom_service::{Caller, Error as ServiceError, Service};

use super::{
    Answer, PathParams,
    inventory::{listed, shown},
};
use crate::zstack::{
    auth::Auth,
    call::Call,
    error::{Code, Error},
    map,
    query::storages::{IMAGE_STORES, TABLE},
    wire::{
        reply::{Failed, Listed},
        storage::{BackupStorage, ImageStore},
    },
};

/// The tenant's backup storages.
pub(crate) async fn rows(service: &Service, caller: &Caller) -> Result<Vec<BackupStorage>, Error> {
    let storages = service.list_repositories(caller).await?;
    Ok(storages.iter().map(map::storage).collect())
}

/// The tenant's image stores: all its backup storages.
pub(crate) async fn image_stores(
    service: &Service,
    caller: &Caller,
) -> Result<Vec<ImageStore>, Error> {
    let storages = service.list_repositories(caller).await?;
    Ok(storages.iter().map(ImageStore::of).collect())
}

/// Lists the backup storages that meet the conditions.
#[utoipa::path(
    get,
    path = "/zstack/v1/backup-storage",
    operation_id = "QueryBackupStorage",
    params(("q" = Option<Vec<String>>, Query)),
    responses((status = 200, body = Listed<BackupStorage>), (status = 503, body = Failed)),
)]
pub(crate) async fn list(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<Listed<BackupStorage>> {
    let rows = rows(&service, &caller).await?;
    listed(&service, &caller, &uri, &TABLE, rows).await
}

/// Lists the image stores that meet the conditions.
#[utoipa::path(
    get,
    path = "/zstack/v1/backup-storage/image-store",
    operation_id = "QueryImageStoreBackupStorage",
    params(("q" = Option<Vec<String>>, Query)),
    responses((status = 200, body = Listed<ImageStore>), (status = 503, body = Failed)),
)]
pub(crate) async fn list_image_stores(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<Listed<ImageStore>> {
    let rows = image_stores(&service, &caller).await?;
    listed(&service, &caller, &uri, &IMAGE_STORES, rows).await
}

/// Lists one backup storage, or nothing.
#[utoipa::path(
    get,
    path = "/zstack/v1/backup-storage/{uuid}",
    operation_id = "QueryBackupStorageByUuid",
    params(("uuid" = String, Path)),
    responses((status = 200, body = Listed<BackupStorage>), (status = 503, body = Failed)),
)]
pub(crate) async fn show(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Listed<BackupStorage>> {
    shown(&uuid.0, rows(&service, &caller).await?)
}

/// Lists one image store, or nothing.
#[utoipa::path(
    get,
    path = "/zstack/v1/backup-storage/image-store/{uuid}",
    operation_id = "QueryImageStoreBackupStorageByUuid",
    params(("uuid" = String, Path)),
    responses((status = 200, body = Listed<ImageStore>), (status = 503, body = Failed)),
)]
pub(crate) async fn show_image_store(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Listed<ImageStore>> {
    shown(&uuid.0, image_stores(&service, &caller).await?)
}

/// The storage that a field names.
pub(crate) async fn find_storage(
    service: &Service,
    caller: &Caller,
    field: &str,
    uuid: &str,
) -> Result<Repository, Error> {
    let not_found = || map::no_storage(field, uuid);
    let id = map::uuid(uuid).ok_or_else(not_found)?;
    let found = service
        .repository(caller, RepositoryId::from_uuid(id))
        .await;
    found.map_err(|error| match error {
        ServiceError::NotFound { .. } => not_found(),
        other => other.into(),
    })
}

/// Refuses a storage that takes no backups now.
pub(crate) fn check_usable(storage: &Repository) -> Result<(), Error> {
    if storage.enabled && storage.state == RepositoryState::Ready {
        return Ok(());
    }
    let uuid = storage.id.simple();
    let details = format!("backup storage[uuid:{uuid}] is not enabled and connected");
    Err(Error::api(Code::InvalidArgument, details))
}
