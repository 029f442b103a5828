//! Answers in the media type, and with the headers, that Astra's clients know.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    error::{Error, Result},
    wire::List,
};

/// What the client says it can read. Checked before a handler runs, so that nothing is made whose
/// answer cannot be given; lists never ask.
#[derive(Debug)]
pub(super) struct Accept(String);

impl<S: Sync> FromRequestParts<S> for Accept {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let all = parts.headers.get_all(header::ACCEPT).iter();
        let ranges: Vec<&str> = all.filter_map(|value| value.to_str().ok()).collect();
        let accept = Self(ranges.join(","));
        // Clients name the types of other resources, plurals and misspellings: any JSON will do.
        let readable = |range: &str| range == "*/*" || range.starts_with("application/");
        if ranges.is_empty() || accept.ranges().any(readable) {
            Ok(accept)
        } else {
            Err(Error::NotAcceptable(accept.0))
        }
    }
}

impl Accept {
    fn ranges(&self) -> impl Iterator<Item = &str> {
        self.0
            .split(',')
            .map(|range| range.split(';').next().unwrap_or_default().trim())
    }

    /// A resource of type `media_type`: called that if the client asked for it, else plain JSON.
    pub(super) fn resource(&self, media_type: &str, resource: &impl Serialize) -> Response {
        let own = format!("{media_type}+json");
        let asked = self.ranges().any(|range| range.eq_ignore_ascii_case(&own));
        json(resource, if asked { &own } else { "application/json" })
    }

    /// A resource that was just made at `location`.
    pub(super) fn created(
        &self,
        media_type: &str,
        resource: &impl Serialize,
        location: &str,
    ) -> Response {
        let mut response = self.resource(media_type, resource);
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(location) = HeaderValue::from_str(location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

impl<T: Serialize + ToSchema> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        json(&self, "application/json")
    }
}

fn json(body: &impl Serialize, content_type: &str) -> Response {
    let body = match serde_json::to_vec(body) {
        Ok(body) => body,
        Err(error) => return Error::unserialisable(error).into_response(),
    };
    let mut headers = HeaderMap::new();
    let hash = hex::encode(&Sha256::digest(&body)[..16]);
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::ETAG, &format!("\"{hash}\"")),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    (headers, body).into_response()
}
