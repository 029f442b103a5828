//! GES's error codes: which one an error is, and its JSON in both versions.

use std::marker::PhantomData;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use strongroom_http::{
    dialect::{Fallback, FallbackReason},
    extract::Rejection,
};
use strongroom_service::{ConflictKind, Error as Core};

use super::{
    answer::json,
    wire::{v1, v2},
};

/// Shorthand for what the steps of a handler return.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not answered as wished.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The core refused.
    #[error(transparent)]
    Common(#[from] Core),
    /// A part of the request cannot be read.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The credential is good, but not for the project in the path.
    #[error("project `{0}` not found")]
    ForeignProject(String),
    /// One backup of a graph at a time.
    #[error("graph `{0}` is being backed up")]
    BackingUp(String),
    /// The request reached no handler.
    #[error("{}", fallback_text(.0))]
    Fallback(FallbackReason),
}

impl Error {
    /// A query parameter that is not acceptable.
    pub(super) fn parameter(name: &str, reason: &str) -> Self {
        let (name, reason) = (name.to_owned(), reason.to_owned());
        Rejection::Query { name, reason }.into()
    }

    /// The vendor's code and status. Where it documents no code, its gateway's.
    fn code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Common(error) => common(error),
            Self::Rejected(Rejection::Query { .. }) => (S::BAD_REQUEST, "GES.0001"),
            Self::Rejected(Rejection::Path { name, .. }) => unknown(name),
            Self::Rejected(
                Rejection::Json { .. } | Rejection::Syntax { .. } | Rejection::Header { .. },
            ) => (S::BAD_REQUEST, "GES.7016"),
            Self::ForeignProject(_) => (S::FORBIDDEN, "GES.0016"),
            Self::BackingUp(_) => (S::BAD_REQUEST, "GES.7002"),
            Self::Fallback(reason) => fallback_code(reason),
        }
    }
}

fn common(error: &Core) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match error {
        Core::NotFound { noun, .. } => unknown(noun),
        Core::Invalid(_) => (S::BAD_REQUEST, "GES.0001"),
        Core::Conflict { kind, .. } => (S::BAD_REQUEST, conflict(*kind)),
        Core::Unauthenticated(_) => (S::UNAUTHORIZED, "APIGW.0301"),
        Core::Forbidden { .. } => (S::FORBIDDEN, "GES.7041"),
        Core::Unavailable { .. } => (S::SERVICE_UNAVAILABLE, "GES.7004"),
        Core::Internal(_) => (S::INTERNAL_SERVER_ERROR, "GES.7006"),
    }
}

/// What is not known: a noun of the core, or a parameter in the path that is no id at all.
fn unknown(what: &str) -> (StatusCode, &'static str) {
    match what {
        "resource" | "graph_id" => (StatusCode::BAD_REQUEST, "GES.7000"),
        "backup" | "backup_id" => (StatusCode::BAD_REQUEST, "GES.7024"),
        "operation" | "job_id" => (StatusCode::BAD_REQUEST, "GES.7007"),
        "repository" => (StatusCode::BAD_REQUEST, "GES.7017"),
        _ => (StatusCode::NOT_FOUND, "GES.0016"),
    }
}

fn conflict(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::DuplicateName => "GES.7013",
        ConflictKind::QuotaExceeded => "GES.7019",
        ConflictKind::InUse | ConflictKind::WrongState => "GES.7002",
        ConflictKind::VersionMismatch
        | ConflictKind::KeyReused
        | ConflictKind::Locked
        | ConflictKind::AlreadyMember
        | ConflictKind::WrongKind => "GES.7009",
    }
}

fn fallback_code(reason: &FallbackReason) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match reason {
        FallbackReason::NotFound => (S::NOT_FOUND, "APIGW.0101"),
        FallbackReason::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "APIGW.0101"),
        FallbackReason::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "APIGW.0201"),
        FallbackReason::BodyUnreadable => (S::BAD_REQUEST, "GES.7016"),
        FallbackReason::TimedOut => (S::SERVICE_UNAVAILABLE, "GES.7004"),
        FallbackReason::Panicked => (S::INTERNAL_SERVER_ERROR, "GES.7006"),
    }
}

fn fallback_text(reason: &FallbackReason) -> String {
    match reason {
        FallbackReason::NotFound => "there is no such path".to_owned(),
        FallbackReason::MethodNotAllowed => "the path does not take this method".to_owned(),
        FallbackReason::BodyTooLarge { limit } => format!("the body is longer than {limit} bytes"),
        FallbackReason::BodyUnreadable => "the body could not be received".to_owned(),
        FallbackReason::TimedOut => "the answer took too long".to_owned(),
        FallbackReason::Panicked => "internal error".to_owned(),
    }
}

/// How a version words its errors.
pub(super) trait Version: Send + Sync + 'static {
    /// Its error body.
    type Failure: Serialize;

    /// What it calls the first and last day of its job list.
    const DAYS: (&str, &str);

    /// The body for a code and a text.
    fn failure(code: &'static str, message: String) -> Self::Failure;
}

/// Version 1.0.
#[derive(Debug)]
pub(super) enum V1 {}

/// Version 2.
#[derive(Debug)]
pub(super) enum V2 {}

impl Version for V1 {
    type Failure = v1::Failure;
    const DAYS: (&str, &str) = ("startTime", "endTime");

    fn failure(error_code: &'static str, message: String) -> v1::Failure {
        v1::Failure {
            error_code,
            error_message: message.clone(),
            error_msg: message,
        }
    }
}

impl Version for V2 {
    type Failure = v2::Failure;
    const DAYS: (&str, &str) = ("start_time", "end_time");

    fn failure(error_code: &'static str, error_msg: String) -> v2::Failure {
        v2::Failure {
            error_code,
            error_msg,
        }
    }
}

/// An error as version `V` answers it.
#[derive(Debug)]
pub(super) struct Refused<V>(pub(super) Error, PhantomData<fn() -> V>);

impl<V, E: Into<Error>> From<E> for Refused<V> {
    fn from(error: E) -> Self {
        Self(error.into(), PhantomData)
    }
}

impl<V: Version> IntoResponse for Refused<V> {
    fn into_response(self) -> Response {
        let (status, code) = self.0.code();
        if let Error::Common(Core::Internal(cause)) = &self.0 {
            tracing::error!(error = cause, code, "internal error");
        }
        let mut response = json(&V::failure(code, self.0.to_string()));
        *response.status_mut() = status;
        response
    }
}

/// Answers what no handler of this dialect answers, in the words of the path's version.
pub(super) fn fallback(fallback: Fallback) -> Response {
    let error = Error::Fallback(fallback.reason);
    if fallback.uri.path().starts_with("/v1.0/") {
        Refused::<V1>::from(error).into_response()
    } else {
        Refused::<V2>::from(error).into_response()
    }
}

#[cfg(test)]
mod tests;
