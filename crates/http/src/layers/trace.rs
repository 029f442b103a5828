//! One log span per request. The query is left out: vendors' clients put secrets into it.

use std::borrow::Cow;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use tracing::Span;

use crate::{download::PREFIX, extract::RequestId};

/// The span that names the request.
pub(super) fn span(request: &Request, id: &RequestId) -> Span {
    tracing::info_span!(
        "request",
        request.id = id.as_str(),
        http.method = %request.method(),
        http.path = &*shown(request.uri().path()),
        http.route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str),
    )
}

/// What is followed by an id that is a credential: whoever knows it needs no other.
const BEFORE_SECRETS: [&str; 3] = ["/accounts/sessions/", "/api-jobs/", "/api/result/"];

/// The path, without what whoever reads it could download or act with.
fn shown(path: &str) -> Cow<'_, str> {
    if path.starts_with(PREFIX) {
        return PREFIX.into();
    }
    let after = |before: &&str| Some(path.find(before)? + before.len());
    let Some(at) = BEFORE_SECRETS.iter().find_map(after) else {
        return path.into();
    };
    let (before, rest) = path.split_at(at);
    match rest.split_once('/') {
        Some((_, after)) => format!("{before}*/{after}").into(),
        None => format!("{before}*").into(),
    }
}

/// Logs how the request was answered.
pub(super) fn answered(response: &Response) {
    let status = response.status().as_u16();
    if status >= 500 {
        tracing::warn!(http.status = status, "answered {status}");
    } else {
        tracing::debug!(http.status = status, "answered {status}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_credentials_are_not_shown() {
        let export = format!("{PREFIX}742a7c7d");
        for (path, text) in [
            ("/api/v1/backups/742a7c7d", "/api/v1/backups/742a7c7d"),
            (&export, PREFIX),
            ("/zstack/v1/api-jobs/742a7c7d", "/zstack/v1/api-jobs/*"),
            ("/v1/accounts/sessions/742a7c7d", "/v1/accounts/sessions/*"),
            (
                "/v1/accounts/sessions/742a7c7d/valid",
                "/v1/accounts/sessions/*/valid",
            ),
            ("/zstack/api/result/742a7c7d", "/zstack/api/result/*"),
        ] {
            assert_eq!(shown(path), text);
        }
    }
}
