//! Who asks, and whether it may ask that about the account in the path.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use strongroom_domain::{Face, TenantId};
use strongroom_http::{
    auth::{bearer, permission::Needs},
    extract::Rejection,
};
use strongroom_service::{Caller, Error as Core, Service, error::AuthFailure};

use super::error::{Doing, During, Error, Result};

/// The caller behind the request's bearer token, acting in the account that the path names and
/// allowed to do what the handler does.
#[derive(Debug)]
pub(super) struct Auth<P>(pub(super) Caller, pub(super) PhantomData<fn() -> P>);

impl<P: Needs> FromRequestParts<Service> for Auth<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self> {
        let token = bearer::token(&parts.headers).map_err(Core::Unauthenticated);
        let token = token.during(Doing::Authenticating)?;
        let caller = service.token_caller(token).await.map_err(not_ours);
        let caller = caller.during(Doing::Authenticating)?.via(Face::Astra);
        let params = RawPathParams::from_request_parts(parts, service).await;
        let params = params.map_err(|error| not_an_account(&error.body_text()))?;
        let given = params
            .iter()
            .find(|(name, _)| *name == "account_id")
            .map(|(_, id)| id);
        let given = given.unwrap_or_default();
        match given.parse::<TenantId>() {
            Ok(id) if id == caller.tenant_id => {
                caller
                    .require(P::PERMISSION)
                    .during(Doing::Authenticating)?;
                Ok(Self(caller, PhantomData))
            }
            Ok(_) => Err(Error::ForeignAccount(given.to_owned())),
            Err(_) => Err(not_an_account("is not a UUID")),
        }
    }
}

fn not_an_account(reason: &str) -> Error {
    let name = "account_id".to_owned();
    let reason = reason.to_owned();
    Rejection::Path { name, reason }.into()
}

/// A bearer token that cannot be one of ours is an invalid one: only what is no bearer token at
/// all counts as missing.
fn not_ours(error: Core) -> Core {
    match error {
        Core::Unauthenticated(_) => Core::Unauthenticated(AuthFailure::Invalid),
        other => other,
    }
}
