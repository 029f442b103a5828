//! What happens around every handler: request id, log span, metrics, panic catcher, timeout, body
//! buffering. One function rather than a stack of layers, each of which would copy the router
//! below it for every request.

mod buffer;
mod metrics;
mod request_id;
mod trace;

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use strongroom_domain::{Clock, Ids};
use tracing::Instrument as _;

use self::metrics::Measurement;
pub(crate) use self::metrics::Metrics;
use crate::{
    dialect::{Dialect, Fallback, FallbackReason},
    extract::RequestId,
    problem::Problem,
};

/// What the layers need to know; one for the whole router.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) dialects: &'static [Dialect],
    pub(crate) body_limit: usize,
    pub(crate) time_limit: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) metrics: Metrics,
}

impl Frame {
    /// Answers in the format of whoever owns the path; problem+json for everything else.
    pub(crate) fn fallback(
        &self,
        reason: FallbackReason,
        method: Method,
        uri: Uri,
        request_id: RequestId,
    ) -> Response {
        let fallback = Fallback {
            reason,
            method,
            uri,
            request_id,
        };
        let owner = self
            .dialects
            .iter()
            .find(|it| (it.owns)(fallback.uri.path()));
        match owner {
            Some(dialect) => (dialect.fallback)(fallback),
            None => Problem::from(&fallback).into_response(),
        }
    }
}

/// Runs a request's handler, within limits, and answers in its place where it cannot.
pub(crate) async fn around(
    State(frame): State<Arc<Frame>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id::assign(&frame, &mut request);
    let span = trace::span(&request, &id);
    let measurement = Measurement::begin(&frame, &request);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let mut response = async {
        let response = match handled(&frame, request, next).await {
            Ok(response) => response,
            Err(reason) => frame.fallback(reason, method, uri, id.clone()),
        };
        trace::answered(&response);
        response
    }
    .instrument(span)
    .await;
    measurement.end(&frame, &response);
    request_id::repeat(&id, &mut response);
    response
}

/// What the handler answers. A streamed body is not limited in time, only what comes before its
/// head; a panic is a defect, but the next request must work.
async fn handled(frame: &Frame, request: Request, next: Next) -> Result<Response, FallbackReason> {
    let answer = async {
        let request = buffer::buffer(request, frame.body_limit).await?;
        Ok(next.run(request).await)
    };
    let caught = AssertUnwindSafe(answer).catch_unwind();
    match tokio::time::timeout(frame.time_limit, caught).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => {
            tracing::error!("a handler panicked: {}", panic_text(&*panic));
            Err(FallbackReason::Panicked)
        }
        Err(_) => Err(FallbackReason::TimedOut),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
