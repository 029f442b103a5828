//! Reads the request body once, up to a limit, so that signatures and extractors see the same
//! bytes.

use std::sync::Arc;

use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::{Request, State},
    http::{HeaderMap, header::CONTENT_LENGTH},
    middleware::Next,
    response::Response,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::Frame;
use crate::{
    dialect::FallbackReason,
    extract::{RawBody, RequestId},
};

/// Puts the body into the request's extensions as [`RawBody`].
pub(crate) async fn buffer(
    State(frame): State<Arc<Frame>>,
    id: RequestId,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let limit = frame.body_limit;
    let too_large = announced(&parts.headers).is_some_and(|length| length > limit);
    let read = if too_large {
        Err(FallbackReason::BodyTooLarge { limit })
    } else {
        read(body.into_data_stream(), limit).await
    };
    match read {
        Ok(bytes) => {
            parts.extensions.insert(RawBody(bytes));
            next.run(Request::from_parts(parts, Body::empty())).await
        }
        Err(reason) => frame.fallback(reason, parts.method, parts.uri, id),
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(mut body: BodyDataStream, limit: usize) -> Result<Bytes, FallbackReason> {
    let first = match body.next().await {
        None => return Ok(Bytes::new()),
        Some(chunk) => chunk.map_err(|_| FallbackReason::BodyUnreadable)?,
    };
    let mut whole = BytesMut::from(first);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| FallbackReason::BodyUnreadable)?;
        if whole.len() + chunk.len() > limit {
            return Err(FallbackReason::BodyTooLarge { limit });
        }
        whole.extend_from_slice(&chunk);
    }
    if whole.len() > limit {
        return Err(FallbackReason::BodyTooLarge { limit });
    }
    Ok(whole.freeze())
}
