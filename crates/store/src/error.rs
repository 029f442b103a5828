//! What can go wrong between a noun and its row.

use uuid::Uuid;

/// Shorthand for what the store returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that must be unique is taken.
    #[error("{what} is taken")]
    Duplicate {
        /// What is taken, e.g. `resource name`.
        what: &'static str,
    },
    /// The row changed, or went away, since it was read.
    #[error("`{id}` in `{table}` changed since it was read")]
    Conflict {
        /// The table.
        table: &'static str,
        /// The row.
        id: Uuid,
    },
    /// Something that the row refers to does not exist, or something still refers to it.
    #[error("a reference from or to `{table}` does not hold")]
    Reference {
        /// The table that was written.
        table: &'static str,
    },
    /// The worker no longer holds the lease of its job.
    #[error("the lease of job `{job}` is lost")]
    FenceLost {
        /// The job.
        job: Uuid,
    },
    /// A row that this version did not write so.
    #[error("row `{id}` of `{table}` has an unreadable `{column}`")]
    CorruptRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The row, as far as it can be read.
        id: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A text with a NUL character or a number beyond 2^63 - 1: neither database keeps them.
    #[error("{what} cannot be stored")]
    Unstorable {
        /// What it is, e.g. "a text with a NUL character".
        what: &'static str,
    },
    /// A cursor that this list did not hand out.
    #[error("the cursor is not one of this list's")]
    InvalidCursor,
    /// A filter compares a column with a value of another type.
    #[error("`{field}` cannot be compared with a value of that type")]
    WrongType {
        /// The column.
        field: &'static str,
    },
    /// A filter with more values, or letters outside ASCII, than the databases take.
    #[error("the filter has more than {limit} values")]
    TooComplex {
        /// How many would have been taken.
        limit: usize,
    },
    /// Another process uses the database file.
    #[error("`{path}` is in use by another process")]
    InUse {
        /// The database file.
        path: String,
    },
    /// The database was written by a newer version.
    #[error("the database has schema {found}, this version knows {known}")]
    NewerSchema {
        /// What the database has.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// The database's address is not one.
    #[error(
        "`{url}` is not a database address (`sqlite:/path`, `sqlite::memory:` or `postgres://…`)"
    )]
    Address {
        /// The address, without its password.
        url: String,
    },
    /// A file beside the database cannot be used.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A migration failed.
    #[error("cannot bring the schema up to date")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
    /// A statement of this transaction failed before; nothing of it is kept.
    #[error("the transaction failed earlier")]
    Aborted,
    /// The transaction that this one was committed with failed.
    #[error("the transaction was not committed")]
    NotCommitted(#[source] std::sync::Arc<sqlx::Error>),
    /// The database refused or cannot be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Whether trying the same again may succeed: the database was unreachable or busy.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => transient(error),
            Self::NotCommitted(error) => transient(error),
            _ => false,
        }
    }

    /// Turns a violated constraint of `table` into what it means there.
    pub(crate) fn of_write(error: Self, table: &'static str, unique: &'static str) -> Self {
        let Self::Database(sqlx::Error::Database(cause)) = &error else {
            return error;
        };
        if cause.is_unique_violation() {
            Self::Duplicate { what: unique }
        } else if cause.is_foreign_key_violation() {
            Self::Reference { table }
        } else {
            error
        }
    }
}

/// Serialisation failure, deadlock and "too many connections" (PostgreSQL), busy and locked
/// (SQLite), or no connection at all.
fn transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(cause) => cause
            .code()
            .is_some_and(|code| ["40001", "40P01", "53300", "57P01", "5", "6"].contains(&&*code)),
        _ => false,
    }
}
