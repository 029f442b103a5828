//! One file per noun; each handler reads the request, calls the core and writes the answer.

pub(crate) mod accounts;
pub(crate) mod backups;
pub(crate) mod jobs;
pub(crate) mod storages;

use axum::http::{StatusCode, Uri};

use super::{
    error::Error,
    wire::reply::{Empty, Json},
};

/// The body of a request.
pub(crate) type Body<T> = strongroom_http::extract::Body<T, Error>;
/// Segments of the path.
pub(crate) type PathParams<T> = strongroom_http::extract::PathParams<T, Error>;

/// What a handler answers.
pub(crate) type Answer<T> = Result<Json<T>, Error>;

/// Answers a path of the vendor's that is not served.
pub(crate) async fn not_served(uri: Uri) -> Error {
    Error::no_mapping(uri.path())
}

fn ok<T>(value: T) -> Json<T> {
    Json(StatusCode::OK, value)
}

fn empty() -> Json<Empty> {
    ok(Empty {})
}
