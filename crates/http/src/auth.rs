//! Verification of credentials that several faces share. Each function takes what the client
//! presented and returns the [`Caller`] behind it; the faces' own extractors compare its tenant
//! with the path's.

pub mod aksk;
pub mod bearer;
pub mod keystone;
pub mod permission;

use axum::http::{header::AUTHORIZATION, request::Parts};
use strongroom_service::{Caller, Error, Result, Service, error::AuthFailure};

/// The caller behind a token in `X-Auth-Token` or, without one, behind a signature: the two
/// credentials that CBR and GES take.
pub async fn token_or_signature(service: &Service, parts: &Parts) -> Result<Caller> {
    if parts.headers.contains_key(keystone::X_AUTH_TOKEN) {
        let token = keystone::presented(&parts.headers, keystone::X_AUTH_TOKEN);
        return keystone::caller(service, token.map_err(Error::Unauthenticated)?).await;
    }
    if parts.headers.contains_key(AUTHORIZATION) {
        return aksk::caller(service, parts).await;
    }
    Err(Error::Unauthenticated(AuthFailure::Missing))
}
