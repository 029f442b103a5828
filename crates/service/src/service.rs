//! The application core and what it is made of.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use strongroom_domain::{Clock, Ids, TenantId, tree::Limits};
use strongroom_source::Registry;
use strongroom_store::{Read, Store, Tx};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::{
    Error, Keyring, OpenBackend, Result,
    engines::Engines,
    identity::{passwords::Passwords, recent::Known},
    jobs::running::Running,
    restores::target::RestoreDirectories,
};

/// What the operator can set.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// The name of this machine, for the snapshots.
    pub host: String,
    /// Jobs that this process runs at the same time.
    pub workers: usize,
    /// What each job may use.
    pub limits: Limits,
    /// How long a worker may be silent before another takes its job.
    pub lease: Duration,
    /// How often a worker looks for jobs that nobody told it of.
    pub poll: Duration,
    /// How often the scheduler looks for policies that are due.
    pub tick: Duration,
    /// How long after a deletion a repository is pruned.
    pub prune_delay: Duration,
    /// How often each repository is checked.
    pub verify_every: Duration,
    /// The part of a repository's data, in percent, that a check reads.
    pub verify_percent: u8,
    /// Passwords hashed at the same time.
    pub password_checks: usize,
    /// The directories that restores may write below.
    pub restore_directories: RestoreDirectories,
    /// Where what makes the next backup of a resource faster is kept, if anywhere. It may be
    /// emptied at any time.
    pub cache: Option<PathBuf>,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            host: "strongroom".to_owned(),
            workers: 2,
            limits: Limits::default(),
            lease: Duration::from_mins(1),
            poll: Duration::from_secs(2),
            tick: Duration::from_secs(10),
            prune_delay: Duration::from_mins(10),
            verify_every: Duration::from_hours(24),
            verify_percent: 5,
            password_checks: 2,
            restore_directories: RestoreDirectories::PerTenant(
                "/var/lib/strongroom/restores".into(),
            ),
            cache: None,
        }
    }
}

/// What a service is made of.
pub struct Parts {
    /// Everything durable.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes fresh ids.
    pub ids: Arc<dyn Ids>,
    /// Seals secrets.
    pub keyring: Keyring,
    /// Reads and restores what is protected.
    pub sources: Registry,
    /// Opens the storage of repositories; see [`storage`](crate::storage).
    pub storage: OpenBackend,
    /// What the operator set.
    pub config: ServiceConfig,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The application core: cheap to clone, shared by every face and worker.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) sources: Registry,
    pub(crate) engines: Engines,
    pub(crate) config: ServiceConfig,
    pub(crate) passwords: Passwords,
    pub(crate) known: Known,
    pub(crate) running: Running,
    /// Wakes workers when there may be a job.
    pub(crate) jobs_waiting: Notify,
    /// Wakes the scheduler when a policy changed.
    pub(crate) policies_changed: Notify,
    changes: watch::Sender<u64>,
}

impl Service {
    /// Puts the parts together. Starts nothing; see [`Service::start`](crate::Service::start).
    pub fn build(parts: Parts) -> Self {
        let Parts {
            store,
            clock,
            ids,
            keyring,
            sources,
            storage,
            config,
        } = parts;
        let keyring = Arc::new(keyring);
        let engines = Engines::new(Arc::clone(&clock), Arc::clone(&keyring), storage);
        Self(Arc::new(Inner {
            store,
            clock,
            ids,
            keyring,
            sources,
            engines,
            passwords: Passwords::new(config.password_checks),
            config,
            known: Known::default(),
            running: Running::default(),
            jobs_waiting: Notify::new(),
            policies_changed: Notify::new(),
            changes: watch::Sender::new(0),
        }))
    }

    /// Whether the database answers, which everything needs.
    pub async fn ready(&self) -> Result<(), Error> {
        let nobody = TenantId::from_uuid(Uuid::nil());
        self.store().read().await?.tenant(nobody).await?;
        Ok(())
    }

    /// A receiver that hears whenever something of any tenant changed (a level, not an edge: on
    /// waking, read the state again).
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// The kinds of resource that this build can protect, with the settings each takes.
    pub fn sources(&self) -> &Registry {
        &self.0.sources
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// A connection to read from.
    pub(crate) async fn read(&self) -> Result<Read> {
        Ok(self.0.store.read().await?)
    }

    /// Begins a transaction. On SQLite writers take turns: nothing else is waited for meanwhile.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(self.0.store.begin().await?)
    }

    /// The present, by the clock that everything here goes by.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.0.ids.uuid()
    }

    /// Tells everybody who listens that something changed.
    pub(crate) fn changed(&self) {
        self.0
            .changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells workers, and everybody who listens, that there may be a job.
    pub(crate) fn nudge(&self) {
        self.0.jobs_waiting.notify_waiters();
        self.changed();
    }

    /// Runs blocking work on a thread of its own.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T> {
        let service = self.clone();
        tokio::task::spawn_blocking(move || work(&service))
            .await
            .map_err(Error::internal)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
