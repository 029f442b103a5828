//! Credentials and sessions: from what a client presents to a [`Caller`].

pub(crate) mod authenticate;
pub(crate) mod credentials;
pub(crate) mod passwords;
mod principals;
pub(crate) mod recent;
pub(crate) mod secrets;
mod sessions;

use jiff::Timestamp;
use strongroom_domain::{Secret, SessionId, credential::Credential};

use crate::Caller;

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
    /// Its id. ZStack presents it as 32 hex digits; that is what [`Service::session`](crate::Service::session) looks up.
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
