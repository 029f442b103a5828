//! Where the client reached us, for URLs that lead back here.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, Uri,
        header::HOST,
        request::Parts,
        uri::{Authority, Scheme},
    },
};

/// How a listener is reached. It puts this into the extensions of each request, because what
/// comes in over TLS does not say so: over HTTP/1 a request names no scheme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// It speaks TLS itself.
    pub tls: bool,
    /// A proxy stands before it, whose `X-Forwarded-Proto` and `X-Forwarded-Host` count.
    pub behind_proxy: bool,
}

/// Scheme and authority, e.g. `https://backup.example:7878`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(pub String);

impl Base {
    fn of(reached: Reached, headers: &HeaderMap, uri: &Uri) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let forwarded = |name: &str| text(name).filter(|_| reached.behind_proxy);
        let own = if reached.tls {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        };
        let scheme = match forwarded("x-forwarded-proto") {
            Some("https") => Scheme::HTTPS,
            Some("http") => Scheme::HTTP,
            _ => own,
        };
        let host = forwarded("x-forwarded-host")
            .or(uri.authority().map(Authority::as_str))
            .or(text(HOST.as_str()))
            .unwrap_or("localhost");
        Self(format!("{scheme}://{host}"))
    }
}

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let reached = parts.extensions.get().copied().unwrap_or_default();
        Ok(Self::of(reached, &parts.headers, &parts.uri))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn base(reached: Reached, uri: &'static str, headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Base::of(reached, &headers.collect(), &Uri::from_static(uri)).0
    }

    #[test]
    fn the_listener_says_the_scheme_and_the_client_the_host() {
        let host = [("host", "backup.example:8080")];
        let plain = Reached::default();
        let tls = Reached { tls: true, ..plain };
        assert_eq!(base(plain, "/v3", &host), "http://backup.example:8080");
        assert_eq!(base(tls, "/v3", &host), "https://backup.example:8080");
        assert_eq!(base(tls, "https://other/v3", &host), "https://other");
        assert_eq!(base(plain, "/v3", &[]), "http://localhost");
    }

    #[test]
    fn forwarded_headers_count_behind_a_proxy_only() {
        let headers = [
            ("host", "inside:7878"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "outside"),
        ];
        let open = Reached::default();
        let proxied = Reached {
            behind_proxy: true,
            ..open
        };
        assert_eq!(base(open, "/v3", &headers), "http://inside:7878");
        assert_eq!(base(proxied, "/v3", &headers), "https://outside");
        assert_eq!(base(proxied, "/v3", &headers[..1]), "http://inside:7878");
    }
}
