//! SQLite: one connection writes, a few read, and one process uses the file.
//!
//! Writers take turns on the one connection. A turn is a savepoint; those that wait at the same
//! time are committed together, so that their number and not the disk's flushes per second limits
//! how many are durable: whoever ends its turn queues again behind all that wait already, and the
//! first whose second turn comes commits for all before it.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::{Arc, OnceLock},
    thread::available_parallelism,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Executor as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::pool::Pool;
use crate::{Error, Result};

/// The most connections that read at the same time. Each is a thread, and a look-up spends its
/// time on a processor: more of them than processors only take turns.
const READERS: usize = 8;

/// How long a connection waits for the file's own lock; only another tool could hold it.
const BUSY: Duration = Duration::from_secs(10);

pub(crate) struct SqliteDb {
    writer: Arc<Mutex<Writer>>,
    pub(crate) readers: Pool<SqliteConnection>,
    /// Held as long as the database is open.
    _lock: Option<File>,
    /// Where a database lives that nobody wants to keep.
    _scratch: Option<tempfile::TempDir>,
}

/// The writing connection and what is under way on it.
struct Writer {
    conn: SqliteConnection,
    /// The open transaction that turns are part of.
    batch: Option<Arc<Batch>>,
    /// A turn's savepoint is open; if nobody holds the lock, the turn was dropped.
    savepoint: bool,
}

/// Turns that are committed together.
#[derive(Default)]
struct Batch {
    outcome: OnceLock<Result<(), Arc<sqlx::Error>>>,
}

/// The right to write until it is committed or dropped.
pub(crate) struct Turn {
    guard: OwnedMutexGuard<Writer>,
    writer: Arc<Mutex<Writer>>,
}

impl SqliteDb {
    /// Opens or creates the database at `path`.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let lock = lock(path)?;
        let options = options(path).synchronous(SqliteSynchronous::Full);
        Self::open_with(options, Some(lock), None).await
    }

    /// A database that goes away with this value. It is a file all the same, so that it behaves
    /// as one that is kept.
    pub(crate) async fn scratch() -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("strongroom-")
            .tempdir()
            .map_err(|source| Error::File {
                path: "temporary directory".to_owned(),
                source,
            })?;
        let options = options(&dir.path().join("scratch.db")).synchronous(SqliteSynchronous::Off);
        Self::open_with(options, None, Some(dir)).await
    }

    async fn open_with(
        options: SqliteConnectOptions,
        lock: Option<File>,
        scratch: Option<tempfile::TempDir>,
    ) -> Result<Self> {
        let conn = options.connect().await?;
        let readers = available_parallelism().map_or(2, |it| it.get().clamp(2, READERS));
        let readers = Pool::new(options.pragma("query_only", "ON"), readers);
        let writer = Writer {
            conn,
            batch: None,
            savepoint: false,
        };
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            readers,
            _lock: lock,
            _scratch: scratch,
        })
    }

    pub(crate) async fn migrate(&self, migrator: &sqlx::migrate::Migrator) -> Result<()> {
        let mut writer = self.writer.lock().await;
        let done = migrator.run(&mut writer.conn).await;
        done.map_err(|error| super::migration_error(migrator, error))
    }

    /// Waits for a turn to write.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let writer = Arc::clone(&self.writer);
        let mut guard = Arc::clone(&writer).lock_owned().await;
        guard.tidy().await?;
        if guard.batch.is_none() {
            guard.run("BEGIN IMMEDIATE").await?;
            guard.batch = Some(Arc::default());
        }
        guard.run("SAVEPOINT turn").await?;
        guard.savepoint = true;
        Ok(Turn { guard, writer })
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
    }
}

impl Turn {
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.guard.conn
    }

    /// Makes the turn's writes durable, together with those of the turns that wait.
    pub(crate) async fn commit(mut self) -> Result<()> {
        self.guard.run("RELEASE turn").await?;
        self.guard.savepoint = false;
        let batch = self.guard.batch.clone().expect("a turn is part of a batch");
        drop(self.guard);
        let mut guard = self.writer.lock_owned().await;
        if batch.outcome.get().is_none() {
            guard.tidy().await?;
            guard.commit().await;
        }
        match batch.outcome.get() {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(Error::NotCommitted(Arc::clone(error))),
            None => Err(Error::Aborted),
        }
    }

    /// Gives up the whole batch after an error by which SQLite may have rolled it back.
    pub(crate) async fn give_up(&mut self, error: &sqlx::Error) {
        self.guard
            .fail(Arc::new(sqlx::Error::Protocol(error.to_string())))
            .await;
    }
}

impl Writer {
    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(&mut self.conn).await.map(drop)
    }

    /// Undoes the turn of a holder that was dropped.
    async fn tidy(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.savepoint) {
            return Ok(());
        }
        let undone = async {
            self.run("ROLLBACK TO turn").await?;
            self.run("RELEASE turn").await
        };
        if let Err(error) = undone.await {
            self.fail(Arc::new(error)).await;
        }
        Ok(())
    }

    async fn commit(&mut self) {
        let Some(batch) = self.batch.clone() else {
            return;
        };
        match self.run("COMMIT").await {
            Ok(()) => {
                self.batch = None;
                // Nobody else sets it: only the holder of the writer's lock commits.
                drop(batch.outcome.set(Ok(())));
            }
            Err(error) => self.fail(Arc::new(error)).await,
        }
    }

    /// Tells all of the batch that it failed, and begins afresh.
    async fn fail(&mut self, error: Arc<sqlx::Error>) {
        self.savepoint = false;
        if let Some(batch) = self.batch.take() {
            drop(batch.outcome.set(Err(error)));
        }
        // Fails if SQLite already rolled back by itself, which is just as well.
        if let Err(error) = self.conn.execute("ROLLBACK").await {
            tracing::debug!(%error, "nothing was left to roll back");
        }
    }
}

/// Whether SQLite may have rolled back more than the statement: busy, out of memory, interrupted,
/// I/O error, damaged, full.
pub(crate) fn rolls_back(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(cause) => cause
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .is_none_or(|code| matches!(code & 0xff, 5 | 7 | 9 | 10 | 11 | 13)),
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound => {
            false
        }
        _ => true,
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(256)
        .pragma("case_sensitive_like", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-32768")
        .pragma("mmap_size", "1073741824")
}

/// Makes sure that one process at a time uses the database: leases and the single writer count on
/// it.
fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let of_file = |source| Error::File {
        path: Path::new(&name).display().to_string(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(of_file)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            path: path.display().to_string(),
        }),
        Err(TryLockError::Error(source)) => Err(of_file(source)),
    }
}
