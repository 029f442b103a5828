//! JSON bodies, whatever their `Content-Type`.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts, response::IntoResponse};
use serde::de::DeserializeOwned;

use super::{RawBody, Rejection, locate};

/// The request body read as JSON, whatever `Content-Type` says: vendors' clients and curl samples
/// send anything. An empty body is `{}`, so that a missing field is what it complains about.
#[derive(Debug)]
pub struct Body<T, E>(pub T, PhantomData<fn() -> E>);

impl<S, T, E> FromRequestParts<S> for Body<T, E>
where
    S: Sync,
    T: DeserializeOwned,
    E: From<Rejection> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        let empty = RawBody::default();
        let bytes = &parts.extensions.get().unwrap_or(&empty).0;
        Ok(Self(from_json(bytes)?, PhantomData))
    }
}

/// Reads JSON; an empty text is `{}`, or `null` where no object is wanted.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    if bytes.trim_ascii().is_empty() {
        return read(b"{}").or_else(|error| read(b"null").map_err(|_| error));
    }
    read(bytes)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        reject(path, error.inner())
    })?;
    json.end().map_err(|error| reject(String::new(), &error))?;
    Ok(value)
}

fn reject(path: String, error: &serde_json::Error) -> Rejection {
    let text = error.to_string();
    if !error.is_data() {
        return Rejection::Syntax { reason: text };
    }
    // The position helps in a broken text; a field that is named needs none.
    let message = text.rsplit_once(" at line ").map_or(&*text, |(it, _)| it);
    let (path, reason) = locate(path, message);
    let path = if path == "." { String::new() } else { path };
    Rejection::Json { path, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading matters")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading matters")]
        size: u64,
    }

    fn rejection(text: &str) -> (String, String) {
        let error = from_json::<Outer>(text.as_bytes()).unwrap_err();
        (error.field().to_owned(), error.reason().to_owned())
    }

    #[test]
    fn a_wrong_field_is_named_with_its_path_and_reason() {
        let (field, reason) = rejection(r#"{"inner": [{"size": 1}, {"size": -1}]}"#);
        assert_eq!(field, "inner[1].size");
        assert_eq!(reason, "invalid value: integer `-1`, expected u64");
    }

    #[test]
    fn an_empty_body_misses_its_fields_and_a_broken_one_says_where() {
        assert_eq!(rejection("").0, "inner");
        assert_eq!(rejection("  \n").1, "is missing");
        assert_eq!(rejection(r#"{"inner": [{}]}"#).0, "inner[0].size");
        for broken in ["{", "nope", r#"{"inner": []} trailing"#] {
            let error = from_json::<Outer>(broken.as_bytes()).unwrap_err();
            assert!(
                matches!(error, Rejection::Syntax { .. }),
                "{broken}: {error:?}"
            );
        }
    }

    #[test]
    fn an_empty_body_is_null_where_no_object_is_wanted() {
        assert_eq!(from_json::<Option<u8>>(b"").unwrap(), None);
    }
}
