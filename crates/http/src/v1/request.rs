//! The extractors of the native API.

use axum::{extract::FromRequestParts, http::request::Parts};
use strongroom_service::{Caller, Service};

use crate::{auth::bearer, etag, extract, problem::Problem};

pub(super) type Body<T> = extract::Body<T, Problem>;
pub(super) type IfMatch = etag::IfMatch<Problem>;
pub(super) type Params<T> = extract::Params<T, Problem>;
pub(super) type PathParams<T> = extract::PathParams<T, Problem>;

/// The caller behind the request's bearer token.
#[derive(Debug)]
pub(super) struct Auth(pub(super) Caller);

impl FromRequestParts<Service> for Auth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        Ok(Self(bearer::caller(service, &parts.headers).await?))
    }
}

/// `Idempotency-Key`: a request repeated with the same key gets the first one's answer.
#[derive(Debug)]
pub(super) struct IdempotencyKey(pub(super) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let text = value
            .to_str()
            .map_err(|_| Problem::field("idempotency-key", "is not text"))?;
        Ok(Self(Some(text.to_owned())))
    }
}
