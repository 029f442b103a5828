//! Who asks, and whether it may ask about the project in the path.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use strongroom_domain::{Face, TenantId};
use strongroom_http::{auth::token_or_signature, extract::RequestId};
use strongroom_service::{Caller, Error as Core, Service};

use super::error::{Error, Refusal, Result};

/// The caller behind the request's token or signature, acting in the project that the path names.
#[derive(Debug)]
pub(super) struct Auth(pub(super) Caller);

/// The caller behind the request's token or signature, where the path names no project.
#[derive(Debug)]
pub(super) struct AnyProject(pub(super) Caller);

impl FromRequestParts<Service> for Auth {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self> {
        let caller = authenticate(parts, service).await?;
        let params = RawPathParams::from_request_parts(parts, service).await.ok();
        let given = params
            .iter()
            .flatten()
            .find(|(name, _)| *name == "project_id");
        let given = given.map_or("", |(_, id)| id);
        if given.parse::<TenantId>().ok() == Some(caller.tenant_id) {
            return Ok(Self(caller));
        }
        Err(refused(parts, Refusal::ForeignProject(given.to_owned())))
    }
}

impl FromRequestParts<Service> for AnyProject {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self> {
        authenticate(parts, service).await.map(Self)
    }
}

async fn authenticate(parts: &Parts, service: &Service) -> Result<Caller> {
    match token_or_signature(service, parts).await {
        Ok(caller) => Ok(caller.via(Face::Cbr)),
        Err(Core::Unauthenticated(failure)) => Err(refused(
            parts,
            Refusal::Unauthenticated(failure.to_string()),
        )),
        Err(other) => Err(other.into()),
    }
}

fn refused(parts: &Parts, reason: Refusal) -> Error {
    let request_id = parts.extensions.get::<RequestId>().cloned();
    Error::Gateway {
        reason,
        request_id: request_id.unwrap_or_else(|| RequestId::new("")),
    }
}
