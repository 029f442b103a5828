//! `/healthz`, `/readyz` and `/metrics`: for whoever runs the server. They take no credential.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use strongroom_service::Service;

use crate::problem::{Problem, chain};

/// The content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/healthz`: the process answers. `/readyz`: its database does too.
pub(crate) fn health() -> Router<Service> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
}

async fn ready(service: State<Service>) -> Result<&'static str, Problem> {
    match service.ready().await {
        Ok(()) => Ok("ok\n"),
        Err(error) => {
            tracing::warn!("not ready: {}", chain(&error));
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Problem::new(
                status,
                "unavailable",
                "the database does not answer",
            ))
        }
    }
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
