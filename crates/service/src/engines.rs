//! The repositories that are open: one engine handle per repository, opened with the sealed
//! master key, so that no password has to be kept and no key derived at every job.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_domain::{Clock, RepositoryId, Secret, repository::Repository};
use strongroom_engine::{
    Backend, Credential, ErrorKind, InitOptions, KdfCost, MasterKey, MemoryBackend,
    Repository as EngineRepository, StorageOptions, open_backend,
};
use zeroize::Zeroizing;

use crate::{Error, Keyring, Purpose, Result};

/// Opens the storage at a repository's URL. Tests put faults in between.
pub type OpenBackend =
    Arc<dyn Fn(&str) -> strongroom_engine::Result<Arc<dyn Backend>> + Send + Sync>;

/// How to reach the storage at a URL.
pub type StorageOptionsFor =
    Arc<dyn Fn(&str) -> strongroom_engine::Result<StorageOptions> + Send + Sync>;

/// Storage as URLs name it, without credentials for any.
pub fn storage() -> OpenBackend {
    storage_with(Arc::new(|_| Ok(StorageOptions::default())))
}

/// Storage as URLs name it: `memory:NAME` lives as long as what this returns, everything else is
/// the engine's and reached as `options` says.
pub fn storage_with(options: StorageOptionsFor) -> OpenBackend {
    let memory = Mutex::new(HashMap::<String, Arc<dyn Backend>>::new());
    Arc::new(move |url| match url.strip_prefix("memory:") {
        Some(name) => {
            let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            let backend = memory
                .entry(name.to_owned())
                .or_insert_with(|| Arc::new(MemoryBackend::new()));
            Ok(Arc::clone(backend))
        }
        None => open_backend(url, &options(url)?),
    })
}

/// The open repositories. All methods that touch storage block.
pub(crate) struct Engines {
    clock: Arc<dyn Clock>,
    keyring: Arc<Keyring>,
    backend: OpenBackend,
    open: Mutex<HashMap<RepositoryId, EngineRepository>>,
}

impl Engines {
    pub(crate) fn new(clock: Arc<dyn Clock>, keyring: Arc<Keyring>, backend: OpenBackend) -> Self {
        Self {
            clock,
            keyring,
            backend,
            open: Mutex::default(),
        }
    }

    /// Opens what is at `url`, or makes a repository there if there is none. Gives its master
    /// key, to be sealed.
    ///
    /// A password that was `generated` is as hard to guess as the key itself, so that deriving
    /// one from the other need not be slow.
    pub(crate) fn open_or_init(
        &self,
        url: &str,
        password: &Secret,
        generated: bool,
    ) -> Result<EngineRepository> {
        let backend = (self.backend)(url).map_err(|error| Error::invalid("url", error.chain()))?;
        let credential = Credential::Password(Zeroizing::new(password.expose().to_owned()));
        let opened = EngineRepository::open(Arc::clone(&backend), self.clock(), &credential);
        match opened {
            Err(error) if error.kind() == ErrorKind::NotARepository => {
                let kdf = if generated {
                    KdfCost::MACHINE
                } else {
                    KdfCost::HUMAN
                };
                let options = InitOptions {
                    kdf,
                    ..InitOptions::new(password.expose())
                };
                EngineRepository::init(backend, self.clock(), &options)
            }
            other => other,
        }
        .map_err(|error| match error.kind() {
            ErrorKind::WrongPassword => Error::invalid("password", error.chain()),
            ErrorKind::Invalid => Error::invalid("url", error.chain()),
            _ => unavailable(url, &error),
        })
    }

    /// The open repository of a row.
    pub(crate) fn get(&self, row: &Repository) -> strongroom_engine::Result<EngineRepository> {
        let found = self.opened().get(&row.id).cloned();
        if let Some(found) = found {
            return match found.confirm() {
                Ok(()) => Ok(found),
                Err(error) => {
                    self.forget(row.id);
                    Err(error)
                }
            };
        }
        let key = self.master_key(row)?;
        let backend = (self.backend)(&row.url)?;
        // Not under the lock: storage that does not answer holds up those who need it only.
        let opened = EngineRepository::open(backend, self.clock(), &Credential::MasterKey(key))?;
        Ok(self.opened().entry(row.id).or_insert(opened).clone())
    }

    /// Seals the key of a repository that is about to become the row `id`.
    pub(crate) fn seal(&self, id: RepositoryId, repository: &EngineRepository) -> Vec<u8> {
        let key = repository.master_key().to_bytes();
        self.keyring.seal(Purpose::RepositoryKey, id.uuid(), &*key)
    }

    /// Whether that is the repository of a row.
    pub(crate) fn is_of(&self, opened: &EngineRepository, row: &Repository) -> bool {
        let key = self.master_key(row);
        key.is_ok_and(|key| *key.to_bytes() == *opened.master_key().to_bytes())
    }

    /// Closes a repository: it was removed, or could not be used and is opened anew next time.
    pub(crate) fn forget(&self, id: RepositoryId) {
        self.opened().remove(&id);
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<RepositoryId, EngineRepository>> {
        // The map is whole after every operation on it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn master_key(&self, row: &Repository) -> strongroom_engine::Result<MasterKey> {
        let invalid = |error: &dyn fmt::Display| {
            strongroom_engine::Error::Invalid(format!(
                "the master key of repository `{}` cannot be opened: {error}",
                row.name
            ))
        };
        let sealed = &row.sealed_master_key;
        let key = self
            .keyring
            .open(Purpose::RepositoryKey, row.id.uuid(), sealed);
        let key = key.map_err(|error| invalid(&error))?;
        let bytes = <[u8; 64]>::try_from(key.as_slice()).map_err(|error| invalid(&error))?;
        Ok(MasterKey::from_bytes(bytes))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engines").finish_non_exhaustive()
    }
}

/// The repository at `url` cannot be used, says `error`.
pub(crate) fn unavailable(url: &str, error: &strongroom_engine::Error) -> Error {
    Error::Unavailable {
        what: format!("repository `{url}`"),
        message: error.chain(),
    }
}
