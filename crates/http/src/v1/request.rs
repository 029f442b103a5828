//! The extractors of the native API.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};
use strongroom_service::{Caller, Service};

pub(super) use crate::auth::permission::{Administer, Read, Write};
use crate::{
    auth::{bearer, permission::Needs},
    etag, extract,
    problem::Problem,
};

pub(super) type Body<T> = extract::Body<T, Problem>;
pub(super) type IfMatch = etag::IfMatch<Problem>;
pub(super) type Params<T> = extract::Params<T, Problem>;
pub(super) type PathParams<T> = extract::PathParams<T, Problem>;

/// The caller behind the request's bearer token, whose role includes the permission that the
/// handler names. Stands before the body among a handler's arguments, so that nobody learns what
/// would have been wrong with a request that is not theirs to make.
#[derive(Debug)]
pub(super) struct Auth<P>(pub(super) Caller, PhantomData<fn() -> P>);

impl<P: Needs> FromRequestParts<Service> for Auth<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let caller = bearer::caller(service, &parts.headers).await?;
        caller.require(P::PERMISSION)?;
        Ok(Self(caller, PhantomData))
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
