//! Long-lived credentials and login sessions.

use jiff::Timestamp;

use crate::{CredentialId, PrincipalId, SessionId, TenantId, text_enum};

text_enum! {
    /// What a credential proves itself with.
    pub enum CredentialKind {
        /// An opaque bearer token; only its SHA-256 is stored.
        ApiToken = "api_token",
        /// An access key id with a secret key that signs requests; the secret is stored sealed.
        AccessKey = "access_key",
    }
}

/// An API token or access key of a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// The tenant of the principal.
    pub tenant_id: TenantId,
    /// Whom it authenticates.
    pub principal_id: PrincipalId,
    /// Token or access key.
    pub kind: CredentialKind,
    /// What it is for, chosen by its owner.
    pub name: String,
    /// What a request is looked up by: hex SHA-256 of a token, or an access key id.
    pub lookup: String,
    /// The sealed secret key of an access key; nothing for a token.
    pub sealed_secret: Option<Vec<u8>>,
    /// One that is off opens nothing.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
}

/// A login: ZStack's session or Keystone's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id; ZStack shows it as 32 hex digits. Keystone tokens are another, longer secret.
    pub id: SessionId,
    /// Hex SHA-256 of what the client presents.
    pub lookup: String,
    /// The tenant it acts in.
    pub tenant_id: TenantId,
    /// Who logged in.
    pub principal_id: PrincipalId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends unless it is used before (ZStack) or at all (Keystone).
    pub expires_at: Timestamp,
}
