//! Who calls: a session of a login (`OAuth <session>`), or an access key that signs the request
//! (`ZStack <id>:<signature>`).

mod date;

use aws_lc_rs::hmac;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION, request::Parts},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use serde::de::IgnoredAny;
use strongroom_domain::{Face, SessionId};
use strongroom_http::extract::{RawBody, RawTarget, from_json};
use strongroom_service::{Caller, Error as ServiceError, Service, identity::OpenedSession};

use self::date::Date;
use super::{
    call::Call,
    error::{Error, without_context},
    map, stranger,
};

/// How long a session lives after the last call that used it.
pub(crate) const SESSION: SignedDuration = SignedDuration::from_hours(2);

/// The authenticated caller.
#[derive(Debug)]
pub(crate) struct Auth(pub(crate) Caller);

impl FromRequestParts<Service> for Auth {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Error> {
        match caller(parts, service).await {
            Ok(caller) => Ok(Self(caller.via(Face::Zstack))),
            Err(error) if parts.method != Method::GET && error.is_of_session() => {
                let call = Call::from_request_parts(parts, service).await?;
                // What is wrong with the request itself is said first.
                if let Some(RawBody(body)) = parts.extensions.get() {
                    from_json::<IgnoredAny>(body)?;
                }
                Err(Error::Deferred(stranger::accepted(&call, service.now())))
            }
            Err(error) => Err(error),
        }
    }
}

/// The caller of a call that has more to look at before an unknown session counts: a header that is
/// missing or cannot be read is refused all the same.
#[derive(Debug)]
pub(crate) struct Late(pub(crate) Result<Auth, Error>);

impl FromRequestParts<Service> for Late {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Error> {
        match Auth::from_request_parts(parts, service).await {
            Err(error @ Error::Transport { .. }) => Err(error),
            other => Ok(Self(other)),
        }
    }
}

async fn caller(parts: &Parts, service: &Service) -> Result<Caller, Error> {
    let headers = &parts.headers;
    let Some(given) = headers.get(AUTHORIZATION) else {
        return Err(bad("missing header 'Authorization'"));
    };
    let given = given.to_str().unwrap_or_default();
    if let Some(session) = given.strip_prefix("OAuth") {
        let session = open_session(service, session.trim(), Some(SESSION)).await?;
        Ok(session.caller)
    } else if let Some(signature) = given.strip_prefix("ZStack") {
        let target = RawTarget::new(parts.uri.clone());
        let signed = Signed::read(signature.trim(), headers, parts.method.as_str(), &target)?;
        signed.caller(service).await
    } else {
        Err(bad("Authorization type must be 'OAuth'"))
    }
}

/// The session that a client names; with `extend`, its end moves.
pub(crate) async fn open_session(
    service: &Service,
    uuid: &str,
    extend: Option<SignedDuration>,
) -> Result<OpenedSession, Error> {
    let id = map::uuid(uuid)
        .map(SessionId::from_uuid)
        .ok_or_else(Error::session_expired)?;
    Ok(service.session(id, extend).await?)
}

fn bad(text: &str) -> Error {
    Error::transport(StatusCode::BAD_REQUEST, text)
}

fn refused(text: impl Into<String>) -> Error {
    Error::transport(StatusCode::FORBIDDEN, text)
}

/// A signed request, not yet verified.
#[derive(Debug, PartialEq, Eq)]
struct Signed {
    key_id: String,
    signature: Vec<u8>,
    date: Date,
    /// What the signature is over: method, date as written and path without the context.
    message: String,
}

