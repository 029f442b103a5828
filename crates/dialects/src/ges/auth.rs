//! Who asks, and whether it may ask about the project in the path.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use strongroom_domain::{Face, TenantId};
use strongroom_service::{Caller, Error as Core, Service, error::AuthFailure};

use super::error::{Error, Refused, Version};

/// The caller behind the request's token or signature, acting in the project that the path names.
#[derive(Debug)]
pub(super) struct Auth<V>(pub(super) Caller, pub(super) PhantomData<fn() -> V>);

impl<V: Version> FromRequestParts<Service> for Auth<V> {
    type Rejection = Refused<V>;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Refused<V>> {
        let caller = token_or_signature(service, parts).await?.via(Face::Ges);
        let params = RawPathParams::from_request_parts(parts, service).await.ok();
        let params = params.iter().flat_map(|params| params.iter());
        let given = params.into_iter().find(|(name, _)| *name == "project_id");
        let given = given.map_or("", |(_, id)| id);
        if given.parse::<TenantId>().ok() == Some(caller.tenant_id) {
            return Ok(Self(caller, PhantomData));
        }
        Err(Error::ForeignProject(given.to_owned()).into())
    }
}

/// The caller behind an API token in `X-Auth-Token`.
async fn token_or_signature(service: &Service, parts: &Parts) -> Result<Caller, Core> {
    let missing = Core::Unauthenticated(AuthFailure::Missing);
    let token = parts.headers.get("x-auth-token").ok_or(missing)?.to_str();
    let token = token.map_err(|_| Core::Unauthenticated(AuthFailure::Malformed))?;
    service.token_caller(token).await
}
