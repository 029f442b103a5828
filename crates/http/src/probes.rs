//! `/healthz`, `/readyz` and `/metrics`: for whoever runs the server. They take no credential.

use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};

/// The content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/healthz`: the process answers.
pub(crate) fn health<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/healthz", get(async || "ok\n"))
}

/// `/metrics` in the OpenMetrics text format.
pub(crate) fn metrics<S: Clone + Send + Sync + 'static>(registry: Arc<Registry>) -> Router<S> {
    Router::new().route("/metrics", get(async move || render(&registry)))
}

fn render(registry: &Registry) -> Response {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
