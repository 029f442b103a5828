//! A repository: made, opened, its files read and written.

mod init;

use std::fmt;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use strongroom_domain::Clock;
use strongroom_domain::tree::Context;
use zeroize::Zeroizing;

use crate::backend::{Backend, FileKind, Handle};
use crate::chunk::{Chunker, ContentRule, Cutter, GearTable, RabinTables};
use crate::compress;
use crate::crypto::kdf::KdfCost;
use crate::crypto::{Cipher, MasterKey};
use crate::error::{Error, Result};
use crate::format::config::Config;
use crate::format::key::KeyFile;
use crate::format::longest_file;
use crate::id::Id;
use crate::index::Index;
use crate::keys::find_key;
use crate::lock::{Lock, LockMode, Owner};

/// The only version written and read.
const VERSION: u32 = 2;

pub use init::InitOptions;

/// What opens a repository.
#[derive(Debug, Clone)]
pub enum Credential {
    /// One of its passwords; deriving the key takes a fraction of a second.
    Password(Zeroizing<String>),
    /// Its key, exported earlier with [`Repository::master_key`].
    MasterKey(MasterKey),
}

impl Credential {
    /// A password.
    pub fn password(password: impl Into<String>) -> Self {
        Self::Password(Zeroizing::new(password.into()))
    }
}

/// An open repository. Cheap to clone; holds no lock.
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    backend: Arc<dyn Backend>,
    clock: Arc<dyn Clock>,
    key: MasterKey,
    cipher: Cipher,
    config: Config,
    rabin: Arc<RabinTables>,
    owner: Owner,
    /// The key file that opened it.
    key_file: Option<Id>,
}

impl Repository {
    /// Opens a repository.
    pub fn open(
        backend: Arc<dyn Backend>,
        clock: Arc<dyn Clock>,
        credential: &Credential,
    ) -> Result<Self> {
        let sealed = sealed_config(&*backend)?;
        let key = match credential {
            Credential::MasterKey(key) => (key.clone(), None),
            Credential::Password(password) => {
                let (id, key) = find_key(&*backend, password)?;
                (key, Some(id))
            }
        };
        let plain = Cipher::new(&key.0)
            .open(&sealed)
            .map_err(|error| match credential {
                // Nothing else has vouched for a key that came from outside.
                Credential::MasterKey(_) => Error::WrongPassword(backend.url()),
                Credential::Password(_) => Error::damaged(Handle::CONFIG, error),
            })?;
        let config = parse_config(&plain)?;
        Ok(Self::assemble(backend, clock, key, config))
    }

    fn assemble(
        backend: Arc<dyn Backend>,
        clock: Arc<dyn Clock>,
        (key, key_file): (MasterKey, Option<Id>),
        config: Config,
    ) -> Self {
        let cipher = Cipher::new(&key);
        let rabin = Arc::new(RabinTables::new(config.chunker_polynomial));
        let owner = Owner::this_process();
        Self(Arc::new(Inner {
            backend,
            clock,
            key,
            cipher,
            config,
            rabin,
            owner,
            key_file,
        }))
    }

    /// Looks whether it is still there, where it was opened: its disk may have been unmounted, or
    /// another repository put in its place.
    pub fn confirm(&self) -> Result<()> {
        let url = || self.0.backend.url();
        let sealed = sealed_config(&*self.0.backend)?;
        let plain = self.0.cipher.open(&sealed);
        let config = parse_config(&plain.map_err(|_| Error::WrongPassword(url()))?)?;
        if config.id == self.0.config.id {
            Ok(())
        } else {
            Err(Error::NotARepository(url()))
        }
    }

    /// The repository's own id, the same for as long as it exists.
    pub fn id(&self) -> Id {
        self.0.config.id
    }

    /// Its address, for people.
    pub fn url(&self) -> String {
        self.0.backend.url()
    }

    /// Its key, to be kept safely and given to [`Repository::open`] instead of a password.
    pub fn master_key(&self) -> MasterKey {
        self.0.key.clone()
    }

