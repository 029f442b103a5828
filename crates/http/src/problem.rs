//! RFC 9457 problems: how the native API says what is wrong.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use strongroom_service::{ConflictKind, Error as ServiceError};
use utoipa::ToSchema;

use crate::{
    dialect::{Fallback, FallbackReason},
    extract::Rejection,
};

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem: `urn:strongroom:problem:<code>`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    /// The kind in a few words.
    #[schema(value_type = String)]
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// The kind for programs, e.g. `not_found`.
    #[schema(value_type = String)]
    pub code: Box<str>,
    /// What happened this time.
    pub detail: String,
    /// The fields that are not acceptable, all at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// A field that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field, e.g. `settings.path`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Problem {
    /// A problem of the kind `code`.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:strongroom:problem:{code}").into(),
            title: code.replace('_', " ").into(),
            status: status.as_u16(),
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// One field that is not acceptable.
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        let (field, reason) = (field.into(), reason.into());
        let detail = match field.as_str() {
            "" => reason.clone(),
            name => format!("`{name}`: {reason}"),
        };
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid", detail);
        problem.errors.push(FieldProblem { field, reason });
        problem
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        if let Rejection::Syntax { .. } = rejection {
            let detail = rejection.to_string();
            return Self::new(StatusCode::BAD_REQUEST, "malformed", detail);
        }
        Self::field(rejection.field(), rejection.reason())
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let mut problem = Self::new(status(&error), error.code(), error.to_string());
        match error {
            ServiceError::Invalid(fields) => {
                let fields = fields.into_iter().map(|it| FieldProblem {
                    field: it.field,
                    reason: it.reason,
                });
                problem.errors = fields.collect();
            }
            ServiceError::Internal(source) => {
                tracing::error!("internal error: {}", chain(&*source));
            }
            _ => {}
        }
        problem
    }
}

fn status(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::NotFound { .. } => StatusCode::NOT_FOUND,
        ServiceError::Invalid(_) => StatusCode::BAD_REQUEST,
        ServiceError::Conflict { kind, .. } => match kind {
            ConflictKind::VersionMismatch => StatusCode::PRECONDITION_FAILED,
            ConflictKind::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::CONFLICT,
        },
        ServiceError::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        ServiceError::Forbidden { .. } => StatusCode::FORBIDDEN,
        ServiceError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        ServiceError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error and everything that caused it, in one line for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

impl From<&Fallback> for Problem {
    fn from(fallback: &Fallback) -> Self {
        let (method, path) = (&fallback.method, fallback.uri.path());
        match fallback.reason {
            FallbackReason::NotFound => {
                let detail = format!("nothing is at `{path}`");
                Self::new(StatusCode::NOT_FOUND, "not_found", detail)
            }
            FallbackReason::MethodNotAllowed => {
                let detail = format!("`{path}` does not take {method}");
                Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
            }
            FallbackReason::BodyTooLarge { limit } => {
                let detail = format!("the body is longer than {limit} bytes");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
            }
            FallbackReason::BodyUnreadable => {
                let detail = "the body could not be received";
                Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
            }
            FallbackReason::TimedOut => {
                let detail = "there was no answer in time";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            }
            FallbackReason::Panicked => {
                let detail = "internal error";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, json).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
