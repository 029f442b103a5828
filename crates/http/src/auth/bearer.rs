//! `Authorization: Bearer <api token>`.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use strongroom_service::{Caller, Error, Result, Service, error::AuthFailure};

/// The caller behind the bearer token in `headers`.
pub async fn caller(service: &Service, headers: &HeaderMap) -> Result<Caller> {
    let token = token(headers).map_err(Error::Unauthenticated)?;
    service.token_caller(token).await
}

/// The bearer token in `headers`.
pub fn token(headers: &HeaderMap) -> Result<&str, AuthFailure> {
    let value = headers.get(AUTHORIZATION).ok_or(AuthFailure::Missing)?;
    let text = value.to_str().map_err(|_| AuthFailure::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthFailure::Malformed)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(AuthFailure::Malformed);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<String, AuthFailure> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        token(&headers).map(str::to_owned)
    }

    #[test]
    fn only_a_bearer_token_is_taken() {
        assert_eq!(read("Bearer abc").as_deref(), Ok("abc"));
        assert_eq!(read("bearer  abc ").as_deref(), Ok("abc"));
        assert_eq!(token(&HeaderMap::new()), Err(AuthFailure::Missing));
        for bad in ["Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(read(bad), Err(AuthFailure::Malformed), "{bad}");
        }
    }
}
