//! Adding, changing, checking and removing backup storages.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{Annotations, RepositoryId, Secret};
use strongroom_service::{
    Caller, ConflictKind, Error as ServiceError, Service,
    operations::NewOperation,
    repositories::{CreateRepository, UpdateRepository},
};

use super::{Answer, Body, PathParams, action, ok, parameters, storages::find_storage};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map::{
        self,
        store::{HOST_NAME, SSH_PORT, USER_NAME},
    },
    query::params,
    wire::{
        reply::{Accepted, Empty, Failed, One},
        storage::{
            AddImageStore, Capacities, ImageStore, NewImageStore, StorageChange, StorageState,
        },
    },
};

const ADD_MESSAGE: &str = "org.zstack.storage.backup.imagestore.APIAddImageStoreBackupStorageMsg";

/// Registers a repository: the one at the path `url` of this server, or at an `s3:` URL, opened or
/// made with the password.
#[utoipa::path(
    post,
    path = "/zstack/v1/backup-storage/image-store",
    operation_id = "AddImageStoreBackupStorage",
    request_body = AddImageStore,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn add(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<AddImageStore>,
) -> Answer<Accepted> {
    let work = add_store(
        &service,
        &caller,
        call.schema,
        body.0.params.unwrap_or_default(),
    );
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn add_store(
    service: &Service,
    caller: &Caller,
    schema: bool,
    params: NewImageStore,
) -> Result<Outcome, Error> {
    let NewImageStore {
        hostname,
        username,
        password,
        ssh_port,
        url,
        name,
        description,
    } = params;
    let mandatory = |field, value| map::mandatory_of(ADD_MESSAGE, field, value);
    let hostname = mandatory("hostname", hostname)?;
    let username = mandatory("username", username)?;
    let password = mandatory("password", password)?;
    let url = mandatory("url", url)?;
    let name = mandatory("name", name)?;
    map::store::check_port("sshPort", ssh_port.clone())?;
    let mut annotations = Annotations::default();
    annotations.set(HOST_NAME, hostname);
    annotations.set(USER_NAME, username);
    annotations.set(SSH_PORT, ssh_port.unwrap_or_else(|| "22".to_owned()));
    let request = CreateRepository {
        description,
        password: Some(Secret::new(password)),
        annotations,
        ..CreateRepository::at(name, url)
    };
    let added = service.create_repository(caller, request).await?;
    Outcome::done(&One::new(ImageStore::of(&added), schema))
}

/// Changes a storage, or has it checked.
#[utoipa::path(
    put,
    path = "/zstack/v1/backup-storage/{uuid}/actions",
    operation_id = "UpdateBackupStorage",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn act(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let names = [
        "updateBackupStorage",
        "changeBackupStorageState",
        "reconnectBackupStorage",
    ];
    let (name, content) = action(&uri, &body.0, &names)?;
    let work = change(&service, &caller, &call, &uuid.0, name, content);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn change(
    service: &Service,
    caller: &Caller,
    call: &Call,
    uuid: &str,
    name: &str,
    content: &Value,
) -> Result<Outcome, Error> {
    let storage = find_storage(service, caller, "uuid", uuid).await?.id;
    let change = match name {
        "updateBackupStorage" => parameters::<StorageChange>(content)?.into(),
        "changeBackupStorageState" => change_of_state(parameters(content)?)?,
        _ => return reconnect(service, caller, call.operation(), storage).await,
    };
    let changed = service
        .update_repository(caller, storage, None, change)
        .await?;
    Outcome::done(&One::new(ImageStore::of(&changed), call.schema))
}

async fn reconnect(
    service: &Service,
    caller: &Caller,
    operation: NewOperation,
    storage: RepositoryId,
) -> Result<Outcome, Error> {
    let operation = service
        .verify_repository(caller, storage, operation)
        .await?;
    Ok(Outcome::Started(operation))
}

fn change_of_state(StorageState { state_event }: StorageState) -> Result<UpdateRepository, Error> {
    let message = "org.zstack.header.storage.backup.APIChangeBackupStorageStateMsg";
    let event = map::mandatory_of(message, "stateEvent", state_event)?;
    let enabled = map::enabled_by(message, &event)?;
    Ok(UpdateRepository {
        enabled: Some(enabled),
        ..UpdateRepository::default()
    })
}

/// Forgets a storage without backups; one that is unknown is gone already.
#[utoipa::path(
    delete,
    path = "/zstack/v1/backup-storage/{uuid}",
    operation_id = "DeleteBackupStorage",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Accepted> {
    let work = forget(&service, &caller, &uuid.0);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn forget(service: &Service, caller: &Caller, uuid: &str) -> Result<Outcome, Error> {
    let Some(id) = map::uuid(uuid).map(RepositoryId::from_uuid) else {
        let details = format!("invalid value[{uuid}] of field [uuid]");
        return Err(Error::api(Code::NotFound, details));
    };
    match service.delete_repository(caller, id, None).await {
        Ok(()) | Err(ServiceError::NotFound { .. }) => Outcome::done(&Empty {}),
        Err(ServiceError::Conflict {
            kind: ConflictKind::InUse,
            message,
            ..
        }) => Err(Error::api(Code::CannotDelete, message)),
        Err(other) => Err(other.into()),
    }
}

/// Says how much storages hold and have left, as far as they are limited.
#[utoipa::path(
    get,
    path = "/zstack/v1/backup-storage/capacities",
    operation_id = "GetBackupStorageCapacity",
    params(
        ("all" = Option<bool>, Query),
        ("backupStorageUuids" = Option<Vec<String>>, Query),
    ),
    responses((status = 200, body = Capacities), (status = 503, body = Failed)),
)]
pub(crate) async fn capacities(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<Capacities> {
    let query = uri.query().unwrap_or_default();
    let uuids = params::list(query, "backupStorageUuids");
    let all = params::list(query, "all").iter().any(|it| it == "true");
    let zones = params::list(query, "zoneUuids");
    if !all && uuids.is_empty() && zones.is_empty() {
        let details = "zoneUuids, backupStorageUuids must have at least one be none-empty list, \
                       or all is set to true";
        return Err(Error::api(Code::InvalidArgument, details));
    }
    let storages = service.list_repositories(&caller).await?;
    let wanted = |id: RepositoryId| all || uuids.contains(&id.simple());
    let storages = storages.iter().filter(|it| wanted(it.id)).map(map::storage);
    Ok(ok(storages.fold(Capacities::default(), Capacities::add)))
}
