//! The envelopes of answers: lists, single inventories, accepted jobs, errors; and the `schema`
//! that tells the Java SDK which class stands at which path.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    backup::DatabaseBackup,
    session::Session,
    storage::{BackupStorage, ImageStore},
};

/// The vendor's class at each path of an answer; parents come before their children.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct Schema(BTreeMap<String, &'static str>);

impl Schema {
    /// Names what stands at `path`.
    pub(crate) fn of(value: &impl Inventory, path: &str) -> Self {
        let mut schema = Self::default();
        schema.add(value, path, None);
        schema
    }

    /// Names what stands at one more path.
    pub(crate) fn insert(&mut self, path: String, class: &'static str) {
        self.0.insert(path, class);
    }

    /// Names a row and the rows in it, or those of its `members`.
    pub(crate) fn add(&mut self, value: &impl Inventory, path: &str, members: Option<&[String]>) {
        self.0.insert(path.to_owned(), value.class());
        for (member, rows, class) in value.children() {
            if members.is_none_or(|it| it.iter().any(|it| it == member)) {
                match rows {
                    Rows::One => self.insert(format!("{path}.{member}"), class),
                    Rows::List(count) => (0..count)
                        .for_each(|at| self.insert(format!("{path}.{member}[{at}]"), class)),
                }
            }
        }
    }
}

/// What rows a member of a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The member is the row.
    One,
    /// A list of so many.
    List(usize),
}

/// A row of an answer.
pub(crate) trait Inventory: Serialize {
    /// The vendor's class for it.
    fn class(&self) -> &'static str;

    /// The rows in it: member, what it holds, and class.
    fn children(&self) -> Vec<(&'static str, Rows, &'static str)> {
        Vec::new()
    }
}

/// The class of [`DatabaseBackup`].
pub(crate) const DATABASE_BACKUP: &str =
    "org.zstack.header.storage.database.backup.DatabaseBackupInventory";
/// The class of its `backupStorageRefs`.
pub(crate) const DATABASE_BACKUP_REF: &str =
    "org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory";
/// The class of [`BackupStorage`].
pub(crate) const BACKUP_STORAGE: &str = "org.zstack.header.storage.backup.BackupStorageInventory";
/// The class of [`ImageStore`].
pub(crate) const IMAGE_STORE: &str =
    "org.zstack.storage.backup.imagestore.ImageStoreBackupStorageInventory";
const SESSION: &str = "org.zstack.header.identity.SessionInventory";

impl Inventory for DatabaseBackup {
    fn class(&self) -> &'static str {
        DATABASE_BACKUP
    }

    fn children(&self) -> Vec<(&'static str, Rows, &'static str)> {
        let count = self.backup_storage_refs.len();
        vec![("backupStorageRefs", Rows::List(count), DATABASE_BACKUP_REF)]
    }
}

impl Inventory for BackupStorage {
    fn class(&self) -> &'static str {
        BACKUP_STORAGE
    }
}

impl Inventory for ImageStore {
    fn class(&self) -> &'static str {
        IMAGE_STORE
    }
}

impl Inventory for Session {
    fn class(&self) -> &'static str {
        SESSION
    }
}

/// The answer to a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// The rows; left out where only their number was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<T>>)]
    inventories: Option<Vec<Row<T>>>,
    /// How many rows match, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[schema(value_type = Object)]
    schema: Schema,
}

/// A row with all its members, or those that were asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Row<T> {
    Whole(T),
    Part(Map<String, Value>),
}

impl<T: Inventory> Listed<T> {
    /// All of `rows`, cut down to `members` if some were asked for.
    pub(crate) fn rows(
        rows: Vec<T>,
        total: Option<u64>,
        members: Option<&[String]>,
    ) -> Result<Self, serde_json::Error> {
        let mut schema = Schema::default();
        for (at, row) in rows.iter().enumerate() {
            schema.add(row, &format!("inventories[{at}]"), members);
        }
        let rows = rows.into_iter().map(|row| Row::cut(row, members));
        Ok(Self {
            inventories: Some(rows.collect::<Result<_, _>>()?),
            total,
            schema,
        })
    }

