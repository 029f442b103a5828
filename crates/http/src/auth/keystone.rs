//! Keystone tokens: a login session's id, or an API token as it is.

use axum::http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};
use strongroom_domain::SessionId;
use strongroom_service::{Caller, Result, Service, error::AuthFailure, identity::OpenedSession};

/// Carries the token that a request is made with.
pub const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// Carries the token that a request is about, and in the answer to a login the new one.
pub const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// How long a token lasts that a login gives.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// What a token stands for.
#[derive(Debug, Clone)]
pub struct Token {
    /// Who it acts for.
    pub caller: Caller,
    /// When it was issued; nothing for an API token.
    pub issued_at: Option<Timestamp>,
    /// When it ends; nothing for an API token.
    pub expires_at: Option<Timestamp>,
}

impl From<OpenedSession> for Token {
    fn from(session: OpenedSession) -> Self {
        Self {
            caller: session.caller,
            issued_at: Some(session.created_at),
            expires_at: Some(session.expires_at),
        }
    }
}

/// The token in the header `name`.
pub fn presented(headers: &HeaderMap, name: HeaderName) -> Result<&str, AuthFailure> {
    let value = headers.get(name).ok_or(AuthFailure::Missing)?;
    match value.to_str() {
        Ok(token) if !token.is_empty() => Ok(token),
        _ => Err(AuthFailure::Malformed),
    }
}

/// The caller behind a token.
pub async fn caller(service: &Service, token: &str) -> Result<Caller> {
    Ok(look_up(service, token).await?.caller)
}

/// What a token stands for.
pub async fn look_up(service: &Service, token: &str) -> Result<Token> {
    if let Ok(session) = token.parse::<SessionId>() {
        return Ok(service.session(session, None).await?.into());
    }
    let caller = service.token_caller(token).await?;
    Ok(Token {
        caller,
        issued_at: None,
        expires_at: None,
    })
}

/// Ends the session that a token stands for. An API token stays; it is revoked where it was made.
pub async fn revoke(service: &Service, token: &str) -> Result<()> {
    match token.parse::<SessionId>() {
        Ok(session) => service.close_session(session).await,
        Err(_) => Ok(()),
    }
}
