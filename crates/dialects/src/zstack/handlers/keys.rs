//! The caller's account, and the access keys of its users.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{
    CredentialId, PrincipalId, Secret,
    credential::{Credential, CredentialKind},
};
use strongroom_service::{Caller, ConflictKind, Error as ServiceError, Service};

use super::{Answer, Body, PathParams, action, parameters, tagged::untag};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map,
    wire::{
        account::{AccessKey, Account, CreateAccessKey, NewAccessKey},
        reply::{Accepted, Empty, Failed, One},
        storage::StorageState,
        timestamp,
    },
};

const MESSAGE: &str = "org.zstack.accessKey.APICreateAccessKeyMsg";

/// The account that the caller belongs to: it sees no other.
pub(crate) async fn accounts(service: &Service, caller: &Caller) -> Result<Vec<Account>, Error> {
    let tenant = service.tenant(caller).await?;
    let created = timestamp(tenant.created_at);
    Ok(vec![Account {
        uuid: tenant.id.simple(),
        name: tenant.name,
        account_type: "Normal",
        create_date: created.clone(),
        last_op_date: created,
    }])
}

/// The access keys that the caller may see.
pub(crate) async fn keys(service: &Service, caller: &Caller) -> Result<Vec<AccessKey>, Error> {
    let mut keys = service.list_credentials(caller).await?;
    keys.retain(|it| it.kind == CredentialKind::AccessKey);
    Ok(keys.into_iter().map(row).collect())
}

fn row(key: Credential) -> AccessKey {
    let created = timestamp(key.created_at);
    AccessKey {
        uuid: key.id.simple(),
        description: key.name,
        account_uuid: key.tenant_id.simple(),
        user_uuid: key.principal_id.simple(),
        access_key_id: key.lookup,
        state: map::storage_state(key.enabled),
        create_date: created.clone(),
        last_op_date: created,
    }
}

/// Makes an access key for a user of the caller's account.
#[utoipa::path(
    post,
    path = "/zstack/v1/accesskeys",
    operation_id = "CreateAccessKey",
    request_body = CreateAccessKey,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<CreateAccessKey>,
) -> Answer<Accepted> {
    let work = make(
        &service,
        &caller,
        body.0.params.unwrap_or_default(),
        call.schema,
    );
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn make(
    service: &Service,
    caller: &Caller,
    new: NewAccessKey,
    schema: bool,
) -> Result<Outcome, Error> {
    let account = map::mandatory_of(MESSAGE, "accountUuid", new.account_uuid)?;
    let user = map::mandatory_of(MESSAGE, "userUuid", new.user_uuid)?;
    let user = user_of(caller, &account, &user)?;
    let name = new.description.unwrap_or_else(|| "ZStack".to_owned());
    let issued = match (new.access_key_id, new.access_key_secret) {
        (Some(id), Some(secret)) => {
            lengths(&id, &secret)?;
            let secret = Secret::new(secret);
            let imported = service.import_access_key(caller, user, &name, &id, secret);
            imported.await.map_err(|error| taken(error, &id))?
        }
        (None, None) => service.create_access_key(caller, user, &name).await?,
        _ => {
            let details = "AccessKeyID and AccessKeySecret must be set together";
            return Err(Error::api(Code::InvalidArgument, details));
        }
    };
    let key = issued.credential.lookup.clone();
    let result = serde_json::to_string(&One::new(row(issued.credential), schema))?;
    Ok(Outcome::Key(result, key))
}

/// That there is a key with the id already; the core names what it is described as.
fn taken(error: ServiceError, id: &str) -> Error {
    match error {
        ServiceError::Conflict {
            noun: "credential",
            kind: ConflictKind::DuplicateName,
            ..
        } => {
            let details = format!("there is an access key with AccessKeyID[{id}] already");
            Error::api(Code::InvalidArgument, details)
        }
        other => other.into(),
    }
}

/// The user that is named; the account itself, a user of the vendor's, is the caller.
fn user_of(caller: &Caller, account: &str, user: &str) -> Result<PrincipalId, Error> {
    let unknown = |field: &str, uuid: &str, kind: &str| {
        let details =
            format!("invalid field[{field}], resource[uuid:{uuid}, type:{kind}] not found");
        Error::api(Code::NotFound, details)
    };
    if account != caller.tenant_id.simple() {
        return Err(unknown("accountUuid", account, "AccountVO"));
    }
    if user == account {
        return Ok(caller.principal_id);
    }
    let uuid = map::uuid(user).ok_or_else(|| unknown("userUuid", user, "UserVO"))?;
    Ok(PrincipalId::from_uuid(uuid))
}

fn lengths(id: &str, secret: &str) -> Result<(), Error> {
    for (field, text, most) in [("AccessKeyID", id, 20), ("AccessKeySecret", secret, 40)] {
        map::longest_of(MESSAGE, field, text, most)?;
        if text.chars().count() < 10 {
            let details =
                format!("field[{field}] of message[{MESSAGE}] must have 10 to {most} characters");
            return Err(Error::api(Code::InvalidArgument, details));
        }
    }
    Ok(())
}

/// Switches an access key on or off; one that is off signs nothing.
#[utoipa::path(
    put,
    path = "/zstack/v1/accesskeys/{uuid}/actions",
    operation_id = "ChangeAccessKeyState",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn switch(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let (_, content) = action(&uri, &body.0, &["changeAccessKeyState"])?;
    let change = parameters(content)?;
    let work = turn(&service, &caller, &uuid.0, change, call.schema);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn turn(
    service: &Service,
    caller: &Caller,
    uuid: &str,
    change: StorageState,
    schema: bool,
) -> Result<Outcome, Error> {
    let message = "org.zstack.accessKey.APIChangeAccessKeyStateMsg";
    let event = map::mandatory_of(message, "stateEvent", change.state_event)?;
    let enabled = map::enabled_by(message, &event)?;
    let keys = service.list_credentials(caller).await?;
    let is_it = |it: &&Credential| {
        it.kind == CredentialKind::AccessKey && Some(it.id.uuid()) == map::uuid(uuid)
    };
    let key = keys.iter().find(is_it).ok_or_else(|| {
        let details =
            format!("invalid field[uuid], resource[uuid:{uuid}, type:AccessKeyVO] not found");
        Error::api(Code::NotFound, details)
    })?;
    let key = service.switch_credential(caller, key.id, enabled).await?;
    Outcome::done(&One::new(row(key), schema))
}

/// Revokes an access key; one that is unknown is gone already.
#[utoipa::path(
    delete,
    path = "/zstack/v1/accesskeys/{uuid}",
    operation_id = "DeleteAccessKey",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Accepted> {
    let work = async {
        let id = CredentialId::from_uuid(map::well_formed(&uuid.0)?);
        match service.delete_credential(&caller, id).await {
            Ok(()) => untag(&service, &caller, &uuid.0).await?,
            Err(ServiceError::NotFound { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
}
