//! The text that a signature is computed over.

use axum::http::{HeaderMap, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use strongroom_service::error::AuthFailure;

/// Everything but `A-Z a-z 0-9 - _ . ~` is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Method, path, query, headers, their names and the body's hash, a line each.
pub(super) fn request(
    parts: &Parts,
    signed_headers: &[String],
    body_hash: &str,
) -> Result<String, AuthFailure> {
    let method = parts.method.as_str();
    let path = path(parts.uri.path())?;
    let query = query(parts.uri.query().unwrap_or_default())?;
    let headers = headers(parts, signed_headers)?;
    let names = signed_headers.join(";");
    Ok(format!(
        "{method}\n{path}\n{query}\n{headers}\n{names}\n{body_hash}"
    ))
}

/// Each segment encoded anew, and always a `/` at the end. The vendor's clients decode the whole
/// path before they split it, so that an escaped slash is signed as one that separates.
fn path(raw: &str) -> Result<String, AuthFailure> {
    let mut path = String::with_capacity(raw.len() + 1);
    for (i, segment) in decode(raw)?.split('/').enumerate() {
        if i > 0 {
            path.push('/');
        }
        path.push_str(&encode(segment));
    }
    if !path.ends_with('/') {
        path.push('/');
    }
    Ok(path)
}

/// The pairs in order of their decoded names and values, encoded anew. A plus sign stays one.
fn query(raw: &str) -> Result<String, AuthFailure> {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name)?, decode(value)?))
    });
    let mut pairs = pairs.collect::<Result<Vec<_>, AuthFailure>>()?;
    pairs.sort_unstable();
    let encoded = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    Ok(encoded.collect::<Vec<_>>().join("&"))
}

/// `name:value`, each with a line end. Every header that is named must be there.
fn headers(parts: &Parts, names: &[String]) -> Result<String, AuthFailure> {
    let mut text = String::new();
    for name in names {
        let value = match value(&parts.headers, name)? {
            Some(value) => value,
            // HTTP/2 has it in the target instead.
            None if name == "host" => parts.uri.authority().map_or("", |it| it.as_str()),
            None => return Err(AuthFailure::Invalid),
        };
        text.push_str(name);
        text.push(':');
        text.push_str(value.trim());
        text.push('\n');
    }
    Ok(text)
}

/// The value of a header. One that is repeated is refused: it cannot be told from one whose
/// values were joined.
fn value<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, AuthFailure> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| AuthFailure::Malformed),
        (Some(_), Some(_)) => Err(AuthFailure::Malformed),
    }
}

fn decode(text: &str) -> Result<String, AuthFailure> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| AuthFailure::Malformed)
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_before_it_is_split_and_ends_in_a_slash() {
        assert_eq!(path("/v2/p/g%201%2F%C3%BC").unwrap(), "/v2/p/g%201/%C3%BC/");
        assert_eq!(path("/v2/p/").unwrap(), "/v2/p/");
        assert_eq!(path("/v2/%ff"), Err(AuthFailure::Malformed));
    }
}
