//! Rows of either database, read column by column in the order of the SELECT.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{Error, Result};

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What both databases can give back.
pub(crate) trait Plain:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl Plain for i64 {}
impl Plain for bool {}
impl Plain for String {}
impl Plain for Vec<u8> {}
impl Plain for Uuid {}

impl Row {
    fn get<T: Plain>(&self, index: usize) -> Result<Option<T>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(index),
            Self::Postgres(row) => row.try_get(index),
        }
    }

    fn column(&self, index: usize) -> Option<&str> {
        match self {
            Self::Sqlite(row) => row.columns().get(index).map(sqlx::Column::name),
            Self::Postgres(row) => row.columns().get(index).map(sqlx::Column::name),
        }
    }

    /// Begins reading; `table` is named if something cannot be read.
    pub(crate) fn reader(&self, table: &'static str) -> Reader<'_> {
        Reader {
            row: self,
            next: 0,
            table,
        }
    }
}

/// Reads a row from left to right; the order of the calls is that of the columns.
pub(crate) struct Reader<'r> {
    row: &'r Row,
    next: usize,
    table: &'static str,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Reader<'_> {
    fn plain<T: Plain>(&mut self) -> Result<Option<T>> {
        let value = self.row.get(self.next);
        self.next += 1;
        value.map_err(|cause| self.corrupt(cause))
    }

    fn required<T: Plain>(&mut self) -> Result<T> {
        self.plain()?.ok_or_else(|| self.corrupt("it is NULL"))
    }

    /// An error about the column that was read last.
    fn corrupt(&self, cause: impl Into<Cause>) -> Error {
        let column = self.row.column(self.next - 1).unwrap_or("?").to_owned();
        let id = self.row.get::<Uuid>(0).ok().flatten();
        Error::CorruptRow {
            table: self.table,
            column,
            id: id.map_or_else(|| "?".to_owned(), |id| id.to_string()),
            source: cause.into(),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        self.required()
    }

    pub(crate) fn int_opt(&mut self) -> Result<Option<i64>> {
        self.plain()
    }

    /// A number of a narrower type, e.g. a size.
    pub(crate) fn number<T: TryFrom<i64, Error: Into<Cause>>>(&mut self) -> Result<T> {
        let value: i64 = self.required()?;
        T::try_from(value).map_err(|cause| self.corrupt(cause))
    }

    pub(crate) fn number_opt<T: TryFrom<i64, Error: Into<Cause>>>(&mut self) -> Result<Option<T>> {
        let value: Option<i64> = self.plain()?;
        value
            .map(|value| T::try_from(value).map_err(|cause| self.corrupt(cause)))
            .transpose()
    }

    pub(crate) fn bool(&mut self) -> Result<bool> {
        self.required()
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.required()
    }

    pub(crate) fn text_opt(&mut self) -> Result<Option<String>> {
        self.plain()
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        self.required()
    }

    pub(crate) fn bytes_opt(&mut self) -> Result<Option<Vec<u8>>> {
        self.plain()
    }

    /// A typed id.
    pub(crate) fn id<T>(&mut self, wrap: fn(Uuid) -> T) -> Result<T> {
        self.required().map(wrap)
    }

    pub(crate) fn id_opt<T>(&mut self, wrap: fn(Uuid) -> T) -> Result<Option<T>> {
        Ok(self.plain()?.map(wrap))
    }

    /// A member of a `text_enum!`.
    pub(crate) fn word<T: std::str::FromStr<Err: Into<Cause>>>(&mut self) -> Result<T> {
        let text: String = self.required()?;
        text.parse().map_err(|cause: T::Err| self.corrupt(cause))
    }

    pub(crate) fn word_opt<T: std::str::FromStr<Err: Into<Cause>>>(&mut self) -> Result<Option<T>> {
        let text: Option<String> = self.plain()?;
        text.map(|text| text.parse().map_err(|cause: T::Err| self.corrupt(cause)))
            .transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        let text: String = self.required()?;
        serde_json::from_str(&text).map_err(|cause| self.corrupt(cause))
    }

    pub(crate) fn json_opt<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let text: Option<String> = self.plain()?;
        text.map(|text| serde_json::from_str(&text).map_err(|cause| self.corrupt(cause)))
            .transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        let micros: i64 = self.required()?;
        Timestamp::from_microsecond(micros).map_err(|cause| self.corrupt(cause))
    }

    pub(crate) fn time_opt(&mut self) -> Result<Option<Timestamp>> {
        let micros: Option<i64> = self.plain()?;
        micros
            .map(|micros| Timestamp::from_microsecond(micros).map_err(|cause| self.corrupt(cause)))
            .transpose()
    }
}
