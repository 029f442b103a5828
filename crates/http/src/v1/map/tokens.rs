//! API tokens and access keys.

use strongroom_domain::credential::{Credential, CredentialKind};
use strongroom_service::identity::{IssuedAccessKey, IssuedToken};

use crate::v1::wire::{NewToken, Token};

impl From<Credential> for Token {
    fn from(credential: Credential) -> Self {
        let Credential {
            id,
            tenant_id: _,
            principal_id,
            kind,
            name,
            lookup,
            sealed_secret: _,
            enabled,
            created_at,
            expires_at,
        } = credential;
        // A token is looked up by its hash, which is nobody's business.
        let access_key = (kind == CredentialKind::AccessKey).then_some(lookup);
        Self {
            id,
            principal_id,
            kind,
            name,
            access_key,
            enabled,
            created_at,
            expires_at,
        }
    }
}

impl From<IssuedToken> for NewToken {
    fn from(issued: IssuedToken) -> Self {
        let IssuedToken { credential, token } = issued;
        Self {
            token: credential.into(),
            secret: token.expose().to_owned(),
        }
    }
}

impl From<IssuedAccessKey> for NewToken {
    fn from(issued: IssuedAccessKey) -> Self {
        let IssuedAccessKey {
            credential,
            secret_key,
        } = issued;
        Self {
            token: credential.into(),
            secret: secret_key.expose().to_owned(),
        }
    }
}