    /// Only how many rows match.
    pub(crate) fn count(total: u64) -> Self {
        Self {
            inventories: None,
            total: Some(total),
            schema: Schema::default(),
        }
    }
}

impl<T: Inventory> Row<T> {
    fn cut(row: T, members: Option<&[String]>) -> Result<Self, serde_json::Error> {
        let Some(members) = members else {
            return Ok(Self::Whole(row));
        };
        let mut part = match serde_json::to_value(&row)? {
            Value::Object(all) => all,
            _ => Map::new(),
        };
        part.retain(|name, _| members.contains(name));
        Ok(Self::Part(part))
    }
}

/// The answer with one row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct One<T> {
    pub(crate) inventory: T,
    /// Given if the client asked for it with `X-JSON-Schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) schema: Option<Schema>,
}

impl<T: Inventory> One<T> {
    /// A row, with the schema if that is wanted.
    pub(crate) fn new(inventory: T, with_schema: bool) -> Self {
        let schema = with_schema.then(|| Schema::of(&inventory, "inventory"));
        Self { inventory, schema }
    }
}

/// The answer to a call that is carried out as a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accepted {
    /// Where to poll the job: an absolute URL.
    pub(crate) location: String,
    /// How long the job may take, in milliseconds.
    pub(crate) api_timeout: u64,
}

/// Nothing to say; never an empty body, which makes the Go SDK fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Empty {}

/// The answer to a call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Failed {
    pub(crate) error: ErrorCode,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ErrorCode {
    #[schema(example = "SYS.1007")]
    pub(crate) code: &'static str,
    /// The same for every error of this code.
    pub(crate) description: &'static str,
    pub(crate) details: String,
    /// What led to it. Every error of the vendor's server has the list; none is known here.
    #[schema(no_recursion)]
    pub(crate) causes: Vec<ErrorCode>,
}

/// JSON as the vendor's clients expect it.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let Self(status, value) = self;
        match serde_json::to_vec(&value) {
            Ok(body) => {
                let kind = HeaderValue::from_static("application/json;charset=utf-8");
                (status, [(CONTENT_TYPE, kind)], body).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Parent {
        name: &'static str,
        refs: Vec<u8>,
    }

    impl Inventory for Parent {
        fn class(&self) -> &'static str {
            "P"
        }

        fn children(&self) -> Vec<(&'static str, Rows, &'static str)> {
            vec![("refs", Rows::List(self.refs.len()), "C")]
        }
    }

    fn listed(members: Option<&[&str]>) -> Value {
        let rows = vec![
            Parent {
                name: "a",
                refs: vec![1],
            },
            Parent {
                name: "b",
                refs: vec![],
            },
        ];
        let members: Option<Vec<_>> = members.map(|it| it.iter().map(|it| (*it).into()).collect());
        serde_json::to_value(Listed::rows(rows, Some(9), members.as_deref()).unwrap()).unwrap()
    }

    #[test]
    fn the_schema_names_just_what_is_in_the_answer() {
        assert_eq!(
            listed(None),
            serde_json::json!({
                "inventories": [{"name": "a", "refs": [1]}, {"name": "b", "refs": []}],
                "total": 9,
                "schema": {
                    "inventories[0]": "P",
                    "inventories[0].refs[0]": "C",
                    "inventories[1]": "P",
                },
            })
        );
        assert_eq!(
            listed(Some(&["name"])),
            serde_json::json!({
                "inventories": [{"name": "a"}, {"name": "b"}],
                "total": 9,
                "schema": {"inventories[0]": "P", "inventories[1]": "P"},
            })
        );
    }

    #[test]
    fn a_count_comes_without_rows() {
        let counted = serde_json::to_value(Listed::<Parent>::count(3)).unwrap();
        assert_eq!(counted, serde_json::json!({"total": 3, "schema": {}}));
    }
}
