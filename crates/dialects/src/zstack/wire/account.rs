//! Accounts and access keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reply::Inventory;
use crate::zstack::query::table::{Kind, Table};

/// An account, as listed: a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) uuid: String,
    pub(crate) name: String,
    /// Always `Normal`.
    #[serde(rename = "type")]
    pub(crate) account_type: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// An access key, as listed. The result of its creation has `AccessKeySecret` too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKey {
    pub(crate) uuid: String,
    pub(crate) description: String,
    pub(crate) account_uuid: String,
    pub(crate) user_uuid: String,
    #[serde(rename = "AccessKeyID")]
    pub(crate) access_key_id: String,
    /// `Enabled` or `Disabled`.
    pub(crate) state: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// The body of CreateAccessKey.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct CreateAccessKey {
    pub(crate) params: Option<NewAccessKey>,
}

/// An access key to make.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NewAccessKey {
    /// Mandatory; the caller's account.
    #[serde(deserialize_with = "super::text")]
    pub(crate) account_uuid: Option<String>,
    /// Mandatory; a user of it.
    #[serde(deserialize_with = "super::text")]
    pub(crate) user_uuid: Option<String>,
    #[serde(deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// 10 to 20 characters; made if not given.
    #[serde(rename = "AccessKeyID", deserialize_with = "super::text")]
    pub(crate) access_key_id: Option<String>,
    /// 10 to 40 characters; given with the id.
    #[serde(rename = "AccessKeySecret", deserialize_with = "super::text")]
    pub(crate) access_key_secret: Option<String>,
}

// The derived form would print the secret.
impl std::fmt::Debug for NewAccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccessKey")
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

/// Queries on accounts.
pub(crate) static ACCOUNTS: Table = Table {
    class: "org.zstack.header.identity.AccountInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("type", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
    ],
    children: &[],
};

/// Queries on access keys.
pub(crate) static ACCESS_KEYS: Table = Table {
    class: "org.zstack.accessKey.AccessKeyInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("description", Kind::Text),
        ("accountUuid", Kind::Text),
        ("userUuid", Kind::Text),
        ("AccessKeyID", Kind::Text),
        ("state", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
    ],
    children: &[],
};

impl Inventory for Account {
    fn class(&self) -> &'static str {
        ACCOUNTS.class
    }
}

impl Inventory for AccessKey {
    fn class(&self) -> &'static str {
        ACCESS_KEYS.class
    }
}
