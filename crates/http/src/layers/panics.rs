//! A panic in a handler is a defect, but the next request must work.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt as _;

use super::Frame;
use crate::{dialect::FallbackReason, extract::RequestId};

/// Turns a panic of the rest into the owner's internal error.
pub(crate) async fn catch_panics(
    State(frame): State<Arc<Frame>>,
    id: RequestId,
    request: Request,
    next: Next,
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!("a handler panicked: {}", text(&*panic));
            frame.fallback(FallbackReason::Panicked, method, uri, id)
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
