//! Who asks, and whether it may ask about the project in the path.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use strongroom_domain::{Face, TenantId};
use strongroom_http::auth::{permission::Needs, token_or_signature};
use strongroom_service::{Caller, Service};

use super::error::{Error, Refused, Version};

/// The caller behind the request's token or signature, acting in the project that the path names
/// and allowed to do what the handler does.
#[derive(Debug)]
pub(super) struct Auth<P, V>(pub(super) Caller, pub(super) PhantomData<fn() -> (P, V)>);

impl<P: Needs, V: Version> FromRequestParts<Service> for Auth<P, V> {
    type Rejection = Refused<V>;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Refused<V>> {
        let caller = token_or_signature(service, parts).await?.via(Face::Ges);
        let params = RawPathParams::from_request_parts(parts, service).await.ok();
        let params = params.iter().flat_map(|params| params.iter());
        let given = params.into_iter().find(|(name, _)| *name == "project_id");
        let given = given.map_or("", |(_, id)| id);
        if given.parse::<TenantId>().ok() == Some(caller.tenant_id) {
            caller.require(P::PERMISSION)?;
            return Ok(Self(caller, PhantomData));
        }
        Err(Error::ForeignProject(given.to_owned()).into())
    }
}
