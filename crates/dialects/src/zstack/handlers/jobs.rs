//! Jobs: polled without a credential, because the vendor's SDKs have none to send when they use
//! access keys. The id, which nobody can guess, is the secret.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::value::RawValue;
use strongroom_domain::{
    Face, OperationId,
    operation::{Operation, OperationKind, OperationState},
};
use strongroom_http::extract::Base;
use strongroom_service::{
    Error as ServiceError, Service, jobs::SCAN_RESULT, operations::OperationResult,
};

use super::PathParams;
use crate::zstack::{
    call::{Call, RESULT, SCHEMA},
    error::{self, Error},
    map::{self, places::Places},
    wire::{
        backup::{DatabaseBackup, Synced},
        reply::{Empty, Failed, Json, One},
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
    let id = map::uuid(&uuid.0)
        .map(OperationId::from_uuid)
        .ok_or_else(unknown)?;
    match service.operation_result(id).await {
        Ok(found) if found.operation.face != Some(Face::Zstack) => Err(unknown()),
        Ok(found) => answer(found, Some(&call.base), call.schema),
        Err(ServiceError::NotFound { .. }) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}

fn unknown() -> Error {
    Error::transport(StatusCode::NOT_FOUND, "the job has been expired")
}

/// What a poll says of a job.
pub(crate) fn answer(
    found: OperationResult,
    base: Option<&Base>,
    schema: bool,
) -> Result<Response, Error> {
    let OperationResult {
        operation,
        backup,
        copies,
        exports,
    } = found;
    let operation = &operation;
    let schema = schema || operation.annotations.get(SCHEMA).is_some();
    match operation.state {
        OperationState::Pending | OperationState::Running => {
            Ok(Json(StatusCode::ACCEPTED, Empty {}).into_response())
        }
        OperationState::Succeeded => match (operation.kind, backup) {
            (OperationKind::Backup | OperationKind::CopyBackup, Some(backup)) => {
                let places = Places::new(copies, &exports, base);
                let result = One::new(map::backup(&backup, &places), schema);
                Ok(Json(StatusCode::OK, result).into_response())
            }
            (OperationKind::Scan, _) => {
                let result = Synced::read(operation.annotations.get(SCAN_RESULT), schema);
                Ok(Json(StatusCode::OK, result).into_response())
            }
            _ => recorded(operation),
        },
        OperationState::Failed | OperationState::Cancelled => {
            let error = match &operation.error {
                Some(error) => error::of_job(error),
                None => error::of_job(&cancelled()),
            };
            Ok(Json(StatusCode::SERVICE_UNAVAILABLE, Failed { error }).into_response())
        }
    }
}

fn cancelled() -> strongroom_domain::operation::OperationError {
    let (code, message) = ("cancelled".to_owned(), "it was cancelled".to_owned());
    strongroom_domain::operation::OperationError { code, message }
}

/// The result that was written down when the job was recorded; nothing to say without one.
fn recorded(operation: &Operation) -> Result<Response, Error> {
    let Some(result) = operation.annotations.text(RESULT) else {
        return Ok(Json(StatusCode::OK, Empty {}).into_response());
    };
    let result: &RawValue = serde_json::from_str(result)?;
    Ok(Json(StatusCode::OK, result).into_response())
}
