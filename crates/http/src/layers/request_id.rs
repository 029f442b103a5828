//! Gives every request an id and a time of arrival.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};

use super::Frame;
use crate::extract::{Arrival, RequestId};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client, in bytes.
const LONGEST: usize = 128;

/// Takes the client's id or makes one.
pub(super) fn assign(frame: &Frame, request: &mut Request) -> RequestId {
    let id = match given(request.headers()) {
        Some(id) => RequestId::new(id),
        None => RequestId::new(frame.ids.uuid().to_string()),
    };
    let arrival = Arrival(frame.clock.now());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(arrival);
    id
}

/// Repeats the id in the response, unless the handler gave one.
pub(super) fn repeat(id: &RequestId, response: &mut Response) {
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().entry(HEADER).or_insert(value);
    }
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let usable = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    usable.then_some(text)
}
