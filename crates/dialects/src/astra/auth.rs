//! Who asks, and whether it may ask about the account in the path.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use strongroom_domain::{Face, TenantId};
use strongroom_http::{auth::bearer, extract::Rejection};
use strongroom_service::{Caller, Service};

use super::error::{Doing, During, Error, Result};

/// The caller behind the request's bearer token, acting in the account that the path names.
#[derive(Debug)]
pub(super) struct Auth(pub(super) Caller);

impl FromRequestParts<Service> for Auth {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self> {
        let caller = bearer::caller(service, &parts.headers).await;
        let caller = caller.during(Doing::Authenticating)?.via(Face::Astra);
        let params = RawPathParams::from_request_parts(parts, service).await;
        let params = params.map_err(|error| not_an_account(&error.body_text()))?;
        let given = params
            .iter()
            .find(|(name, _)| *name == "account_id")
            .map(|(_, id)| id);
        let given = given.unwrap_or_default();
        match given.parse::<TenantId>() {
            Ok(id) if id == caller.tenant_id => Ok(Self(caller)),
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
