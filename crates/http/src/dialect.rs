//! What a dialect hands to the composed router.

use axum::{
    http::{Method, Uri},
    response::Response,
};
use futures_util::future::BoxFuture;
use strongroom_service::Service;
use utoipa_axum::router::OpenApiRouter;

use crate::extract::RequestId;

/// A vendor's API: its routes, and how it words errors for requests that reach no route.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// A short lower-case word, e.g. `astra`; names its OpenAPI document.
    pub name: &'static str,
    /// Its name for people, e.g. "NetApp Astra Control".
    pub title: &'static str,
    /// Its routes with absolute paths, and its OpenAPI document. Sets no fallback of its own.
    pub router: fn() -> OpenApiRouter<Service>,
    /// Whether a path is below its prefixes, so that its errors must be worded by it.
    pub owns: fn(path: &str) -> bool,
    /// Answers a request that no handler of it answers.
    pub fallback: fn(Fallback) -> Response,
    /// What it does on its own for as long as the server runs, if anything.
    pub background: Option<fn(Service) -> BoxFuture<'static, ()>>,
}

/// A request that no handler answers.
#[derive(Debug)]
pub struct Fallback {
    /// Why none does.
    pub reason: FallbackReason,
    /// The request's method.
    pub method: Method,
    /// The request's path and query as received.
    pub uri: Uri,
    /// The request's id, also in the response's `X-Request-Id`.
    pub request_id: RequestId,
}

/// Why no handler answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FallbackReason {
    /// There is no such path (404).
    NotFound,
    /// The path has other methods only (405). The composed router adds the `Allow` header.
    MethodNotAllowed,
    /// The body is longer than this many bytes (413).
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body could not be received, e.g. because the client went away (400).
    BodyUnreadable,
    /// No answer within the server's limit (503).
    TimedOut,
    /// A defect: the handler panicked (500). What happened is logged, never shown.
    Panicked,
}
