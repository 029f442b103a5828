//! Backup storages. A repository is an image store: what the vendor's clients take database backups
//! to.

use strongroom_domain::{
    RepositoryId,
    repository::{Repository, RepositoryState},
};
use strongroom_service::{Caller, Error as ServiceError, Service};

use crate::zstack::{
    error::{Code, Error},
    map,
    wire::storage::{BackupStorage, ImageStore},
};

/// The tenant's backup storages.
pub(crate) async fn rows(service: &Service, caller: &Caller) -> Result<Vec<BackupStorage>, Error> {
    let storages = service.list_repositories(caller).await?;
    Ok(storages.iter().map(map::storage).collect())
}

/// The tenant's SFTP storages: there is none.
pub(crate) async fn sftp(_: &Service, _: &Caller) -> Result<Vec<BackupStorage>, Error> {
    Ok(Vec::new())
}

/// The tenant's image stores: all its backup storages.
pub(crate) async fn image_stores(
    service: &Service,
    caller: &Caller,
) -> Result<Vec<ImageStore>, Error> {
    let storages = service.list_repositories(caller).await?;
    Ok(storages.iter().map(ImageStore::of).collect())
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
