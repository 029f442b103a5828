//! Long jobs: calls submitted by their message's name, to be looked at and cancelled later.

use axum::{extract::State, http::Uri};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use strongroom_domain::{
    ObjectId, OperationId,
    object::FaceObject,
    operation::{OperationState, Subject},
};
use strongroom_service::{
    Caller, Error as ServiceError, Service,
    operations::{NewOperation, OperationResult},
};

use super::{
    Answer, Body, PathParams, action, backup_actions, backups,
    jobs::{self, Standing},
    parameters,
    tagged::{unless_unknown, untag},
};
use crate::zstack::{
    auth::{Auth, Late},
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map,
    wire::{
        long_job::{LongJob, LongJobBody, SubmitLongJob},
        reply::{Accepted, Empty, Failed, One},
        timestamp,
    },
};

pub(super) const KIND: &str = "longJob";

/// The tenant's long jobs.
pub(crate) async fn rows(service: &Service, caller: &Caller) -> Result<Vec<LongJob>, Error> {
    let mut jobs = Vec::new();
    for object in service.list_objects(caller, KIND).await? {
        jobs.push(row(service, caller, &object).await?);
    }
    Ok(jobs)
}

async fn row(service: &Service, caller: &Caller, object: &FaceObject) -> Result<LongJob, Error> {
    let LongJobBody {
        name,
        description,
        job_name,
        job_data,
        target_resource_uuid,
        operation,
    } = LongJobBody::deserialize(&object.body)?;
    let started = operation;
    let found = behind(service, caller, started).await?;
    let operation = found.as_ref().map(|it| &it.operation);
    let updated_at = operation.map_or(object.updated_at, |it| it.updated_at);
    // What ended at once has no operation of its own.
    let ended = operation.map_or(Some(updated_at), |it| it.finished_at);
    let (state, job_result) = outcome(service, started, found)?;
    Ok(LongJob {
        uuid: object.id.simple(),
        name: name.unwrap_or_default(),
        description,
        api_id: started.map(OperationId::simple),
        job_name: job_name.unwrap_or_default(),
        job_data: job_data.unwrap_or_default(),
        job_result,
        target_resource_uuid,
        state,
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(updated_at),
        execute_time: ended.map(|it| it.duration_since(object.created_at).as_secs().max(1)),
    })
}

/// What carries a long job out, as far as it is known.
async fn behind(
    service: &Service,
    caller: &Caller,
    started: Option<OperationId>,
) -> Result<Option<OperationResult>, Error> {
    let found = match started {
        Some(id) => known(service.operation_result(id).await)?,
        None => None,
    };
    // The id of what another tenant does cannot come from here.
    Ok(found.filter(|it| it.operation.tenant_id == caller.tenant_id))
}

/// What became of a job, and what a poll of it says once it has ended, as JSON text.
fn outcome(
    service: &Service,
    started: Option<OperationId>,
    found: Option<OperationResult>,
) -> Result<(&'static str, Option<String>), Error> {
    let Some(found) = found else {
        return Ok(if started.is_some() {
            let details = "nothing is known any more of what became of it";
            let error = Error::api(Code::Internal, details).code();
            ("Failed", Some(serde_json::to_string(&error)?))
        } else {
            // The vendor's word where there is no result.
            ("Succeeded", Some("Succeeded".to_owned()))
        });
    };
    let state = found.operation.state;
    Ok(match jobs::standing(found, service.now(), None, false)? {
        Standing::Open if state == OperationState::Pending => ("Waiting", None),
        Standing::Open => ("Running", None),
        Standing::Done(result) => ("Succeeded", Some(result.get().to_owned())),
        Standing::Failed(error) => {
            let cancelled = state == OperationState::Cancelled;
            let word = if cancelled { "Canceled" } else { "Failed" };
            (word, Some(serde_json::to_string(&error)?))
        }
    })
}