    /// Adds a password; returns the id of the new key file.
    pub fn add_key(&self, password: &str, cost: KdfCost) -> Result<Id> {
        let who = (self.0.owner.hostname.clone(), self.0.owner.username.clone());
        let now = self.0.clock.now();
        let file = KeyFile::create(&self.0.key, password.as_bytes(), cost, who, now)
            .ok_or_else(|| Error::Invalid("cost of key derivation is out of range".to_owned()))?;
        let json = to_json(&file)?;
        let id = Id::of(&json);
        self.put(Handle::new(FileKind::Key, id), json)?;
        Ok(id)
    }

    /// Takes a shared lock and loads the index: what backup and restore work with. Damaged index
    /// files are passed over (see [`IndexedRepository::damaged_indexes`]).
    pub fn into_indexed(self, context: &Context) -> Result<IndexedRepository> {
        let repository = self.with_cancel(context);
        let lock = repository.lock(LockMode::Shared)?;
        repository.load_index(lock, context)
    }

    /// Loads the index under a lock that is held already.
    pub(crate) fn load_index(self, lock: Lock, context: &Context) -> Result<IndexedRepository> {
        let (index, damaged) = Index::load(&self, context)?;
        Ok(self.with_index(lock, index, damaged))
    }

    /// With an index that was loaded already.
    pub(crate) fn with_index(
        self,
        lock: Lock,
        index: Index,
        damaged: Vec<Error>,
    ) -> IndexedRepository {
        IndexedRepository {
            repository: self,
            index: Arc::new(RwLock::new(index)),
            damaged: Arc::new(damaged),
            lock: Arc::new(lock),
        }
    }

    /// The same repository for one job: when that is cancelled, nothing waits for storage any more.
    pub(crate) fn with_cancel(&self, context: &Context) -> Self {
        let Some(backend) = self.0.backend.with_cancel(&context.cancel) else {
            return self.clone();
        };
        let inner = &self.0;
        Self(Arc::new(Inner {
            backend,
            clock: Arc::clone(&inner.clock),
            key: inner.key.clone(),
            cipher: Cipher::new(&inner.key),
            config: inner.config.clone(),
            rabin: Arc::clone(&inner.rabin),
            owner: inner.owner.clone(),
            key_file: inner.key_file,
        }))
    }

    pub(crate) fn lock(&self, mode: LockMode) -> Result<Lock> {
        Lock::acquire(self, mode)
    }

    /// The key file whose password opened it, if one did.
    pub(crate) fn opened_with(&self) -> Option<Id> {
        self.0.key_file
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.0.backend
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.0.cipher
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.0.owner
    }

    pub(crate) fn cutter(&self, chunker: Chunker) -> Result<Cutter> {
        match chunker {
            Chunker::Content => Ok(match self.0.config.strongroom_chunker {
                ContentRule::Rabin => Cutter::Rabin(Arc::clone(&self.0.rabin)),
                ContentRule::FastCdc => {
                    let secret = self.0.config.chunker_polynomial;
                    Cutter::Gear(Arc::new(GearTable::new(secret)))
                }
            }),
            Chunker::Fixed(size @ 4_096..=8_388_608) => Ok(Cutter::Fixed(size as usize)),
            Chunker::Fixed(size) => Err(Error::Invalid(format!(
                "chunk size {size} is not within 4 KiB and 8 MiB"
            ))),
        }
    }

    pub(crate) fn put(&self, handle: Handle, data: Vec<u8>) -> Result<()> {
        let written = self.backend().put(handle, Bytes::from(data));
        written.map_err(|error| Error::storage("write", handle, error))
    }

    pub(crate) fn delete(&self, handle: Handle) -> Result<()> {
        self.backend()
            .delete(handle)
            .map_err(|error| Error::storage("delete", handle, error))
    }

    pub(crate) fn delete_many(&self, kind: FileKind, ids: &[Id]) -> Result<()> {
        let handles: Vec<Handle> = ids.iter().map(|id| Handle::new(kind, *id)).collect();
        let object = || format!("{} files of `{}`", ids.len(), kind.directory());
        let deleted = self.backend().delete_many(&handles);
        deleted.map_err(|error| Error::storage_of("delete", object(), error))
    }

