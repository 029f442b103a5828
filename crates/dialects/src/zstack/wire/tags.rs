//! Tags.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reply::Inventory;
use crate::zstack::query::{
    table::{Kind, Table},
    tags::TagKind,
};

/// The body of CreateSystemTag and CreateUserTag.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct CreateTag {
    pub(crate) params: Option<NewTag>,
}

/// A tag for a row; kept as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NewTag {
    /// Mandatory, e.g. `DatabaseBackupVO`.
    #[serde(deserialize_with = "super::text")]
    pub(crate) resource_type: Option<String>,
    /// Mandatory.
    #[serde(deserialize_with = "super::text")]
    pub(crate) resource_uuid: Option<String>,
    /// Mandatory.
    #[serde(deserialize_with = "super::text")]
    pub(crate) tag: Option<String>,
}

/// A tag, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagInventory {
    pub(crate) uuid: String,
    pub(crate) resource_uuid: String,
    pub(crate) resource_type: String,
    pub(crate) tag: String,
    /// `System` or `User`.
    #[serde(rename = "type")]
    pub(crate) tag_type: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    #[serde(skip)]
    pub(crate) kind: TagKind,
}

const COLUMNS: &[(&str, Kind)] = &[
    ("uuid", Kind::Text),
    ("resourceUuid", Kind::Text),
    ("resourceType", Kind::Text),
    ("tag", Kind::Text),
    ("type", Kind::Text),
    ("createDate", Kind::Time),
    ("lastOpDate", Kind::Time),
];

/// Queries on the tags of the system.
pub(crate) static SYSTEM_TAGS: Table = Table {
    class: "org.zstack.header.tag.SystemTagInventory",
    columns: COLUMNS,
    children: &[],
};

/// Queries on the tags of users.
pub(crate) static USER_TAGS: Table = Table {
    class: "org.zstack.header.tag.UserTagInventory",
    columns: COLUMNS,
    children: &[],
};

impl Inventory for TagInventory {
    fn class(&self) -> &'static str {
        match self.kind {
            TagKind::System => SYSTEM_TAGS.class,
            TagKind::User => USER_TAGS.class,
        }
    }
}
