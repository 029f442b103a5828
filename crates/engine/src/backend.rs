//! Where a repository's files are kept.
//!
//! [`Backend`] is small on purpose: whole immutable files with typed names. What is the same for
//! all storage wraps one: trying again, limits of bandwidth, lists that lag behind, and in tests
//! faults.

mod local;
mod memory;
mod open;
mod own_writes;
mod pause;
mod retry;
mod s3;
mod throttle;

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_domain::tree::Cancel;

pub use local::LocalBackend;
pub use memory::MemoryBackend;
pub use open::{StorageOptions, open_backend};
pub use own_writes::OwnWritesBackend;
pub(crate) use pause::Cancelled;
pub use retry::{Notice, RetryBackend, RetryPolicy};
pub use s3::{S3Backend, S3Credentials, S3Location, S3Options};
pub use throttle::{Bandwidth, ThrottledBackend};

use crate::id::Id;

/// The six types of file in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// The one file `config`.
    Config,
    /// The master key wrapped by a password.
    Key,
    /// A sign that somebody is at work.
    Lock,
    /// A snapshot.
    Snapshot,
    /// A list of packs and the blobs in them.
    Index,
    /// Blobs.
    Pack,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Config,
        Self::Key,
        Self::Lock,
        Self::Snapshot,
        Self::Index,
        Self::Pack,
    ];

    /// The directory (for `config`: the file) in the repository.
    pub fn directory(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Key => "keys",
            Self::Lock => "locks",
            Self::Snapshot => "snapshots",
            Self::Index => "index",
            Self::Pack => "data",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Key => "key",
            Self::Lock => "lock",
            Self::Snapshot => "snapshot",
            Self::Index => "index",
            Self::Pack => "pack",
        }
    }
}

/// Name of one file in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle {
    kind: FileKind,
    id: Id,
}

impl Handle {
    /// The config file.
    pub const CONFIG: Self = Self {
        kind: FileKind::Config,
        id: Id::from_bytes([0; 32]),
    };

    /// The file of this kind with this id.
    pub fn new(kind: FileKind, id: Id) -> Self {
        if kind == FileKind::Config {
            Self::CONFIG
        } else {
            Self { kind, id }
        }
    }

    /// Its kind.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Its id; meaningless for the config.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Path inside the repository, `/`-separated: restic's default layout.
    pub fn path(&self) -> String {
        let name = self.id.to_hex();
        match self.kind {
            FileKind::Config => "config".to_owned(),
            FileKind::Pack => format!("data/{}/{name}", &name[..2]),
            kind => format!("{}/{name}", kind.directory()),
        }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FileKind::Config => f.write_str("config"),
            kind => write!(f, "{} {}", kind.noun(), self.id),
        }
    }
}

/// One file as listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: Id,
    /// Its size in bytes.
    pub size: u64,
}

/// Storage of whole files.
///
/// Errors are `io::Error`s with a telling kind: `NotFound` for a file that is not there,
/// `StorageFull` or `QuotaExceeded` for no room. All methods may be called from several threads.
pub trait Backend: Send + Sync + fmt::Debug {
    /// The address, for people; without credentials.
    fn url(&self) -> String;

    /// Prepares an empty place for a new repository.
    fn create(&self) -> io::Result<()>;

    /// Stores a file: when this returns the file is durable, and at no time can a part of it be
    /// read. A file that exists is replaced.
    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()>;

    /// The same for a file that must not exist: `AlreadyExists` if it does. Storage that cannot
    /// tell while it writes looks before.
    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        if self.exists(handle)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.put(handle, data)
    }

    /// The whole file.
    fn get(&self, handle: Handle) -> io::Result<Bytes>;

    /// The whole file if it has no more than `limit` bytes; `FileTooLarge` otherwise. Storage that
    /// learns the size before it reads refuses then.
    fn get_within(&self, handle: Handle, limit: u64) -> io::Result<Bytes> {
        let data = self.get(handle)?;
        within(data.len() as u64, limit)?;
        Ok(data)
    }

    /// `length` bytes from `offset`; `UnexpectedEof` if the file is shorter.
    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes>;

    /// All files of a kind, in no particular order. Names that are not ids are passed over.
    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>>;

    /// Removes a file; one that is not there is fine.
    fn delete(&self, handle: Handle) -> io::Result<()>;

    /// Removes many files, with as few requests as the storage can. After a failure some are
    /// removed and some are not.
    fn delete_many(&self, handles: &[Handle]) -> io::Result<()> {
        handles.iter().try_for_each(|handle| self.delete(*handle))
    }

    /// Whether a file is there.
    fn exists(&self, handle: Handle) -> io::Result<bool>;

    /// Removes what killed writers left half-written long before `now`; gives the number. Storage
    /// that writes a file at once or not at all has nothing to remove.
    fn remove_stale(&self, now: Timestamp) -> io::Result<u64> {
        let _ = now;
        Ok(0)
    }

    /// The same storage for one job, which stops waiting for it once the job is cancelled. `None`
    /// if it never waits for long.
    fn with_cancel(&self, cancel: &Cancel) -> Option<Arc<dyn Backend>> {
        let _ = cancel;
        None
    }
}

/// Fails if a file of this size is not to be read.
fn within(size: u64, limit: u64) -> io::Result<()> {
    if size > limit {
        let reason = format!("has {size} bytes, more than {limit}");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// A read broke off: what was received up to then. Found inside an `io::Error`.
#[derive(Debug, thiserror::Error)]
#[error("broke off after {} of {expected} bytes", .received.len())]
pub struct Truncated {
    /// The beginning of what was asked for.
    pub received: Bytes,
    /// How many bytes there should have been.
    pub expected: u64,
}

impl Truncated {
    /// As an `io::Error`.
    pub fn error(received: Bytes, expected: u64) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionReset, Self { received, expected })
    }

    /// What an error says about a read that broke off.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}
