//! No request holds a connection's worker for ever.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use super::Frame;
use crate::{dialect::FallbackReason, extract::RequestId};

/// Answers with the owner's "unavailable" when the rest takes too long. A streamed body is not
/// limited, only the time until its head.
pub(crate) async fn limit_time(
    State(frame): State<Arc<Frame>>,
    id: RequestId,
    request: Request,
    next: Next,
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    match tokio::time::timeout(frame.time_limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => frame.fallback(FallbackReason::TimedOut, method, uri, id),
    }
}
