//! Logins and sessions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of LogInByAccount.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogInByAccount {
    pub(crate) log_in_by_account: Option<AccountLogin>,
}

/// An account's credential.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountLogin {
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) account_name: Option<String>,
    /// The lower-case hex SHA-512 of the password.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) password: Option<String>,
}

/// The body of LogIn.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogIn {
    pub(crate) log_in: Option<AnyLogin>,
}

/// A credential of some type.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnyLogin {
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) username: Option<String>,
    /// The lower-case hex SHA-512 of the password.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) password: Option<String>,
    /// `account` is what there is.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) login_type: Option<String>,
}

/// The body of LogInByUser.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogInByUser {
    pub(crate) log_in_by_user: Option<UserLogin>,
}

/// A user's credential.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserLogin {
    /// The account by name, or …
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) account_name: Option<String>,
    /// … by uuid.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) account_uuid: Option<String>,
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) user_name: Option<String>,
    /// The lower-case hex SHA-512 of the password.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) password: Option<String>,
}

/// The body of RenewSession.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RenewSession {
    pub(crate) renew_session: Option<Renewal>,
}

/// How long a session shall last from now.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
pub(crate) struct Renewal {
    /// In seconds, 60 to 31536000.
    #[serde(default, deserialize_with = "super::long")]
    pub(crate) duration: Option<i64>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// What goes into `Authorization: OAuth <uuid>`.
    pub(crate) uuid: String,
    pub(crate) account_uuid: String,
    pub(crate) user_uuid: String,
    pub(crate) user_type: &'static str,
    pub(crate) expired_date: String,
    pub(crate) create_date: String,
}

/// Whether a session can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Validity {
    pub(crate) valid: bool,
}

// The derived forms would print passwords.
impl std::fmt::Debug for AccountLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountLogin")
            .field("account_name", &self.account_name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AnyLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyLogin")
            .field("username", &self.username)
            .field("login_type", &self.login_type)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UserLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserLogin")
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}
