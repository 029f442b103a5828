//! The same rows without a server: one connection, statements written by hand.

use anyhow::Result;
use sqlx::{
    ConnectOptions, PgConnection, Row as _, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::queries::Case;

/// A value in a statement.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    Id(Uuid),
    Text(String),
    Int(i64),
}

/// A connection to either database.
#[derive(Debug)]
pub(super) enum Sql {
    Sqlite(Mutex<SqliteConnection>),
    Postgres(Mutex<PgConnection>),
}

/// Fetches all rows of a statement and gives the first one's first column, which is a number if
/// the case counts, or else how many there are.
macro_rules! fetch {
    ($connection:expr, $case:expr) => {{
        let mut connection = $connection.lock().await;
        let mut query = sqlx::query(sqlx::AssertSqlSafe($case.sql.as_str()));
        for value in &$case.values {
            query = match value {
                Bound::Id(it) => query.bind(*it),
                Bound::Text(it) => query.bind(it.clone()),
                Bound::Int(it) => query.bind(*it),
            };
        }
        let rows = query.fetch_all(&mut *connection).await?;
        match rows.first() {
            Some(row) if $case.counts => u64::try_from(row.try_get::<i64, _>(0)?)?,
            _ => rows.len().try_into()?,
        }
    }};
}

impl Sql {
    pub(super) async fn open(url: &str) -> Result<Self> {
        Ok(if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = url.parse()?;
            Self::Sqlite(Mutex::new(options.read_only(true).connect().await?))
        } else {
            let options: PgConnectOptions = url.parse()?;
            Self::Postgres(Mutex::new(options.connect().await?))
        })
    }

    /// How many rows the case has.
    pub(super) async fn rows(&self, case: &Case) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(it) => fetch!(it, case),
            Self::Postgres(it) => fetch!(it, case),
        })
    }
}
