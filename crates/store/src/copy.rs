//! A consistent copy of a SQLite catalog that is in use.

use std::path::Path;

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::Result;

/// Writes a copy of the SQLite file `from`, as of now, to the new file `to`. Others may write to
/// `from` meanwhile; this neither waits for them nor makes them wait.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(from).read_only(true);
    let mut connection = options.connect().await?;
    let to = to.to_string_lossy();
    sqlx::query("VACUUM INTO $1")
        .bind(to.as_ref())
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
