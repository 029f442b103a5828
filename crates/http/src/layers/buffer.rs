//! Reads the request body once, up to a limit, so that signatures and extractors see the same
//! bytes.

use axum::{
    body::{Body, BodyDataStream, HttpBody as _},
    extract::Request,
    http::{HeaderMap, header::CONTENT_LENGTH},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::{dialect::FallbackReason, extract::RawBody};

/// Puts the body into the request's extensions as [`RawBody`].
pub(super) async fn buffer(request: Request, limit: usize) -> Result<Request, FallbackReason> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    if announced(&parts.headers).is_some_and(|length| length > limit) {
        return Err(FallbackReason::BodyTooLarge { limit });
    }
    let bytes = read(body.into_data_stream(), limit).await?;
    parts.extensions.insert(RawBody(bytes));
    Ok(Request::from_parts(parts, Body::empty()))
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
