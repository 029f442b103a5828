//! Jobs: polled without a credential, because the vendor's SDKs have none to send when they use
//! access keys. The id, which nobody can guess, is the secret.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use strongroom_domain::{
    Face, OperationId,
    operation::{Operation, OperationError, OperationKind, OperationState},
    restore::RestoreState,
};
use strongroom_http::extract::Base;
use strongroom_service::{
    Error as ServiceError, Service, jobs::SCAN_RESULT, operations::OperationResult,
};

use super::PathParams;
use crate::zstack::{
    call::{ACCESS_KEY, Call, DEADLINE, RESULT, SCHEMA},
    error::{self, Code, Error},
    map::{self, places::Places},
    stranger,
    wire::{
        backup::{DatabaseBackup, Synced},
        reply::{Empty, ErrorCode, Failed, Json, One},
        storage::ImageStore,
    },
};

/// Says how a job stands, or its result.
#[utoipa::path(
    get,
    path = "/zstack/v1/api-jobs/{uuid}",
    operation_id = "QueryApiJob",
    params(("uuid" = String, Path)),
    responses(
        (status = 200, body = One<DatabaseBackup>),
        (status = 202, body = Empty),
        (status = 404, description = "the job is not known (any more)"),
        (status = 503, body = Failed),
    ),
)]
pub(crate) async fn show(
    State(service): State<Service>,
    call: Call,
    uuid: PathParams<String>,
) -> Result<Response, Error> {
    let id = map::job(&uuid.0).ok_or_else(unknown)?;
    poll(&service, id, Some(&call.base), call.schema).await
}

/// What a poll says of a job, with all that belongs into its result.
pub(crate) async fn poll(
    service: &Service,
    id: OperationId,
    base: Option<&Base>,
    schema: bool,
) -> Result<Response, Error> {
    match service.operation_result(id).await {
        Ok(found) if found.operation.face != Some(Face::Zstack) => Err(unknown()),
        Ok(mut found) => {
            add_secret(service, &mut found.operation).await?;
            answer(found, service.now(), base, schema)
        }
        Err(ServiceError::NotFound { .. }) if stranger::has(id, service.now()) => {
            Err(Error::session_expired())
        }
        Err(ServiceError::NotFound { .. }) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}

pub(crate) fn unknown() -> Error {
    Error::transport(StatusCode::NOT_FOUND, "the job has been expired")
}

/// Puts the secret of a new access key into the result.
async fn add_secret(service: &Service, operation: &mut Operation) -> Result<(), Error> {
    let annotations = &mut operation.annotations;
    let (Some(key), Some(result)) = (annotations.text(ACCESS_KEY), annotations.text(RESULT)) else {
        return Ok(());
    };
    let mut result: serde_json::Value = serde_json::from_str(result)?;
    match service.access_key(key).await {
        Ok((_, secret)) => result["inventory"]["AccessKeySecret"] = secret.expose().into(),
        // It was revoked since.
        Err(ServiceError::Unauthenticated(_)) => {}
        Err(other) => return Err(other.into()),
    }
    annotations.set(RESULT, result.to_string());
    Ok(())
}

/// How a job stands.
#[derive(Debug)]
pub(crate) enum Standing {
    /// It has not ended.
    Open,
    /// It ended well, with this result.
    Done(Box<RawValue>),
    Failed(ErrorCode),
}

/// What a poll says of a job.
pub(crate) fn answer(
    found: OperationResult,
    now: Timestamp,
    base: Option<&Base>,
    schema: bool,
) -> Result<Response, Error> {
    Ok(match standing(found, now, base, schema)? {
        Standing::Open => Json(StatusCode::ACCEPTED, Empty {}).into_response(),
        Standing::Done(result) => Json(StatusCode::OK, result).into_response(),
        Standing::Failed(error) => {
            Json(StatusCode::SERVICE_UNAVAILABLE, Failed { error }).into_response()
        }
    })
}

/// How a job stands, with all that belongs into its result.
pub(crate) fn standing(
    found: OperationResult,
    now: Timestamp,
    base: Option<&Base>,
    schema: bool,
) -> Result<Standing, Error> {
    if let Some(error) = overdue(&found.operation, now) {
        return Ok(failed(found.operation.kind, &error));
    }
    match found.operation.state {
        OperationState::Pending | OperationState::Running => Ok(Standing::Open),
        OperationState::Succeeded => succeeded(found, base, schema),
        OperationState::Failed | OperationState::Cancelled => {
            let error = found.operation.error.unwrap_or_else(cancelled);
            Ok(failed(found.operation.kind, &error))
        }
    }
}

/// The result of a job that ended well.
fn succeeded(found: OperationResult, base: Option<&Base>, schema: bool) -> Result<Standing, Error> {
    let OperationResult {
        operation,
        backup,
        copies,
        exports,
        restore,
        repository,
    } = found;
    // The vendor's word for a recovery of which a part is missing is the same as for none.
    if let Some(restore) = restore.filter(|it| it.state == RestoreState::Partial) {
        let message = restore.reason.unwrap_or_default();
        let code = "partial".to_owned();
        return Ok(failed(operation.kind, &OperationError { code, message }));
    }
    let schema = schema || operation.annotations.get(SCHEMA).is_some();
    match (operation.kind, backup, repository) {
        (OperationKind::Backup | OperationKind::CopyBackup, Some(backup), _) => {
            let places = Places::new(copies, &exports, base);
            done(&One::new(map::backup(&backup, &places), schema))
        }
        (OperationKind::Scan, ..) => done(&Synced::read(
            operation.annotations.get(SCAN_RESULT),
            schema,
        )),
        (OperationKind::Verify, _, Some(repository)) => {
            done(&One::new(ImageStore::of(&repository), schema))
        }
        _ => recorded(&operation),
    }
}

fn done(result: &impl Serialize) -> Result<Standing, Error> {
    Ok(Standing::Done(to_raw_value(result)?))
}

fn failed(kind: OperationKind, error: &OperationError) -> Standing {
    Standing::Failed(error::of_job(kind, error))
}

/// What a job has failed with that takes, or took, longer than its client allows. The work behind
/// it is not ended by that.
fn overdue(operation: &Operation, now: Timestamp) -> Option<OperationError> {
    let allowed = operation.annotations.get(DEADLINE)?.as_i64()?;
    let until = operation.finished_at.unwrap_or(now);
    let taken = until.duration_since(operation.created_at);
    (taken > SignedDuration::from_millis(allowed)).then(|| OperationError {
        code: Code::Timeout.as_str().to_owned(),
        message: format!("the job did not end within {allowed} ms"),
    })
}

fn cancelled() -> OperationError {
    let (code, message) = ("cancelled".to_owned(), "it was cancelled".to_owned());
    OperationError { code, message }
}

/// The result that was written down when the job was recorded; nothing to say without one.
fn recorded(operation: &Operation) -> Result<Standing, Error> {
    match operation.annotations.text(RESULT) {
        Some(result) => Ok(Standing::Done(RawValue::from_string(result.to_owned())?)),
        None => done(&Empty {}),
    }
}
