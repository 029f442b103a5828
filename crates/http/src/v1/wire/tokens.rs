//! API tokens and access keys on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{CredentialId, PrincipalId, credential::CredentialKind};
use utoipa::ToSchema;

use super::schema;

/// An API token or access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: CredentialId,
    /// Whom it authenticates.
    #[schema(value_type = Uuid)]
    pub principal_id: PrincipalId,
    /// Token or access key.
    #[schema(value_type = schema::CredentialKind)]
    pub kind: CredentialKind,
    /// What it is for.
    pub name: String,
    /// The access key id; nothing for a token.
    pub access_key: Option<String>,
    /// Whether it opens anything at present.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
}

/// A token or access key to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What it is for.
    pub name: String,
    /// Token or access key; a token if nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::CredentialKind>)]
    pub kind: Option<CredentialKind>,
    /// For whom; for oneself if nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub principal_id: Option<PrincipalId>,
    /// When it stops working; only for a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token or access key that was just made. The secret is never shown again.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// The token.
    pub token: Token,
    /// The text to present, or the access key's secret.
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
