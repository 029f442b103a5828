//! What can be done with database backups besides making and deleting them: recover, copy, export,
//! compare a storage with the catalog.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{
    Backup, BackupState, RepositoryId, ResourceKind, Secret,
    query::{BackupField, Filter},
    restore::RestoreTarget,
};
use strongroom_http::download::export_url;
use strongroom_service::{
    Caller, ConflictKind, Error as ServiceError, Service, backups::copies::CopyBackup,
    identity::PasswordForm, operations::NewOperation, restores::RequestRestore,
};

use super::{
    Answer, Body, PathParams,
    backups::find,
    ok,
    storages::{check_usable, find_storage},
};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map::{
        self, INSTALL_PATH,
        store::{StoreUrl, no_port, stored},
    },
    query::{backups::shown, params},
    wire::{
        backup::{CopyDatabaseBackup, CopyPlaces, Exported, RecoverDatabase, Recovery, Stored},
        reply::{Accepted, Empty, Failed},
    },
};

/// How long a recovery may take unless the client says, in milliseconds: as long as a backup.
const RECOVER_TIMEOUT: u64 = 12 * 60 * 60 * 1000;

/// Recovers the database from a backup, in the place that it was taken from.
#[utoipa::path(
    put,
    path = "/zstack/v1/database-backups/actions",
    operation_id = "RecoverDatabaseFromBackup",
    request_body = RecoverDatabase,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn recover(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    body: Body<RecoverDatabase>,
) -> Answer<Accepted> {
    let mut recovery = body.0.recover_database_from_backup.unwrap_or_default();
    // The vendor's documentation has it in the query string.
    let in_query = params::scalar(uri.query().unwrap_or_default(), "uuid")?;
    recovery.uuid = recovery.uuid.or(in_query);
    let work = start_recovery(&service, &caller, call.operation(), recovery);
    call.run(&service, &caller, RECOVER_TIMEOUT, work).await
}

pub(crate) async fn start_recovery(
    service: &Service,
    caller: &Caller,
    operation: NewOperation,
    recovery: Recovery,
) -> Result<Outcome, Error> {
    let Recovery {
        uuid,
        backup_storage_url,
        backup_install_path,
        mysql_root_password,
    } = recovery;
    let message = "org.zstack.header.storage.database.backup.APIRecoverDatabaseFromBackupMsg";
    let password = map::mandatory_of(message, "mysqlRootPassword", mysql_root_password)?;
    let place = backup_storage_url.zip(backup_install_path);
    let (backup, from) = recoverable(service, caller, uuid, place).await?;
    check_root(service, caller, &backup, Secret::new(password)).await?;
    let request = RequestRestore {
        from,
        operation_id: operation.id,
        operation_annotations: operation.annotations,
        ..RequestRestore::of(backup.id, RestoreTarget::Original)
    };
    let (_, operation) = service.request_restore(caller, request).await?;
    Ok(Outcome::Started(operation))
}

/// The backup that is to be recovered from, named by its uuid or by storage and path, with that
/// storage.
async fn recoverable(
    service: &Service,
    caller: &Caller,
    uuid: Option<String>,
    place: Option<(String, String)>,
) -> Result<(Backup, Option<RepositoryId>), Error> {
    let (backup, from) = match (uuid, place) {
        (Some(uuid), _) => (
            find_backup(service, caller, "uuid", uuid.trim()).await?,
            None,
        ),
        (None, Some((url, path))) => {
            let storage = log_in_to_store(service, caller, &url).await?;
            let path = path.trim();
            let uuid = path.strip_prefix(INSTALL_PATH).unwrap_or(path);
            let backup = find_backup(service, caller, "backupInstallPath", uuid).await?;
            check_in(service, caller, &backup, storage).await?;
            (backup, Some(storage))
        }
        (None, None) => {
            let details = "installPath and bsUrl are both need";
            return Err(Error::api(Code::InvalidArgument, details));
        }
    };
    if backup.state != BackupState::Completed {
        let uuid = backup.id.simple();
        let details = format!("databaseBackup[uuid:{uuid}] is not Enabled and Ready");
        return Err(Error::api(Code::InvalidArgument, details));
    }
    Ok((backup, from))
}

