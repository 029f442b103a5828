//! The request as received: what signatures are computed over.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use bytes::Bytes;
use jiff::Timestamp;

/// The whole request body, put into the request's extensions before routing. Empty if there was
/// none.
#[derive(Debug, Clone, Default)]
pub struct RawBody(pub Bytes);

impl<S: Sync> FromRequestParts<S> for RawBody {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// The request's path and query exactly as received, percent-escapes and all.
#[derive(Debug, Clone)]
pub struct RawTarget(Uri);

impl RawTarget {
    /// Wraps a request's target.
    pub fn new(uri: Uri) -> Self {
        Self(uri)
    }

    /// The path, undecoded.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The query without its `?`, undecoded.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }
}

impl<S: Sync> FromRequestParts<S> for RawTarget {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.uri.clone()))
    }
}

/// Names a request in the log, in the response's `X-Request-Id` and in vendors' error bodies: the
/// client's own if it sent a usable one, else a random UUID.
#[derive(Debug, Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes the text of an id.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts.extensions.get().cloned();
        Ok(id.unwrap_or_else(|| Self::new("")))
    }
}

/// When a request arrived, put into its extensions by the outermost layer. Signatures are checked
/// against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival(pub Timestamp);

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let arrival = parts.extensions.get().copied();
        Ok(arrival.unwrap_or(Self(Timestamp::UNIX_EPOCH)))
    }
}
