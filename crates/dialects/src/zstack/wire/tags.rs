//! Tags.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reply::{Inventory, Rows, Schema};
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
    /// What it was made of, if of a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(crate) tag_pattern_uuid: Option<String>,
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
    /// Of the tags of the system only; always `false`: all of them can be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inherent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag_pattern_uuid: Option<String>,
    /// What it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag_pattern: Option<TagPattern>,
    #[serde(skip)]
    pub(crate) kind: TagKind,
}

/// The body of UpdateSystemTag.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TagChange {
    /// Mandatory.
    #[serde(deserialize_with = "super::text")]
    pub(crate) tag: Option<String>,
}

/// The body of CreateTag.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct CreatePattern {
    pub(crate) params: Option<PatternBody>,
}

/// What tags are made of; kept as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PatternBody {
    /// Mandatory; at most 128 characters.
    #[serde(deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    /// Mandatory; at most 128 characters. The tag, with `{tokens}` to be filled in if it has some.
    #[serde(deserialize_with = "super::text")]
    pub(crate) value: Option<String>,
    #[serde(deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// E.g. `#FF00FF`.
    #[serde(deserialize_with = "super::text")]
    pub(crate) color: Option<String>,
    /// `simple`, or `withToken`.
    #[serde(rename = "type", deserialize_with = "super::text")]
    pub(crate) pattern_type: Option<String>,
    #[serde(skip_serializing, deserialize_with = "super::text")]
    pub(crate) resource_uuid: Option<String>,
}

/// What tags are made of, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagPattern {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
    /// `simple` or `withToken`.
    #[serde(rename = "type")]
    pub(crate) pattern_type: String,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// The body of AttachTagToResources.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct AttachTag {
    pub(crate) params: Option<TaggedResources>,
}

/// What a tag is attached to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TaggedResources {
    /// Mandatory.
    #[serde(deserialize_with = "super::texts")]
    pub(crate) resource_uuids: Vec<String>,
    /// What is filled in for each token of the pattern.
    #[serde(deserialize_with = "super::named_texts")]
    pub(crate) tokens: BTreeMap<String, String>,
}

/// The answer to AttachTagToResources.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attached {
    pub(crate) results: Vec<AttachedTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) schema: Option<Schema>,
}

/// A tag that was attached to a resource.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttachedTag {
    pub(crate) inventory: TagInventory,
    /// Always `true`.
    pub(crate) success: bool,
}

impl Attached {
    /// The tags, with the schema if that is wanted.
    pub(crate) fn new(tags: Vec<TagInventory>, with_schema: bool) -> Self {
        let schema = with_schema.then(|| {
            let mut schema = Schema::default();
            for (at, tag) in tags.iter().enumerate() {
                let path = format!("results[{at}]");
                schema.insert(path.clone(), "org.zstack.tag2.AttachTagResult");
                schema.add(tag, &format!("{path}.inventory"), None);
            }
            schema
        });
        let attached = |inventory| AttachedTag {
            inventory,
            success: true,
        };
        Self {
            results: tags.into_iter().map(attached).collect(),
            schema,
        }
    }
}

/// Queries on what tags are made of.
pub(crate) static TAG_PATTERNS: Table = Table {
    class: "org.zstack.header.tag.TagPatternInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("value", Kind::Text),
        ("description", Kind::Text),
        ("color", Kind::Text),
        ("type", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
    ],
    children: &[],
};

impl Inventory for TagPattern {
    fn class(&self) -> &'static str {
        TAG_PATTERNS.class
    }
}

/// Queries on the tags of the system.
pub(crate) static SYSTEM_TAGS: Table = Table {
    class: "org.zstack.header.tag.SystemTagInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("resourceUuid", Kind::Text),
        ("resourceType", Kind::Text),
        ("tag", Kind::Text),
        ("type", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
        ("inherent", Kind::Text),
    ],
    children: &[],
};

/// Queries on the tags of users.
pub(crate) static USER_TAGS: Table = Table {
    class: "org.zstack.header.tag.UserTagInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("resourceUuid", Kind::Text),
        ("resourceType", Kind::Text),
        ("tag", Kind::Text),
        ("type", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
        ("tagPatternUuid", Kind::Text),
    ],
    children: &[("tagPattern", &TAG_PATTERNS)],
};

impl Inventory for TagInventory {
    fn class(&self) -> &'static str {
        match self.kind {
            TagKind::System => SYSTEM_TAGS.class,
            TagKind::User => USER_TAGS.class,
        }
    }

    fn children(&self) -> Vec<(&'static str, Rows, &'static str)> {
        let pattern = self.tag_pattern.as_ref();
        let pattern = pattern.map(|it| ("tagPattern", Rows::One, it.class()));
        pattern.into_iter().collect()
    }
}
