//! Backup storages. A repository is an image store: what the vendor's clients take database backups
//! to.

use axum::{extract::State, http::Uri};
use strongroom_domain::{
    RepositoryId,
    repository::{Repository, RepositoryState},
};
use strongroom_service::{Caller, Error as ServiceError, Service};

use super::{Answer, PathParams, ok};
use crate::zstack::{
    auth::Auth,
    call::Call,
    error::{Code, Error},
    map,
    query::{Query, storages},
    wire::{
        reply::{Failed, Inventory, Listed},
        storage::{BackupStorage, ImageStore},
    },
};

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
    let found = query(&service, &caller, &uri, map::storage).await?;
    Ok(ok(found))
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
    let found = query(&service, &caller, &uri, |it| ImageStore::of(it)).await?;
    Ok(ok(found))
}

async fn query<T: Inventory>(
    service: &Service,
    caller: &Caller,
    uri: &Uri,
    map: fn(&Repository) -> T,
) -> Result<Listed<T>, Error> {
    let query = Query::parse(uri.query().unwrap_or_default())?;
    let (found, total) = storages::answer(&query, service.list_repositories(caller).await?)?;
    if query.count {
        return Ok(Listed::count(total));
    }
    let rows = found.iter().map(map).collect();
    let total = query.reply_with_count.then_some(total);
    Ok(Listed::rows(rows, total, query.fields.as_deref())?)
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
    let found = find(&service, &caller, &uuid.0, map::storage).await?;
    Ok(ok(found))
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
    let found = find(&service, &caller, &uuid.0, |it| ImageStore::of(it)).await?;
    Ok(ok(found))
}

async fn find<T: Inventory>(
    service: &Service,
    caller: &Caller,
    uuid: &str,
    map: fn(&Repository) -> T,
) -> Result<Listed<T>, Error> {
    let storages = service.list_repositories(caller).await?;
    let found = storages
        .iter()
        .filter(|it| map::uuid(uuid) == Some(it.id.uuid()));
    Ok(Listed::rows(found.map(map).collect(), None, None)?)
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