fn known<T>(found: Result<T, ServiceError>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ServiceError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// Submits a long job.
#[utoipa::path(
    post,
    path = "/zstack/v1/longjobs",
    operation_id = "SubmitLongJob",
    request_body = SubmitLongJob,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn submit(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<SubmitLongJob>,
) -> Answer<Accepted> {
    let work = start(
        &service,
        &caller,
        body.0.params.unwrap_or_default(),
        call.schema,
    );
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn start(
    service: &Service,
    caller: &Caller,
    mut body: LongJobBody,
    schema: bool,
) -> Result<Outcome, Error> {
    let message = "org.zstack.header.longjob.APISubmitLongJobMsg";
    let job_name = map::mandatory_of(message, "jobName", body.job_name)?;
    let job_data = map::mandatory_of(message, "jobData", body.job_data)?;
    let data: Map<String, Value> = serde_json::from_str(&job_data)
        .map_err(|error| Error::api(Code::InvalidArgument, format!("invalid jobData: {error}")))?;
    let kept = without_password(&data);
    let outcome = dispatch(service, caller, &job_name, data).await?;
    body.operation = match outcome {
        Outcome::Started(operation) => Some(operation.id),
        Outcome::Done(_) | Outcome::Key(..) => None,
    };
    (body.job_name, body.job_data) = (Some(job_name), Some(kept));
    let object = serde_json::to_value(&body)?;
    let object = service.create_object(caller, KIND, None, object).await?;
    Outcome::done(&One::new(row(service, caller, &object).await?, schema))
}

/// Starts the call that a message of this name is.
async fn dispatch(
    service: &Service,
    caller: &Caller,
    name: &str,
    data: Map<String, Value>,
) -> Result<Outcome, Error> {
    let operation = NewOperation::default();
    match name.rsplit('.').next().unwrap_or_default() {
        "APICreateDatabaseBackupMsg" => {
            backups::start(service, caller, operation, read(data)?).await
        }
        "APIRecoverDatabaseFromBackupMsg" => {
            backup_actions::start_recovery(service, caller, operation, read(data)?).await
        }
        "APISyncDatabaseBackupFromImageStoreBackupStorageMsg" => {
            let uuid = data
                .get("uuid")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            let places = read(data)?;
            backup_actions::start_copy(service, caller, operation, &uuid, places).await
        }
        _ => {
            let details = format!("there is no long job of [{name}]");
            Err(Error::api(Code::InvalidArgument, details))
        }
    }
}

/// The data as they are kept and shown again.
fn without_password(data: &Map<String, Value>) -> String {
    let mut data = data.clone();
    if let Some(password) = data.get_mut("mysqlRootPassword") {
        *password = "*****".into();
    }
    Value::Object(data).to_string()
}

fn read<T: serde::de::DeserializeOwned>(data: Map<String, Value>) -> Result<T, Error> {
    serde_json::from_value(Value::Object(data))
        .map_err(|error| Error::api(Code::InvalidArgument, format!("invalid jobData: {error}")))
}

/// Cancels a long job, or changes what it is called.
#[utoipa::path(
    put,
    path = "/zstack/v1/longjobs/{uuid}/actions",
    operation_id = "CancelLongJob",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn cancel(
    State(service): State<Service>,
    call: Call,
    Late(auth): Late,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    // Other actions of the vendor's at this path must not be taken for a cancellation.
    let (name, content) = action(&uri, &body.0, &["cancelLongJob", "updateLongJob"])?;
    let Auth(caller) = auth?;
    let work = async {
        if name == "cancelLongJob" {
            return stop(&service, &caller, &uuid.0).await;
        }
        let change = parameters(content)?;
        let job = rename(&service, &caller, &uuid.0, change).await?;
        Outcome::done(&One::new(job, call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn rename(
    service: &Service,
    caller: &Caller,
    uuid: &str,
    change: LongJobBody,
) -> Result<LongJob, Error> {
    let object = find(service, caller, uuid).await?;
    let mut body = LongJobBody::deserialize(&object.body)?;
    body.name = change.name.or(body.name);
    body.description = change.description.or(body.description);
    let body = serde_json::to_value(body)?;
    let object = service.update_object(caller, &object, body).await?;
    row(service, caller, &object).await
}

async fn stop(service: &Service, caller: &Caller, uuid: &str) -> Result<Outcome, Error> {
    let object = find(service, caller, uuid).await?;
    let body = LongJobBody::deserialize(&object.body)?;
    let operation = match body.operation {
        Some(id) => known(service.operation(Some(caller), id).await)?,
        None => None,
    };
    match operation.and_then(|it| it.subject) {
        Some(Subject::Backup(id)) => {
            service.cancel_backup(caller, id).await?;
        }
        Some(Subject::Restore(id)) => {
            service.cancel_restore(caller, id).await?;
        }
        _ => return Err(Error::api(Code::Failed, "the long job cannot be cancelled")),
    }
    Outcome::done(&Empty {})
}

/// Forgets a long job that has ended; what it did stays.
#[utoipa::path(
    delete,
    path = "/zstack/v1/longjobs/{uuid}",
    operation_id = "DeleteLongJob",
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
    map::well_formed(uuid)?;
    let found = find(service, caller, uuid).await;
    let Some(object) = unless_unknown(found)? else {
        return Outcome::done(&Empty {});
    };
    let LongJob { state, .. } = row(service, caller, &object).await?;
    // Nobody could look at the work, or end it, any more.
    if matches!(state, "Waiting" | "Running") {
        let details = format!("long job[uuid:{uuid}] is {state}: cancel it, or let it end first");
        return Err(Error::api(Code::CannotDelete, details));
    }
    service.delete_object(caller, &object).await?;
    untag(service, caller, uuid).await?;
    Outcome::done(&Empty {})
}

async fn find(service: &Service, caller: &Caller, uuid: &str) -> Result<FaceObject, Error> {
    let unknown = || {
        let details =
            format!("invalid field[uuid], resource[uuid:{uuid}, type:LongJobVO] not found");
        Error::api(Code::NotFound, details)
    };
    let id = map::uuid(uuid)
        .map(ObjectId::from_uuid)
        .ok_or_else(unknown)?;
    match service.object(caller, KIND, id).await {
        Ok(object) => Ok(object),
        Err(ServiceError::NotFound { .. }) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}