    pub(crate) fn list(&self, kind: FileKind) -> Result<Vec<crate::backend::Listed>> {
        let object = || format!("`{}`", kind.directory());
        let listed = self.backend().list(kind);
        listed.map_err(|error| Error::storage_of("list", object(), error))
    }

    /// Seals and stores a file of a kind that is named by its hash.
    pub(crate) fn write_json(&self, kind: FileKind, value: &impl Serialize) -> Result<Id> {
        let json = to_json(value)?;
        let mut packed = Vec::new();
        compress::metadata(&json, &mut packed).map_err(|e| Error::Invalid(e.to_string()))?;
        let mut plain = vec![COMPRESSED];
        plain.append(&mut packed);
        let sealed = self.cipher().seal(&plain);
        let id = Id::of(&sealed);
        self.put(Handle::new(kind, id), sealed)?;
        Ok(id)
    }

    /// The plaintext of a file that is named by its hash.
    pub(crate) fn read_file(&self, handle: Handle) -> Result<Vec<u8>> {
        let stored = read_small(self.backend(), handle)?;
        if Id::of(&stored) != handle.id() {
            return Err(Error::damaged(
                handle,
                "content does not have the hash it is named by",
            ));
        }
        let plain = self
            .cipher()
            .open(&stored)
            .map_err(|error| Error::damaged(handle, error))?;
        match plain.first() {
            Some(b'{' | b'[') => Ok(plain),
            Some(&COMPRESSED) => {
                compress::decompress_unknown(&plain[1..], longest_file(handle.kind()))
                    .map_err(|error| Error::damaged(handle, error))
            }
            _ => Err(Error::damaged(handle, "neither JSON nor compressed JSON")),
        }
    }

    pub(crate) fn read_json<T: DeserializeOwned>(&self, handle: Handle) -> Result<T> {
        let json = self.read_file(handle)?;
        serde_json::from_slice(&json).map_err(|error| Error::damaged(handle, error))
    }
}

/// Reads a file that is not a pack, unless it is larger than any of its kind can be.
pub(crate) fn read_small(backend: &dyn Backend, handle: Handle) -> Result<Bytes> {
    let limit = longest_file(handle.kind()) as u64;
    let read = backend.get_within(handle, limit);
    read.map_err(|error| Error::storage("read", handle, error))
}

/// First byte of a file whose JSON is compressed.
const COMPRESSED: u8 = 2;

fn sealed_config(backend: &dyn Backend) -> Result<Bytes> {
    match read_small(backend, Handle::CONFIG) {
        Err(Error::Missing(_)) => Err(Error::NotARepository(backend.url())),
        read => read,
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::Invalid(error.to_string()))
}

pub(crate) fn parse_config(json: &[u8]) -> Result<Config> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let damaged = |error: serde_json::Error| Error::damaged(Handle::CONFIG, error);
    let Version { version } = serde_json::from_slice(json).map_err(damaged)?;
    if version != VERSION {
        return Err(Error::UnsupportedVersion(version));
    }
    serde_json::from_slice(json).map_err(damaged)
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("url", &self.url())
            .field("id", &self.id())
            .finish()
    }
}

/// A repository with its index in memory, under a shared lock until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct IndexedRepository {
    repository: Repository,
    index: Arc<RwLock<Index>>,
    damaged: Arc<Vec<Error>>,
    lock: Arc<Lock>,
}

impl IndexedRepository {
    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Index files that could not be read. A backup stores anew what they listed; a restore cannot
    /// find it.
    pub fn damaged_indexes(&self) -> &[Error] {
        &self.damaged
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        // Writers only ever add whole packs, so what a dead thread left is usable.
        self.index
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn with_index_mut<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(
            &mut self
                .index
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    pub(crate) fn held_lock(&self) -> &Lock {
        &self.lock
    }
}
