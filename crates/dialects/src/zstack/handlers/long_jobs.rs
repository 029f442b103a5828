//! Long jobs: calls submitted by their message's name, to be looked at and cancelled later.

use axum::{extract::State, http::Uri};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use strongroom_domain::{
    ObjectId, OperationId,
    object::FaceObject,
    operation::{Operation, OperationState, Subject},
};
use strongroom_service::{Caller, Error as ServiceError, Service, operations::NewOperation};

use super::{Answer, Body, PathParams, action, backup_actions, backups};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{self, Code, Error},
    map,
    wire::{
        long_job::{LongJob, LongJobBody, SubmitLongJob},
        reply::{Accepted, Empty, ErrorCode, Failed, One},
        timestamp,
    },
};

const KIND: &str = "longJob";

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
    let operation = match started {
        Some(id) => found(service.operation(Some(caller), id).await)?,
        None => None,
    };
    let (state, error) = outcome(started, operation.as_ref());
    Ok(LongJob {
        uuid: object.id.simple(),
        name: name.unwrap_or_default(),
        description,
        api_id: started.map(OperationId::simple),
        job_name: job_name.unwrap_or_default(),
        job_data: job_data.unwrap_or_default(),
        job_result: error.map(|it| serde_json::to_string(&it)).transpose()?,
        target_resource_uuid,
        state,
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(operation.map_or(object.updated_at, |it| it.updated_at)),
    })
}

/// What became of a job, and why it failed.
fn outcome(
    started: Option<OperationId>,
    operation: Option<&Operation>,
) -> (&'static str, Option<ErrorCode>) {
    if started.is_some() && operation.is_none() {
        let details = "nothing is known any more of what became of it";
        return ("Failed", Error::api(Code::Internal, details).code());
    }
    let error = operation.and_then(|it| Some(error::of_job(it.kind, it.error.as_ref()?)));
    (state(operation), error)
}

fn found(operation: Result<Operation, ServiceError>) -> Result<Option<Operation>, Error> {
    match operation {
        Ok(operation) => Ok(Some(operation)),
        Err(ServiceError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn state(operation: Option<&Operation>) -> &'static str {
    match operation.map(|it| it.state) {
        Some(OperationState::Pending) => "Waiting",
        Some(OperationState::Running) => "Running",
        // What ended at once has no operation of its own.
        Some(OperationState::Succeeded) | None => "Succeeded",
        Some(OperationState::Failed) => "Failed",
        Some(OperationState::Cancelled) => "Canceled",
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

/// Cancels a long job.
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
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    action(&uri, &body.0, &["cancelLongJob"])?;
    let work = stop(&service, &caller, &uuid.0);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn stop(service: &Service, caller: &Caller, uuid: &str) -> Result<Outcome, Error> {
    let object = find(service, caller, uuid).await?;
    let body = LongJobBody::deserialize(&object.body)?;
    let operation = match body.operation {
        Some(id) => found(service.operation(Some(caller), id).await)?,
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

/// Forgets a long job; what it did stays.
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
    let work = async {
        match find(&service, &caller, &uuid.0).await {
            Ok(object) => service.delete_object(&caller, &object).await?,
            Err(Error::Api {
                code: Code::NotFound,
                ..
            }) => {}
            Err(other) => return Err(other),
        }
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
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
