//! What is bound to a statement, for both databases alike.

use jiff::Timestamp;
use sqlx::{
    Arguments as _, Postgres, Sqlite, postgres::PgArguments, query::Query, sqlite::SqliteArguments,
};
use uuid::Uuid;

use crate::{Error, Result};

/// A statement's text: written once in the source, or put together at run time from such parts.
#[derive(Debug, Clone)]
pub(crate) enum Sql {
    Static(&'static str),
    Built(String),
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self::Built(text)
    }
}

/// A bound value; `None` is NULL of that type.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Bool(bool),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Id(Option<Uuid>),
    /// More than 2^63 - 1, found when it is bound.
    TooLarge,
}

macro_rules! values {
    ($($from:ty => $value:ident => $to:expr,)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

values! {
    i64 => it => Self::Int(Some(it)),
    i32 => it => Self::Int(Some(it.into())),
    u32 => it => Self::Int(Some(it.into())),
    u8 => it => Self::Int(Some(it.into())),
    u64 => it => i64::try_from(it).map_or(Self::TooLarge, |it| Self::Int(Some(it))),
    Option<u64> => it => it.map_or(Self::Int(None), Self::from),
    bool => it => Self::Bool(it),
    &str => it => Self::Text(Some(it.to_owned())),
    String => it => Self::Text(Some(it)),
    Option<String> => it => Self::Text(it),
    Option<&str> => it => Self::Text(it.map(str::to_owned)),
    Vec<u8> => it => Self::Bytes(Some(it)),
    Option<Vec<u8>> => it => Self::Bytes(it),
    Uuid => it => Self::Id(Some(it)),
    Option<Uuid> => it => Self::Id(it),
    Timestamp => it => Self::Int(Some(it.as_microsecond())),
    Option<Timestamp> => it => Self::Int(it.map(Timestamp::as_microsecond)),
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl From<strongroom_domain::$id> for Value {
            fn from(id: strongroom_domain::$id) -> Self {
                Self::Id(Some(id.uuid()))
            }
        }
        impl From<Option<strongroom_domain::$id>> for Value {
            fn from(id: Option<strongroom_domain::$id>) -> Self {
                Self::Id(id.map(strongroom_domain::$id::uuid))
            }
        }
    )*};
}

ids! {
    BackupId CheckpointId CopyId CredentialId EventId ExportId JobId ObjectId OperationId PolicyId PrincipalId
    RepositoryId ResourceId RestoreId SessionId TenantId VaultId
}

impl Value {
    /// A value as JSON text.
    pub(crate) fn json(value: &impl serde::Serialize) -> Self {
        // Only maps with keys that are not strings fail, and no noun has one.
        let text = serde_json::to_string(value).expect("nouns have a JSON form");
        Self::Text(Some(text))
    }

    fn check(&self) -> Result<()> {
        let what = match self {
            Self::TooLarge => "a number beyond 2^63 - 1",
            Self::Text(Some(text)) if text.contains('\0') => "a text with a NUL character",
            _ => return Ok(()),
        };
        Err(Error::Unstorable { what })
    }
}

/// A statement with its values.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: Sql,
    pub(crate) values: Vec<Value>,
}

/// Begins a statement; `$1`, `$2`, … stand for what is bound first, second, ….
pub(crate) fn sql(text: impl Into<Sql>) -> Statement {
    Statement {
        sql: text.into(),
        values: Vec::new(),
    }
}

impl Statement {
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(crate) fn bind_all(mut self, values: Vec<Value>) -> Self {
        self.values.extend(values);
        self
    }

    pub(crate) fn sqlite(self) -> Result<Query<'static, Sqlite, SqliteArguments>> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            value.check()?;
            match value {
                Value::Int(it) => arguments.add(it),
                Value::Bool(it) => arguments.add(it),
                Value::Text(it) => arguments.add(it),
                Value::Bytes(it) => arguments.add(it),
                Value::Id(it) => arguments.add(it),
                Value::TooLarge => Ok(()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(match self.sql {
            Sql::Static(text) => sqlx::query_with(text, arguments),
            Sql::Built(text) => sqlx::query_with(sqlx::AssertSqlSafe(text), arguments),
        })
    }

    pub(crate) fn postgres(self) -> Result<Query<'static, Postgres, PgArguments>> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            value.check()?;
            match value {
                Value::Int(it) => arguments.add(it),
                Value::Bool(it) => arguments.add(it),
                Value::Text(it) => arguments.add(it),
                Value::Bytes(it) => arguments.add(it),
                Value::Id(it) => arguments.add(it),
                Value::TooLarge => Ok(()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(match self.sql {
            Sql::Static(text) => sqlx::query_with(text, arguments),
            Sql::Built(text) => sqlx::query_with(sqlx::AssertSqlSafe(text), arguments),
        })
    }
}