impl Signed {
    fn read(
        credential: &str,
        headers: &HeaderMap,
        method: &str,
        target: &RawTarget,
    ) -> Result<Self, Error> {
        let date = headers.get("date").ok_or_else(|| {
            // The vendor's spelling.
            bad("'Date' must be incuded in request header")
        })?;
        let date = date.to_str().unwrap_or_default();
        let form = "'Date' format error, correct format is 'EEE, dd MMM yyyy HH:mm:ss z'";
        let at = Date::read(date).ok_or_else(|| bad(form))?;
        let (key_id, signature) = credential
            .split_once(':')
            .ok_or_else(|| bad("accessKey format is 'ZStack AccessKeyId:Signature'"))?;
        let path = without_context(target.path());
        Ok(Self {
            key_id: key_id.to_owned(),
            signature: BASE64_STANDARD
                .decode(signature)
                .map_err(|_| wrong_signature())?,
            date: at,
            message: format!("{method}\n{date}\n{path}"),
        })
    }

    async fn caller(&self, service: &Service) -> Result<Caller, Error> {
        if !self.date.is_near(service.now()) {
            return Err(refused("requestTimeTooSkewed"));
        }
        match service.access_key(&self.key_id).await {
            Ok((caller, secret)) if self.is_by(secret.expose()) => Ok(caller),
            Ok(_) => Err(wrong_signature()),
            Err(ServiceError::Unauthenticated(_) | ServiceError::NotFound { .. }) => {
                let id = &self.key_id;
                Err(refused(format!("cannot find access key id[{id}]")))
            }
            Err(other) => Err(other.into()),
        }
    }

    fn is_by(&self, secret: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        hmac::verify(&key, self.message.as_bytes(), &self.signature).is_ok()
    }
}

fn wrong_signature() -> Error {
    refused("wrong accessKey signature")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const JAVA: (&str, &str) = (
        "Sat, 21 Nov 2026 00:59:58 Etc/UTC",
        "BMJHQidiz4zW8YSRBbjPNXjtIAw=",
    );
    const GO: (&str, &str) = (
        "Sat, 21 Nov 2026 01:07:23 UTC",
        "Yd6J0mY8wVVtSZ6TzFCHXm8iMrA=",
    );

    fn signed(path: &str, date: &str, credential: &str) -> Result<Signed, String> {
        let mut headers = HeaderMap::new();
        headers.insert("date", date.parse().unwrap());
        let target = RawTarget::new(path.parse().unwrap());
        Signed::read(credential, &headers, "GET", &target).map_err(|error| match error {
            Error::Transport { text, .. } => text,
            other => panic!("{other:?}"),
        })
    }

    #[rstest]
    #[case::java(JAVA)]
    #[case::go(GO)]
    fn the_vendors_own_signatures_verify(#[case] (date, signature): (&str, &str)) {
        for path in [
            "/zstack/v1/database-backups?q=uuid=1",
            "/v1/database-backups",
        ] {
            let signed = signed(path, date, &format!("AK:{signature}")).unwrap();
            assert_eq!(signed.key_id, "AK");
            assert!(signed.is_by("SK"));
            assert!(!signed.is_by("sk"));
        }
    }

    #[test]
    fn a_signature_is_for_its_path_date_and_nothing_else() {
        let (date, signature) = GO;
        let credential = format!("AK:{signature}");
        assert!(
            !signed("/v1/backup-storage", date, &credential)
                .unwrap()
                .is_by("SK")
        );
        let later = "Sat, 21 Nov 2026 01:07:24 UTC";
        assert!(
            !signed("/v1/database-backups", later, &credential)
                .unwrap()
                .is_by("SK")
        );
    }

    #[test]
    fn a_malformed_credential_is_refused_in_the_vendors_words() {
        let path = "/v1/database-backups";
        let form = "accessKey format is 'ZStack AccessKeyId:Signature'";
        assert_eq!(signed(path, GO.0, "AK"), Err(form.to_owned()));
        assert_eq!(
            signed(path, GO.0, "AK:?"),
            Err("wrong accessKey signature".to_owned())
        );
        for date in ["", "now", "2026-11-21", "Sat, 32 Nov 2026 01:07:23 UTC"] {
            let error = signed(path, date, "AK:x").unwrap_err();
            assert!(error.starts_with("'Date' format error"), "{date}: {error}");
        }
    }
}
