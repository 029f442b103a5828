//! The extractors of the native API.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
};
use strongroom_service::{Caller, RequestKey, Service};

pub(super) use crate::auth::permission::{Administer, Read, Write};
use crate::{
    auth::{bearer, permission::Needs},
    etag,
    extract::{self, RawBody},
    problem::Problem,
};

/// The header that every POST takes.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(super) type Body<T> = extract::Body<T, Problem>;
pub(super) type IfMatch = etag::IfMatch<Problem>;
pub(super) type Params<T> = extract::Params<T, Problem>;
pub(super) type PathParams<T> = extract::PathParams<T, Problem>;

/// The caller behind the request's bearer token, with the key that a POST came with, whose role includes the permission that the
/// handler names. Stands before the body among a handler's arguments, so that nobody learns what
/// would have been wrong with a request that is not theirs to make.
#[derive(Debug)]
pub(super) struct Auth<P>(pub(super) Caller, PhantomData<fn() -> P>);

impl<P: Needs> FromRequestParts<Service> for Auth<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let caller = bearer::caller(service, &parts.headers).await?;
        caller.require(P::PERMISSION)?;
        Ok(Self(keyed(caller, parts)?, PhantomData))
    }
}

/// With `Idempotency-Key`, a request repeated with the same key gets the first one's answer.
fn keyed(caller: Caller, parts: &Parts) -> Result<Caller, Problem> {
    let value = parts.headers.get(IDEMPOTENCY_KEY);
    let Some(value) = value.filter(|_| parts.method == Method::POST) else {
        return Ok(caller);
    };
    let text = value
        .to_str()
        .map_err(|_| Problem::field(IDEMPOTENCY_KEY, "is not text"))?;
    let target = parts.uri.path_and_query().map_or("", |it| it.as_str());
    let body = parts.extensions.get::<RawBody>();
    let body = body.map(|it| &*it.0).unwrap_or_default();
    let key = RequestKey::new(text, &[target.as_bytes(), body])?;
    Ok(Caller {
        key: Some(key),
        ..caller
    })
}
