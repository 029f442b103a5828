//! Gives every request an id and a time of arrival.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use super::Frame;
use crate::extract::{Arrival, RequestId};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client, in bytes.
const LONGEST: usize = 128;

/// Takes the client's id or makes one, and repeats it in the response.
pub(crate) async fn identify(
    State(frame): State<Arc<Frame>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = match given(request.headers()) {
        Some(id) => RequestId::new(id),
        None => RequestId::new(frame.ids.uuid().to_string()),
    };
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(Arrival(frame.clock.now()));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().entry(HEADER).or_insert(value);
    }
    response
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let usable = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    usable.then_some(text)
}
