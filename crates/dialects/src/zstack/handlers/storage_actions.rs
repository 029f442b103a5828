//! Adding, changing, checking and removing backup storages.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{Annotations, RepositoryId, Secret, repository::Repository};
use strongroom_service::{
    Caller, ConflictKind, Error as ServiceError, Service,
    operations::NewOperation,
    repositories::{CreateRepository, UpdateRepository},
};

use super::{
    Answer, Body, PathParams, action, ok, parameters, storages::find_storage, tagged::untag,
    tags::tag_new,
};
use crate::zstack::{
    auth::{Auth, Late},
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map::{
        self,
        store::{HOST_NAME, SSH_PORT, USER_NAME},
    },
    query::{params, tags::TagKind},
    wire::{
        reply::{Accepted, Empty, Failed, One},
        storage::{
            AddImageStore, Capacities, ImageStore, ImageStoreChange, NewImageStore, StorageChange,
            StorageState,
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
    let AddImageStore {
        params,
        system_tags,
        user_tags,
    } = body.0;
    let mut params = params.unwrap_or_default();
    params.system_tags.extend(system_tags);
    params.user_tags.extend(user_tags);
    let work = add_store(&service, &caller, call.schema, params);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn add_store(
    service: &Service,
    caller: &Caller,
    schema: bool,
    params: NewImageStore,
) -> Result<Outcome, Error> {
    let (new, system_tags, user_tags) = new_store(params)?;
    let added = service.create_repository(caller, new).await?;
    let row = ("BackupStorageVO", added.id.simple());
    tag_new(service, caller, TagKind::System, &row, system_tags).await?;
    tag_new(service, caller, TagKind::User, &row, user_tags).await?;
    Outcome::done(&One::new(ImageStore::of(&added), schema))
}

/// The repository that a client wants, checked, with its tags of the system and of users.
fn new_store(params: NewImageStore) -> Result<(CreateRepository, Vec<String>, Vec<String>), Error> {
    let NewImageStore {
        hostname,
        username,
        password,
        ssh_port,
        url,
        name,
        description,
        resource_uuid,
        system_tags,
        user_tags,
    } = params;
    let mandatory = |field, value| map::mandatory_of(ADD_MESSAGE, field, value);
    let hostname = mandatory("hostname", hostname)?;
    let username = mandatory("username", username)?;
    let password = mandatory("password", password)?;
    let url = mandatory("url", url)?;
    let name = mandatory("name", name)?;
    map::longest_of(ADD_MESSAGE, "name", &name, 255)?;
    check_place(&url)?;
    map::store::check_port("sshPort", ssh_port)?;
    let id = resource_uuid.as_deref().map(map::chosen_uuid).transpose()?;
    let new = CreateRepository {
        id: id.map(RepositoryId::from_uuid),
        description,
        password: Some(Secret::new(password)),
        annotations: reached_by(hostname, username, ssh_port),
        ..CreateRepository::at(name, url)
    };
    Ok((new, system_tags, user_tags))
}

/// Paths are absolute; places with a scheme are ours.
fn check_place(url: &str) -> Result<(), Error> {
    if url.starts_with('/') || url.contains(':') {
        return Ok(());
    }
    let details = format!("field[url] must be an absolute path, but was [{url}]");
    Err(Error::api(Code::InvalidArgument, details))
}

/// How the vendor's server would reach a storage; kept to be shown.
fn reached_by(host: String, user: String, port: Option<i64>) -> Annotations {
    let mut annotations = Annotations::default();
    annotations.set(HOST_NAME, host);
    annotations.set(USER_NAME, user);
    annotations.set(SSH_PORT, port.unwrap_or(22).to_string());
    annotations
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
    Late(auth): Late,
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
    let Auth(caller) = auth?;
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
        "updateBackupStorage" => {
            let message = "org.zstack.header.storage.backup.APIUpdateBackupStorageMsg";
            change_of_texts(message, parameters(content)?)?
        }
        "changeBackupStorageState" => change_of_state(parameters(content)?)?,
        _ => return reconnect(service, caller, call.operation(), storage).await,
    };
    let changed = service
        .update_repository(caller, storage, None, change)
        .await?;
    Outcome::done(&One::new(ImageStore::of(&changed), call.schema))
}

/// Changes an image store, or has it checked.
#[utoipa::path(
    put,
    path = "/zstack/v1/backup-storage/image-store/{uuid}/actions",
    operation_id = "UpdateImageStoreBackupStorage",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn act_on_image_store(
    State(service): State<Service>,
    call: Call,
    Late(auth): Late,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let names = [
        "updateImageStoreBackupStorage",
        "reconnectImageStoreBackupStorage",
    ];
    let (name, content) = action(&uri, &body.0, &names)?;
    let Auth(caller) = auth?;
    let work = change_image_store(&service, &caller, &call, &uuid.0, name, content);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn change_image_store(
    service: &Service,
    caller: &Caller,
    call: &Call,
    uuid: &str,
    name: &str,
    content: &Value,
) -> Result<Outcome, Error> {
    let storage = find_storage(service, caller, "uuid", uuid).await?;
    if name == "reconnectImageStoreBackupStorage" {
        return reconnect(service, caller, call.operation(), storage.id).await;
    }
    let change = image_store_change(storage.annotations, parameters(content)?)?;
    let changed = service
        .update_repository(caller, storage.id, Some(storage.version), change)
        .await?;
    Outcome::done(&One::new(ImageStore::of(&changed), call.schema))
}

/// What of a repository changes with an image store, whose `annotations` these are.
fn image_store_change(
    mut annotations: Annotations,
    change: ImageStoreChange,
) -> Result<UpdateRepository, Error> {
    let message = "org.zstack.storage.backup.imagestore.APIUpdateImageStoreBackupStorageMsg";
    let ImageStoreChange {
        storage,
        hostname,
        username,
        password,
        ssh_port,
    } = change;
    if password.is_some() {
        let details = "the password of a repository cannot be changed";
        return Err(Error::api(Code::Failed, details));
    }
    map::store::check_port("sshPort", ssh_port)?;
    let given = [
        (HOST_NAME, hostname),
        (USER_NAME, username),
        (SSH_PORT, ssh_port.map(|it| it.to_string())),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            annotations.set(key, value);
        }
    }
    Ok(UpdateRepository {
        annotations: Some(annotations),
        ..change_of_texts(message, storage)?
    })
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

fn change_of_texts(message: &str, change: StorageChange) -> Result<UpdateRepository, Error> {
    Ok(UpdateRepository {
        name: map::new_name(message, change.name)?,
        description: map::description(message, change.description)?.map(Some),
        ..UpdateRepository::default()
    })
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
    let id = RepositoryId::from_uuid(map::well_formed(uuid)?);
    match service.delete_repository(caller, id, None).await {
        Ok(()) => {
            untag(service, caller, uuid).await?;
            Outcome::done(&Empty {})
        }
        Err(ServiceError::NotFound { .. }) => Outcome::done(&Empty {}),
        Err(ServiceError::Conflict {
            kind: ConflictKind::InUse,
            message,
            ..
        }) => Err(Error::api(Code::CannotDelete, message)),
        Err(other) => Err(other.into()),
    }
}

/// Refuses a list of uuids some of which name nothing.
pub(super) fn all_known(
    field: &str,
    uuids: &[String],
    kind: &str,
    known: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let uuids = uuids.iter().map(|it| it.trim());
    let unknown: Vec<_> = uuids.filter(|it| !known(it)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown = unknown.join(", ");
    let details =
        format!("invalid field[{field}], resource[uuids:[{unknown}], type:{kind}] not found");
    Err(Error::api(Code::NotFound, details))
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
    let all = service.list_repositories(&caller).await?;
    let wanted = wanted(uri.query().unwrap_or_default(), &all)?;
    let storages = wanted.into_iter().map(map::storage);
    Ok(ok(storages.fold(Capacities::default(), Capacities::add)))
}

/// The storages whose capacity a query asks for.
fn wanted<'a>(query: &str, storages: &'a [Repository]) -> Result<Vec<&'a Repository>, Error> {
    let uuids = params::list(query, "backupStorageUuids");
    let all = params::boolean(query, "all")?.unwrap_or(false);
    let zones = params::list(query, "zoneUuids");
    if !all && uuids.is_empty() && zones.is_empty() {
        let details = "zoneUuids, backupStorageUuids must have at least one be none-empty list, \
                       or all is set to true";
        return Err(Error::api(Code::InvalidArgument, details));
    }
    all_known("backupStorageUuids", &uuids, "BackupStorageVO", |it| {
        storages.iter().any(|storage| storage.id.simple() == it)
    })?;
    // There are no zones.
    all_known("zoneUuids", &zones, "ZoneVO", |_| false)?;
    let wanted = |it: &&Repository| all || uuids.contains(&it.id.simple());
    Ok(storages.iter().filter(wanted).collect())
}
