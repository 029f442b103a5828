//! One log span per request. The query is left out: vendors' clients put secrets into it.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tracing::Instrument as _;

use crate::extract::RequestId;

/// Runs the rest within a span that names the request, and logs how it was answered.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        request.id = request.extensions().get::<RequestId>().map(RequestId::as_str),
        http.method = %request.method(),
        http.path = request.uri().path(),
        http.route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str),
    );
    async move {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        if status >= 500 {
            tracing::warn!(http.status = status, "answered {status}");
        } else {
            tracing::debug!(http.status = status, "answered {status}");
        }
        response
    }
    .instrument(span)
    .await
}