/// Whoever recovers a server must be able to log in to it as its administrator.
async fn check_root(
    service: &Service,
    caller: &Caller,
    backup: &Backup,
    password: Secret,
) -> Result<(), Error> {
    let database = service.resource(caller, backup.resource_id).await?;
    // PostgreSQL has no `root`; whoever may restore there stands for it.
    let administrator = match backup.kind {
        ResourceKind::Postgres => database.settings.get("user").unwrap_or("postgres"),
        _ => "root",
    };
    let checked = service.check_login(caller, database.id, administrator, password);
    checked.await.map_err(|error| match error {
        ServiceError::Invalid(_) => {
            let details = format!("not pass the restore security check: {error}");
            Error::api(Code::Failed, details)
        }
        other => other.into(),
    })
}

/// Compares a storage with the catalog.
#[utoipa::path(
    put,
    path = "/zstack/v1/database-backups/imageStore/{uuid}/actions",
    operation_id = "SyncDatabaseBackup",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn sync(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
    _: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let work = async {
        let storage = find_storage(&service, &caller, "imageStoreUuid", &uuid.0).await?;
        let scan = service.scan_repository(&caller, storage.id, call.operation());
        Ok(Outcome::Started(scan.await?))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Copies a backup to another storage.
#[utoipa::path(
    put,
    path = "/zstack/v1/database-backups/{uuid}/actions",
    operation_id = "SyncDatabaseBackupFromImageStoreBackupStorage",
    params(("uuid" = String, Path)),
    request_body = CopyDatabaseBackup,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn copy(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
    body: Body<CopyDatabaseBackup>,
) -> Answer<Accepted> {
    let CopyDatabaseBackup {
        sync_database_backup_from_image_store_backup_storage: places,
    } = body.0;
    let places = places.unwrap_or_default();
    let work = start_copy(&service, &caller, call.operation(), &uuid.0, places);
    call.run(&service, &caller, RECOVER_TIMEOUT, work).await
}

pub(crate) async fn start_copy(
    service: &Service,
    caller: &Caller,
    operation: NewOperation,
    uuid: &str,
    places: CopyPlaces,
) -> Result<Outcome, Error> {
    let message = "org.zstack.header.storage.database.backup.\
                   APISyncDatabaseBackupFromImageStoreBackupStorageMsg";
    let CopyPlaces {
        src_backup_storage_uuid: src,
        dst_backup_storage_uuid: dst,
    } = places;
    let src = map::mandatory_of(message, "srcBackupStorageUuid", src)?;
    let dst = map::mandatory_of(message, "dstBackupStorageUuid", dst)?;
    let backup = find_backup(service, caller, "uuid", uuid).await?;
    let from = find_storage(service, caller, "srcBackupStorageUuid", &src).await?;
    let to = find_storage(service, caller, "dstBackupStorageUuid", &dst).await?;
    check_usable(&to)?;
    check_in(service, caller, &backup, from.id).await?;
    let request = CopyBackup {
        to: to.id,
        from: Some(from.id),
        operation,
    };
    let operation = service.copy_backup(caller, backup.id, request).await?;
    Ok(Outcome::Started(operation))
}

/// Makes a backup available for download.
#[utoipa::path(
    put,
    path = "/zstack/v1/database-backups/{uuid}/backup-storage/{storage}/actions",
    operation_id = "ExportDatabaseBackupFromBackupStorage",
    params(("uuid" = String, Path), ("storage" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn export(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    path: PathParams<(String, String)>,
    _: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let work = async {
        let (uuid, storage) = &path.0;
        let backup = find_backup(&service, &caller, "databaseBackupUuid", uuid).await?;
        let storage = find_storage(&service, &caller, "backupStorageUuid", storage).await?;
        check_in(&service, &caller, &backup, storage.id).await?;
        let made = service
            .create_export(&caller, backup.id, Some(storage.id))
            .await;
        let export = made.map_err(|error| exported(error, &backup, storage.id, "has been"))?;
        Outcome::done(&Exported {
            database_backup_url: export_url(&call.base, &export),
        })
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Ends the download of a backup.
#[utoipa::path(
    delete,
    path = "/zstack/v1/exported-database-backup/{uuid}/backup-storage/{storage}",
    operation_id = "DeleteExportedDatabaseBackupFromBackupStorage",
    params(("uuid" = String, Path), ("storage" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn end_export(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    path: PathParams<(String, String)>,
) -> Answer<Accepted> {
    let work = async {
        let (uuid, storage) = &path.0;
        let backup = find_backup(&service, &caller, "databaseBackupUuid", uuid).await?;
        let storage = find_storage(&service, &caller, "backupStorageUuid", storage).await?;
        let ended = service.delete_export(&caller, backup.id, storage.id).await;
        ended.map_err(|error| exported(error, &backup, storage.id, "has not been"))?;
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Lists what a storage holds that is named by an SSH URL.
#[utoipa::path(
    get,
    path = "/zstack/v1/database-backups/image-store",
    operation_id = "GetDatabaseBackupFromImageStore",
    params(("url" = String, Query), ("registryPort" = Option<u16>, Query)),
    responses((status = 200, body = Stored), (status = 503, body = Failed)),
)]
pub(crate) async fn list_stored(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<Stored> {
    let url = store_url(uri.query().unwrap_or_default())?;
    let storage = log_in_to_store(&service, &caller, &url).await?;
    let there = Filter::eq(BackupField::RepositoryId, storage.uuid());
    let there = Filter::Any(vec![there.clone(), Filter::Exists(Box::new(there))]);
    let completed = Filter::eq(BackupField::State, BackupState::Completed.as_str());
    let filter = shown().and(completed).and(there);
    let page = strongroom_domain::Page::ALL;
    let found = service.list_backups(&caller, &filter, &[], &page).await?;
    let backups = found.items.iter().map(stored).collect();
    Ok(ok(Stored::new(backups)))
}

/// The URL of the store that a client asks about.
fn store_url(query: &str) -> Result<String, Error> {
    let message = "org.zstack.header.storage.database.backup.APIGetDatabaseBackupFromImageStoreMsg";
    let url = params::scalar(query, "url")?;
    let port = params::whole(query, "registryPort")?;
    let url = map::mandatory_of(message, "url", url)?;
    if port.is_some_and(|it| !(1..=65535).contains(&it)) {
        return Err(no_port("registryPort"));
    }
    Ok(url)
}

/// The storage that an SSH URL names, if its user and password are right: ZStack reaches an image
/// store by logging in to its machine, here it is logging in to this server.
async fn log_in_to_store(
    service: &Service,
    caller: &Caller,
    url: &str,
) -> Result<RepositoryId, Error> {
    let StoreUrl {
        user,
        password,
        path,
        shown,
    } = StoreUrl::read(url)?;
    let password = PasswordForm::Plain(Secret::new(password));
    let tenant = Some(caller.tenant_name.as_str());
    let user = service.password_caller(tenant, &user, password).await;
    let refused = || Error::api(Code::Failed, format!("cannot log in to [{shown}]"));
    let user = user.map_err(|error| match error {
        ServiceError::Unauthenticated(_) | ServiceError::NotFound { .. } => refused(),
        other => other.into(),
    })?;
    let storages = service.list_repositories(&user).await?;
    let named = |name: &str| name == path || name == path.trim_start_matches('/');
    let found = storages.iter().find(|it| named(&it.url) || named(&it.name));
    match found {
        Some(storage) if user.tenant_id == caller.tenant_id => Ok(storage.id),
        _ => {
            let details = format!("there is no image store at [{shown}]");
            Err(Error::api(Code::Failed, details))
        }
    }
}

/// The backup with that uuid, if this face shows it.
async fn find_backup(
    service: &Service,
    caller: &Caller,
    field: &str,
    uuid: &str,
) -> Result<Backup, Error> {
    find(service, caller, uuid).await?.ok_or_else(|| {
        let details = format!(
            "invalid field[{field}], resource[uuid:{uuid}, type:DatabaseBackupVO] not found"
        );
        Error::api(Code::NotFound, details)
    })
}

async fn check_in(
    service: &Service,
    caller: &Caller,
    backup: &Backup,
    storage: RepositoryId,
) -> Result<(), Error> {
    let copies = service.copies_of(caller, &[backup.id]).await?;
    if backup.repository_id == storage || copies.iter().any(|it| it.repository_id == storage) {
        return Ok(());
    }
    let (backup, storage) = (backup.id.simple(), storage.simple());
    let details =
        format!("database backup[uuid:{backup}] not found in backup storage[uuid:{storage}]");
    Err(Error::api(Code::InvalidArgument, details))
}

/// That an export is there already, or is not, in the vendor's words.
fn exported(error: ServiceError, backup: &Backup, storage: RepositoryId, is: &str) -> Error {
    match error {
        ServiceError::NotFound { noun: "export", .. }
        | ServiceError::Conflict {
            kind: ConflictKind::AlreadyMember,
            ..
        } => {
            let (backup, storage) = (backup.id.simple(), storage.simple());
            let details = format!(
                "database backup[uuid{backup}] {is} exported from backupStorage[uuid:{storage}]"
            );
            Error::api(Code::InvalidArgument, details)
        }
        other => other.into(),
    }
}
