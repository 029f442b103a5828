//! Connections that are kept open and lent out.
//!
//! sqlx's own pool asks every connection that comes back whether it still lives, which costs as
//! much as a look-up by id. This one asks only those that were given back in the middle of
//! something, and drops what it has when one turns out to be dead.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{ConnectOptions as _, Connection, Executor as _, PgConnection, SqliteConnection};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// A connection of either database, as far as a pool needs to know it.
pub(crate) trait Link: Connection {
    /// Runs a statement without values or rows.
    fn run(&mut self, sql: &'static str) -> impl Future<Output = sqlx::Result<()>> + Send;
}

impl Link for SqliteConnection {
    async fn run(&mut self, sql: &'static str) -> sqlx::Result<()> {
        self.execute(sql).await.map(drop)
    }
}

impl Link for PgConnection {
    async fn run(&mut self, sql: &'static str) -> sqlx::Result<()> {
        self.execute(sql).await.map(drop)
    }
}

/// Up to so many connections to one database.
pub(crate) struct Pool<C: Link> {
    shared: Arc<Shared<C>>,
}

struct Shared<C: Link> {
    options: C::Options,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<C>>,
}

impl<C: Link + 'static> Pool<C> {
    /// Connects when somebody asks.
    pub(crate) fn new(options: C::Options, connections: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                options,
                permits: Arc::new(Semaphore::new(connections)),
                idle: Mutex::default(),
            }),
        }
    }

    /// Waits for a connection.
    pub(crate) async fn acquire(&self) -> sqlx::Result<Lent<C>> {
        let shared = Arc::clone(&self.shared);
        let permit = Arc::clone(&shared.permits).acquire_owned().await;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = shared.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => shared.options.connect().await?,
        };
        Ok(Lent {
            held: Some(Held {
                conn,
                _permit: permit,
            }),
            shared,
            state: State::default(),
        })
    }

    /// Refuses what comes from now on and closes what is idle.
    pub(crate) async fn close(&self) {
        self.shared.permits.close();
        let idle = mem::take(&mut *self.shared.idle());
        for conn in idle {
            if let Err(error) = conn.close().await {
                tracing::debug!(%error, "a database connection was not closed in order");
            }
        }
    }
}

impl<C: Link> Shared<C> {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<C>> {
        // Taking from and adding to a list leaves it whole wherever it panics.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, held: Held<C>) {
        if !self.permits.is_closed() {
            self.idle().push(held.conn);
        }
    }
}

/// A connection and the right to have it, which ends after the connection is back.
struct Held<C> {
    conn: C,
    _permit: OwnedSemaphorePermit,
}

/// What has to happen before somebody else gets the connection.
#[derive(Default)]
struct State {
    /// A transaction is open.
    transaction: bool,
    /// A statement was begun and not seen to its end.
    busy: bool,
    /// The connection is of no use any more.
    dead: bool,
}

/// A connection on loan; dropped, it goes back to the pool, without what was not committed.
pub(crate) struct Lent<C: Link + 'static> {
    held: Option<Held<C>>,
    shared: Arc<Shared<C>>,
    state: State,
}

impl<C: Link> Lent<C> {
    /// The connection, for one statement; [`ended`](Self::ended) is called when it is over.
    pub(crate) fn conn(&mut self) -> &mut C {
        self.state.busy = true;
        let held = self.held.as_mut();
        &mut held.expect("only `drop` takes it away").conn
    }

    /// Notes that a statement was seen to its end.
    pub(crate) fn ended(&mut self, error: Option<&sqlx::Error>) {
        self.state.busy = false;
        self.state.dead |= error.is_some_and(is_dead);
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.state.transaction
    }

    /// Begins a transaction, unless there is one.
    pub(crate) async fn begin(&mut self, statement: &'static str) -> sqlx::Result<()> {
        if mem::replace(&mut self.state.transaction, true) {
            return Ok(());
        }
        self.run(statement).await
    }

    /// Commits the transaction, if there is one.
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        if self.state.transaction {
            self.run("COMMIT").await?;
            self.state.transaction = false;
        }
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        let done = self.conn().run(statement).await;
        self.ended(done.as_ref().err());
        done
    }
}

impl<C: Link + 'static> Drop for Lent<C> {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        let State {
            transaction,
            busy,
            dead,
        } = self.state;
        if dead {
            // The server went away, and so did the others' connections to it.
            self.shared.idle().clear();
            return;
        }
        if !transaction && !busy {
            return self.shared.give_back(held);
        }
        // Without a runtime nobody waits for it either; dropped, it rolls back by itself.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        runtime.spawn(async move {
            let settled = if transaction {
                held.conn.run("ROLLBACK").await
            } else {
                held.conn.ping().await
            };
            match settled {
                Ok(()) => shared.give_back(held),
                Err(error) => tracing::debug!(%error, "a database connection is given up"),
            }
        });
    }
}

/// Whether a connection is of no use after this error.
fn is_dead(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        // Class 08 is connection exception, 57P01 to 57P05 the ways in which a server ends a
        // session (PostgreSQL, appendix A). SQLite's codes are plain numbers.
        E::Database(cause) => cause.code().is_some_and(|code| {
            code.len() == 5 && (code.starts_with("08") || code.starts_with("57P"))
        }),
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed => true,
        _ => false,
    }
}
