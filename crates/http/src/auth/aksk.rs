//! Requests signed with an access key: `SDK-HMAC-SHA256`, as CBR's and GES's clients sign.
//!
//! The signature covers method, path, query, the headers that the client names and the body, all
//! as received: the path always ends in `/`, and the query is encoded anew from its decoded
//! pairs, because some clients send `:` and `,` plain and sign them encoded.

mod canonical;

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION, request::Parts};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::Offset};
use sha2::{Digest, Sha256};
use strongroom_domain::Secret;
use strongroom_service::{Caller, Error, Result, Service, error::AuthFailure};

use crate::extract::{Arrival, RawBody};

/// The only algorithm that is taken.
const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// Carries the time of signing.
const X_SDK_DATE: &str = "x-sdk-date";
/// Carries the hash of the body if the client did not want to compute it from the body.
const X_SDK_CONTENT_SHA256: &str = "x-sdk-content-sha256";
/// How far the time of signing may be from ours, either way.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// The caller behind the signature of a request.
pub async fn caller(service: &Service, parts: &Parts) -> Result<Caller> {
    let signed = Signed::read(parts).map_err(Error::Unauthenticated)?;
    let now = parts.extensions.get::<Arrival>().map(|it| it.0);
    let now = now.ok_or_else(|| Error::internal("the request has no time of arrival"))?;
    signed.check_time(now).map_err(Error::Unauthenticated)?;
    let (caller, secret) = service.access_key(&signed.authorization.access).await?;
    signed.verify(&secret).map_err(Error::Unauthenticated)?;
    Ok(caller)
}

/// A signed request.
struct Signed<'a> {
    authorization: Authorization,
    date: &'a str,
    at: Timestamp,
    parts: &'a Parts,
    body: &'a [u8],
}

impl<'a> Signed<'a> {
    fn read(parts: &'a Parts) -> Result<Self, AuthFailure> {
        let value = parts.headers.get(AUTHORIZATION);
        let authorization = Authorization::read(value.ok_or(AuthFailure::Missing)?)?;
        let date = single(&parts.headers, X_SDK_DATE).ok_or(AuthFailure::Malformed)?;
        let at = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .and_then(|at| Offset::UTC.to_timestamp(at))
            .map_err(|_| AuthFailure::Malformed)?;
        let body = parts.extensions.get::<RawBody>();
        Ok(Self {
            authorization,
            date,
            at,
            parts,
            body: body.map_or(&[], |body| &body.0),
        })
    }

    fn check_time(&self, now: Timestamp) -> Result<(), AuthFailure> {
        if now.duration_since(self.at).abs() <= TOLERANCE {
            Ok(())
        } else {
            Err(AuthFailure::Expired)
        }
    }

    /// Compares the signature in constant time.
    fn verify(&self, secret: &Secret) -> Result<(), AuthFailure> {
        let text = self.string_to_sign()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        hmac::verify(&key, text.as_bytes(), &self.authorization.signature)
            .map_err(|_| AuthFailure::Invalid)
    }

    fn string_to_sign(&self) -> Result<String, AuthFailure> {
        let canonical = canonical::request(
            self.parts,
            &self.authorization.signed_headers,
            &self.body_hash()?,
        )?;
        let hash = hex::encode(Sha256::digest(canonical));
        Ok(format!("{ALGORITHM}\n{}\n{hash}", self.date))
    }

    /// The hash of the body as the client signed it. A client may send it in a header; that must
    /// be the body's then, or any body would pass.
    fn body_hash(&self) -> Result<String, AuthFailure> {
        let hash = hex::encode(Sha256::digest(self.body));
        match single(&self.parts.headers, X_SDK_CONTENT_SHA256) {
            None => Ok(hash),
            Some(given) if given.eq_ignore_ascii_case(&hash) => Ok(given.to_owned()),
            Some(given) if self.body.is_empty() => Ok(given.to_owned()),
            Some(_) => Err(AuthFailure::Invalid),
        }
    }
}

/// What the `Authorization` header says.
#[derive(Debug, PartialEq, Eq)]
struct Authorization {
    access: String,
    /// In lower case, in the order given.
    signed_headers: Vec<String>,
    signature: Vec<u8>,
}

impl Authorization {
    fn read(value: &HeaderValue) -> Result<Self, AuthFailure> {
        Self::parse(value.to_str().map_err(|_| AuthFailure::Malformed)?)
            .ok_or(AuthFailure::Malformed)
    }

    fn parse(text: &str) -> Option<Self> {
        let (algorithm, rest) = text.split_once(' ')?;
        if algorithm != ALGORITHM {
            return None;
        }
        let (mut access, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let slot = match name {
                "Access" => &mut access,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if slot.replace(value).is_some() || value.is_empty() {
                return None;
            }
        }
        let signed_headers = signed_headers?.split(';').map(str::to_ascii_lowercase);
        Some(Self {
            access: access?.to_owned(),
            signed_headers: signed_headers.collect(),
            signature: hex::decode(signature?).ok()?,
        })
    }
}

/// The value of a header that must not be repeated.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests;
