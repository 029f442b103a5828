//! What handlers answer with.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::wire::Operation;
use crate::{
    etag::{IfNoneMatch, etag},
    problem::Problem,
};

/// What a handler returns.
pub(super) type Answer<T> = Result<Reply<T>, Problem>;

/// A JSON answer.
#[derive(Debug)]
pub(super) struct Reply<T> {
    status: StatusCode,
    value: T,
    version: Option<i64>,
    location: Option<String>,
}

impl<T> Reply<T> {
    fn new(status: StatusCode, value: T) -> Self {
        Self {
            status,
            value,
            version: None,
            location: None,
        }
    }

    /// 200.
    pub(super) fn ok(value: T) -> Self {
        Self::new(StatusCode::OK, value)
    }

    /// 201: it was made, and is at `location`.
    pub(super) fn created(value: T, location: String) -> Self {
        Self {
            location: Some(location),
            ..Self::new(StatusCode::CREATED, value)
        }
    }

    /// 202: it will be done; `location` shows how far it is.
    pub(super) fn accepted(value: T, location: String) -> Self {
        Self {
            location: Some(location),
            ..Self::new(StatusCode::ACCEPTED, value)
        }
    }

    /// Rather 201: it was made, and is at `location`.
    pub(super) fn made_at(self, location: String) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(location),
            ..self
        }
    }

    /// With the `ETag` of this version.
    pub(super) fn version(self, version: i64) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    /// With the `ETag` of this version, and without content if the client has it already.
    pub(super) fn unless(self, known: IfNoneMatch, version: i64) -> Self {
        let status = if known.has(version) {
            StatusCode::NOT_MODIFIED
        } else {
            self.status
        };
        Self {
            status,
            version: Some(version),
            ..self
        }
    }
}

impl Reply<Operation> {
    /// 202: what was asked for will be done by this operation.
    pub(super) fn operation(operation: strongroom_domain::operation::Operation) -> Self {
        let location = format!("/api/v1/operations/{}", operation.id);
        Self::accepted(operation.into(), location)
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let body = if self.status == StatusCode::NOT_MODIFIED {
            Body::empty()
        } else {
            match serde_json::to_vec(&self.value) {
                Ok(json) => Body::from(json),
                Err(error) => return unwritable(&error),
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(version) = self.version {
            headers.insert(header::ETAG, etag(version));
        }
        if let Some(location) = self.location.and_then(|it| HeaderValue::try_from(it).ok()) {
            headers.insert(header::LOCATION, location);
        }
        response
    }
}

fn unwritable(error: &serde_json::Error) -> Response {
    tracing::error!("an answer cannot be written as JSON: {error}");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, "internal", "internal error").into_response()
}
