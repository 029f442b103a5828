//! One log span per request. The query is left out: vendors' clients put secrets into it.

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use tracing::Span;

use crate::{download::PREFIX, extract::RequestId};

/// The span that names the request.
pub(super) fn span(request: &Request, id: &RequestId) -> Span {
    tracing::info_span!(
        "request",
        request.id = id.as_str(),
        http.method = %request.method(),
        http.path = path(request),
        http.route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str),
    )
}

/// The path, unless whoever reads it could download with it.
fn path(request: &Request) -> &str {
    let path = request.uri().path();
    if path.starts_with(PREFIX) {
        PREFIX
    } else {
        path
    }
}

/// Logs how the request was answered.
pub(super) fn answered(response: &Response) {
    let status = response.status().as_u16();
    if status >= 500 {
        tracing::warn!(http.status = status, "answered {status}");
    } else {
        tracing::debug!(http.status = status, "answered {status}");
    }
}
