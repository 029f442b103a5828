//! Query parameters, typed or as pairs.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts, response::IntoResponse};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::{Rejection, locate};

/// The query read into a struct. A parameter given several times fills a `Vec`; an unknown one is
/// ignored unless the struct denies it.
#[derive(Debug)]
pub struct Params<T, E>(pub T, PhantomData<fn() -> E>);

impl<S, T, E> FromRequestParts<S> for Params<T, E>
where
    S: Sync,
    T: DeserializeOwned,
    E: From<Rejection> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(from_query(query)?, PhantomData))
    }
}

/// Reads a query string into a struct.
pub fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Rejection> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let form = serde_html_form::Deserializer::new(pairs);
    serde_path_to_error::deserialize(form).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let (name, reason) = locate(path, &error.into_inner().to_string());
        Rejection::Query { name, reason }
    })
}

/// The query as decoded pairs in the order received, for faces with a query language of their
/// own. Text that is not UTF-8 once decoded is refused.
#[derive(Debug)]
pub struct RawParams<E>(pub Vec<(String, String)>, PhantomData<fn() -> E>);

impl<E> RawParams<E> {
    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(it, _)| it == name)?;
        Some(&pair.1)
    }

    /// All values of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(it, _)| it == name);
        pairs.map(|(_, value)| value.as_str())
    }
}

impl<S, E> FromRequestParts<S> for RawParams<E>
where
    S: Sync,
    E: From<Rejection> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, E> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(pairs(query)?, PhantomData))
    }
}

/// Splits and decodes a query string.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Rejection> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, name)?, decode(name, value)?))
        })
        .collect()
}

fn decode(name: &str, text: &str) -> Result<String, Rejection> {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| Rejection::Query {
        name: name.to_owned(),
        reason: "is not UTF-8".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Listing {
        limit: Option<u64>,
        #[serde(default)]
        state: Vec<String>,
    }

    #[test]
    fn repeated_parameters_are_collected_and_wrong_ones_named() {
        let read: Listing = from_query("state=a&limit=7&state=b&other=1").unwrap();
        assert_eq!(read.limit, Some(7));
        assert_eq!(read.state, ["a", "b"]);
        let error = from_query::<Listing>("limit=-1").unwrap_err();
        assert_eq!(error.field(), "limit");
    }

    #[test]
    fn pairs_are_decoded_in_order_and_must_be_utf_8() {
        let read = pairs("q=name%3Da+b&&q=%C3%A9&flag").unwrap();
        let expected = [("q", "name=a b"), ("q", "é"), ("flag", "")];
        assert!(read.iter().map(|(n, v)| (&**n, &**v)).eq(expected));
        assert_eq!(pairs("q=%ff").unwrap_err().field(), "q");
    }
}
