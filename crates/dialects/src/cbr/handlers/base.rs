//! Where the client reached us, for URLs that lead back here.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap,
        header::HOST,
        request::Parts,
        uri::{Authority, Scheme},
    },
};

/// Scheme and authority, e.g. `http://127.0.0.1:7878`.
#[derive(Debug)]
pub(in crate::cbr) struct Base(pub(in crate::cbr) String);

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let text = |name: &str| header(&parts.headers, name);
        let scheme = parts.uri.scheme().or(match text("x-forwarded-proto") {
            Some("https") => Some(&Scheme::HTTPS),
            _ => None,
        });
        let scheme = scheme.map_or("http", Scheme::as_str);
        let authority = parts.uri.authority().map(Authority::as_str);
        let host = authority.or(text(HOST.as_str())).unwrap_or_default();
        Ok(Self(format!("{scheme}://{host}")))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
