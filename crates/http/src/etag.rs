//! Conditional requests: an entity's version is its `ETag`.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{IF_MATCH, IF_NONE_MATCH},
        request::Parts,
    },
    response::IntoResponse,
};

use crate::extract::Rejection;

/// The `ETag` of a version.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits and quotes are header text")
}

/// `If-Match`: the version that the client read, if it insists on one.
#[derive(Debug)]
pub struct IfMatch<E>(pub Option<i64>, PhantomData<fn() -> E>);

/// A version that no entity has; what a tag that is not one of ours stands for.
const NEVER: i64 = -1;

impl<S, E> FromRequestParts<S> for IfMatch<E>
where
    S: Sync,
    E: From<Rejection> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        let version = match header(&parts.headers, &IF_MATCH)? {
            None | Some("*") => None,
            Some(tag) => Some(read(tag).unwrap_or(NEVER)),
        };
        Ok(Self(version, PhantomData))
    }
}

/// `If-None-Match`: the version that the client has already.
#[derive(Debug, Clone, Copy, Default)]
pub struct IfNoneMatch(Option<i64>);

impl IfNoneMatch {
    /// Whether the client has this version already.
    pub fn has(self, version: i64) -> bool {
        self.0 == Some(version)
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let tag = parts
            .headers
            .get(IF_NONE_MATCH)
            .and_then(|it| it.to_str().ok());
        // Weak comparison: proxies weaken tags when they compress.
        let strong = tag.map(|it| it.strip_prefix("W/").unwrap_or(it));
        Ok(Self(strong.and_then(read)))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Rejection> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| malformed(name))?.trim();
    // A list of tags would need a verb that takes several versions.
    let quoted = text == "*" || (text.matches('"').count() == 2 && text.ends_with('"'));
    quoted.then_some(Some(text)).ok_or_else(|| malformed(name))
}

fn malformed(name: &HeaderName) -> Rejection {
    Rejection::Header {
        name: name.to_string(),
        reason: "must be one entity tag or `*`".to_owned(),
    }
}

fn read(tag: &str) -> Option<i64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(value: &'static str) -> Result<Option<i64>, Rejection> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_static(value));
        Ok(header(&headers, &IF_MATCH)?.map(|tag| read(tag).unwrap_or(NEVER)))
    }

    #[test]
    fn a_foreign_or_weak_tag_matches_nothing() {
        assert_eq!(etag(7), "\"7\"");
        assert_eq!(if_match("\"7\""), Ok(Some(7)));
        assert_eq!(if_match("W/\"7\""), Ok(Some(NEVER)));
        assert_eq!(if_match("\"abc\""), Ok(Some(NEVER)));
        for bad in ["7", "\"7", "\"7\", \"8\""] {
            assert!(if_match(bad).is_err(), "{bad}");
        }
    }
}
