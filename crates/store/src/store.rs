//! The open database, and the two values through which it is used.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{Conn, Result, db::Db, ranges};

/// An open database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    /// Rows in `backup_changes` that this process added since it last folded them.
    changes: AtomicU64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite:/path/file.db`, `sqlite::memory:` for one that nobody
    /// keeps, or `postgres://…`) and brings its schema up to date.
    ///
    /// A SQLite file is used by one process at a time; whatever the process before it had leased
    /// is free again.
    pub async fn connect(url: &str) -> Result<Self> {
        let db = Db::open(url).await?;
        let store = Self {
            inner: Arc::new(Inner {
                db,
                changes: AtomicU64::new(0),
            }),
        };
        if store.is_sqlite() {
            let mut tx = store.begin().await?;
            tx.free_all_leases().await?;
            tx.commit().await?;
        }
        ranges::fold(&store).await?;
        Ok(store)
    }

    /// Begins a transaction. Dropped, it leaves nothing; see [`Tx::commit`].
    ///
    /// On SQLite writers take turns: one that waits for something else meanwhile holds up all.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx {
            conn: self.inner.db.write().await?,
            store: self.clone(),
            changes: 0,
        })
    }

    /// A connection to read from. Each call on it sees what is committed by then.
    pub async fn read(&self) -> Result<Read> {
        Ok(Read {
            conn: self.inner.db.read().await?,
        })
    }

    /// Closes all connections once they are idle.
    pub async fn close(&self) {
        self.inner.db.close().await;
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.inner.db, Db::Sqlite(_))
    }

    /// Brings the counters of backups up to date when enough has changed.
    async fn changed(&self, changes: u64) {
        let counter = &self.inner.changes;
        if counter.fetch_add(changes, Ordering::Relaxed) + changes < ranges::FOLD_EVERY {
            return;
        }
        if counter.swap(0, Ordering::Relaxed) == 0 {
            return;
        }
        // What is committed stays so; the next one folds what this one could not.
        if let Err(error) = ranges::fold(self).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "counters not folded"
            );
        }
    }
}

/// A transaction: what is written through it becomes visible and durable with
/// [`commit`](Tx::commit) or not at all. After an error from the database everything else on it
/// is refused, commit included.
#[derive(Debug)]
pub struct Tx {
    conn: Conn,
    store: Store,
    /// Rows added to `backup_changes`.
    pub(crate) changes: u64,
}

impl Tx {
    /// Commits without looking whether the counters are due; for what brings them up to date.
    pub(crate) async fn commit_only(self) -> Result<()> {
        self.conn.commit().await
    }

    /// Makes all of it durable.
    pub async fn commit(self) -> Result<()> {
        let Self {
            conn,
            store,
            changes,
        } = self;
        conn.commit().await?;
        if changes > 0 {
            store.changed(changes).await;
        }
        Ok(())
    }
}

/// A connection to read from.
#[derive(Debug)]
pub struct Read {
    conn: Conn,
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

impl Deref for Read {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
