//! Credentials and sessions: from what a client presents to a [`Caller`].

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    CredentialId, Principal, PrincipalId, Role, Secret, SessionId, credential::Credential,
};

use crate::{Caller, Result, Service};

/// How a password reaches us. Passwords are stored as Argon2id over the SHA-512 hex of the plain
/// text, because ZStack's clients send only that.
#[derive(Debug, Clone)]
pub enum PasswordForm {
    /// The plain text.
    Plain(Secret),
    /// Lower-case hex SHA-512 of the plain text.
    Sha512Hex(Secret),
}

/// A login that just began.
#[derive(Debug, Clone)]
pub struct OpenedSession {
    /// Its id. ZStack presents it as 32 hex digits; that is what [`Service::session`] looks up.
    pub id: SessionId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who it acts for.
    pub caller: Caller,
}

/// A token that was just made; the only time its text can be read.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The stored record.
    pub credential: Credential,
    /// The text to present.
    pub token: Secret,
}

/// An access key that was just made; the only time its secret can be read.
#[derive(Debug, Clone)]
pub struct IssuedAccessKey {
    /// The stored record; its `lookup` is the access key id.
    pub credential: Credential,
    /// The secret key.
    pub secret_key: Secret,
}

impl Service {
    /// The caller behind an API token. `Unauthenticated` if unknown, revoked or expired.
    pub async fn token_caller(&self, token: &str) -> Result<Caller> {
        todo!()
    }

    /// The caller behind a name and password. `tenant` names the tenant by name or id; without
    /// it the name must be the login of exactly one principal, or the tenant's own name (ZStack's
    /// account), which stands for its first owner.
    pub async fn password_caller(
        &self,
        tenant: Option<&str>,
        name: &str,
        password: PasswordForm,
    ) -> Result<Caller> {
        todo!()
    }

    /// The caller and the secret key behind an access key id, to verify a signature with.
    pub async fn access_key(&self, access_key_id: &str) -> Result<(Caller, Secret)> {
        todo!()
    }

    /// Opens a login session that lasts `lifetime`.
    pub async fn open_session(
        &self,
        caller: &Caller,
        lifetime: SignedDuration,
    ) -> Result<OpenedSession> {
        todo!()
    }

    /// The session that a client presents. With `extend`, its end moves to now + `extend`
    /// (ZStack's sliding sessions; written at most once a minute).
    pub async fn session(
        &self,
        id: SessionId,
        extend: Option<SignedDuration>,
    ) -> Result<OpenedSession> {
        todo!()
    }

    /// Ends a session; an unknown one is not an error.
    pub async fn close_session(&self, id: SessionId) -> Result<()> {
        todo!()
    }

    /// Makes an API token for the caller (or, for an owner, for another principal of its tenant).
    pub async fn create_token(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<IssuedToken> {
        todo!()
    }

    /// Makes an access key for the caller (or, for an owner, for another principal).
    pub async fn create_access_key(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        name: &str,
    ) -> Result<IssuedAccessKey> {
        todo!()
    }

    /// The tokens and access keys that the caller may see: its own, or all of the tenant for an
    /// owner.
    pub async fn list_credentials(&self, caller: &Caller) -> Result<Vec<Credential>> {
        todo!()
    }

    /// Revokes a token or access key.
    pub async fn delete_credential(&self, caller: &Caller, id: CredentialId) -> Result<()> {
        todo!()
    }

    /// The principals of the caller's tenant.
    pub async fn list_principals(&self, caller: &Caller) -> Result<Vec<Principal>> {
        todo!()
    }

    /// Adds a principal to the caller's tenant; takes an owner.
    pub async fn create_principal(
        &self,
        caller: &Caller,
        name: &str,
        role: Role,
        password: &Secret,
    ) -> Result<Principal> {
        todo!()
    }
}
