//! The one place that knows that there are two databases: connections, statements and rows of
//! either, behind the same calls.

mod pool;
mod row;
mod sqlite;
mod value;

use std::path::Path;

use sqlx::{
    PgConnection, SqliteConnection,
    migrate::{MigrateError, Migrator},
};

use self::{
    pool::{Lent, Pool},
    sqlite::{SqliteDb, Turn, rolls_back},
};
pub(crate) use self::{
    row::{Reader, Row},
    value::{Statement, Value, sql},
};
use crate::{Error, Result};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections to PostgreSQL that one process keeps.
const POSTGRES_CONNECTIONS: usize = 16;

/// An open database.
pub(crate) enum Db {
    Sqlite(SqliteDb),
    Postgres(Pool<PgConnection>),
}

impl Db {
    /// Opens the database at `url` and brings its schema up to date.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let db = match url.split_once(':') {
            Some(("sqlite", ":memory:")) => Self::Sqlite(SqliteDb::scratch().await?),
            Some(("sqlite", path)) if !path.trim_start_matches("//").is_empty() => {
                let path = path.strip_prefix("//").unwrap_or(path);
                Self::Sqlite(SqliteDb::open(Path::new(path)).await?)
            }
            Some(("postgres" | "postgresql", _)) => {
                let options = url.parse().map_err(|_| address(url))?;
                Self::Postgres(Pool::new(options, POSTGRES_CONNECTIONS))
            }
            _ => return Err(address(url)),
        };
        match &db {
            Self::Sqlite(db) => db.migrate(&SQLITE).await?,
            // The migrator takes an advisory lock, so that servers that start together wait.
            Self::Postgres(pool) => {
                let mut lent = pool.acquire().await?;
                let done = POSTGRES.run(lent.conn()).await;
                done.map_err(|error| migration_error(&POSTGRES, error))?;
            }
        }
        Ok(db)
    }

    /// A connection that writes: all or nothing.
    pub(crate) async fn write(&self) -> Result<Conn> {
        Ok(Conn::new(match self {
            Self::Sqlite(db) => Link::SqliteWrite(Box::new(db.turn().await?)),
            Self::Postgres(pool) => {
                let mut lent = pool.acquire().await?;
                lent.begin("BEGIN").await?;
                Link::Postgres(lent)
            }
        }))
    }

    /// A connection that reads.
    pub(crate) async fn read(&self) -> Result<Conn> {
        Ok(Conn::new(match self {
            Self::Sqlite(db) => Link::SqliteRead(db.readers.acquire().await?),
            Self::Postgres(pool) => Link::Postgres(pool.acquire().await?),
        }))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

fn address(url: &str) -> Error {
    // What stands before the `@` may be a password.
    let shown = match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    };
    Error::Address { url: shown }
}

fn migration_error(migrator: &Migrator, error: MigrateError) -> Error {
    let known = migrator.iter().map(|it| it.version).max().unwrap_or(0);
    match error {
        MigrateError::VersionMissing(found) if found > known => Error::NewerSchema { found, known },
        error => Error::Migration(Box::new(error)),
    }
}

enum Link {
    SqliteRead(Lent<SqliteConnection>),
    SqliteWrite(Box<Turn>),
    Postgres(Lent<PgConnection>),
}

/// A connection that statements run on; what nouns are read through.
pub struct Conn {
    link: Link,
    /// A statement failed, so nothing of the transaction will be kept.
    failed: bool,
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn")
            .field("postgres", &self.is_postgres())
            .field("failed", &self.failed)
            .finish()
    }
}

/// Runs a sqlx query method on whichever connection there is.
macro_rules! on {
    ($conn:expr, $statement:expr, $method:ident, $lite:expr, $pg:expr) => {
        match &mut $conn.link {
            Link::SqliteRead(it) => $statement.sqlite()?.$method(it.conn()).await.map($lite),
            Link::SqliteWrite(it) => $statement.sqlite()?.$method(it.conn()).await.map($lite),
            Link::Postgres(it) => $statement.postgres()?.$method(it.conn()).await.map($pg),
        }
    };
}

impl Conn {
    fn new(link: Link) -> Self {
        Self {
            link,
            failed: false,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.link, Link::Postgres(_))
    }

    /// Runs a statement; gives the number of rows it changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        self.check()?;
        let done = on!(self, statement, execute, |it| it.rows_affected(), |it| it
            .rows_affected());
        self.note(done).await
    }

    /// Runs a statement; gives all its rows.
    pub(crate) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>> {
        self.check()?;
        let rows = on!(
            self,
            statement,
            fetch_all,
            |it| it.into_iter().map(Row::Sqlite).collect(),
            |it| it.into_iter().map(Row::Postgres).collect()
        );
        self.note(rows).await
    }

    /// Runs a statement; gives its first row.
    pub(crate) async fn one(&mut self, statement: Statement) -> Result<Option<Row>> {
        self.check()?;
        let row = on!(
            self,
            statement,
            fetch_optional,
            |it| it.map(Row::Sqlite),
            |it| it.map(Row::Postgres)
        );
        self.note(row).await
    }

    /// Runs a statement that gives one whole number.
    pub(crate) async fn count(&mut self, statement: Statement) -> Result<i64> {
        let row = self.one(statement).await?.ok_or(sqlx::Error::RowNotFound)?;
        row.reader("count").int()
    }

    /// What follows sees one state of the database. A transaction on SQLite always does; one that
    /// writes to PostgreSQL sees what others commit meanwhile, as it must to be right.
    pub(crate) async fn snapshot(&mut self) -> Result<()> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        match &mut self.link {
            Link::SqliteRead(lent) => lent.begin("BEGIN").await?,
            Link::SqliteWrite(_) => {}
            Link::Postgres(lent) => lent.begin(BEGIN).await?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.check()?;
        match self.link {
            Link::SqliteWrite(turn) => turn.commit().await,
            Link::SqliteRead(lent) => Ok(lent.commit().await?),
            Link::Postgres(lent) => Ok(lent.commit().await?),
        }
    }

    fn check(&self) -> Result<()> {
        if self.failed {
            Err(Error::Aborted)
        } else {
            Ok(())
        }
    }

    /// PostgreSQL refuses everything after an error within a transaction; so do we on SQLite, or
    /// a commit would keep half of what was meant.
    async fn note<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T> {
        let error = done.as_ref().err();
        match &mut self.link {
            Link::SqliteRead(lent) => lent.ended(error),
            Link::Postgres(lent) => {
                lent.ended(error);
                self.failed |= error.is_some() && lent.in_transaction();
            }
            Link::SqliteWrite(turn) => {
                self.failed |= error.is_some();
                if let Some(error) = error.filter(|it| rolls_back(it)) {
                    turn.give_up(error).await;
                }
            }
        }
        Ok(done?)
    }
}
