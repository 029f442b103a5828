//! What can go wrong with a repository, with the name of the object it went wrong with.

use std::fmt;
use std::io;

use strongroom_domain::tree::{EntryFailure, EntryPath, TreeError};

use crate::backend::{Cancelled, Handle};
use crate::format::BlobKind;
use crate::id::{Id, InvalidId};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A part of a repository, as errors and reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// A stored file: config, key, lock, snapshot, index or pack.
    File(Handle),
    /// A blob, and the pack it was looked for in if the index knows one.
    Blob {
        /// Data or tree.
        kind: BlobKind,
        /// Hash of the plaintext.
        id: Id,
        /// The pack that holds it.
        pack: Option<Id>,
    },
}

impl Object {
    pub(crate) fn blob(kind: BlobKind, id: Id, pack: Id) -> Self {
        Self::Blob {
            kind,
            id,
            pack: Some(pack),
        }
    }

    /// A blob that is not known to be in any pack.
    pub(crate) fn looked_for(kind: BlobKind, id: Id) -> Self {
        let pack = None;
        Self::Blob { kind, id, pack }
    }
}

impl From<Handle> for Object {
    fn from(handle: Handle) -> Self {
        Self::File(handle)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(handle) => handle.fmt(f),
            Self::Blob {
                kind,
                id,
                pack: Some(pack),
            } => write!(f, "{kind} blob {id} in pack {pack}"),
            Self::Blob {
                kind,
                id,
                pack: None,
            } => write!(f, "{kind} blob {id}"),
        }
    }
}

/// An operation on a repository failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The job was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Another process holds a lock that excludes this operation.
    #[error("repository is locked by `{owner}` (lock {lock})")]
    Locked {
        /// `user@host, process N, since …`.
        owner: String,
        /// Name of the lock file.
        lock: Id,
    },
    /// No key of the repository opens with the password or master key.
    #[error("wrong password or key for repository `{0}`")]
    WrongPassword(String),
    /// There is no repository at the address.
    #[error("no repository at `{0}`")]
    NotARepository(String),
    /// There is a repository at the address already.
    #[error("`{0}` is a repository already")]
    AlreadyInitialised(String),
    /// The repository has a version this program does not know.
    #[error("repository version {0} is not supported")]
    UnsupportedVersion(u32),
    /// The address cannot be used.
    #[error("`{0}` is not an address of a repository")]
    InvalidUrl(String),
    /// Storage failed.
    #[error("cannot {action} {object}")]
    Storage {
        /// What was being done: `read`, `write`, `list`, `delete`.
        action: &'static str,
        /// With what.
        object: String,
        /// What the storage said.
        source: io::Error,
    },
    /// Somebody removed the lock of this work, so others may be changing the repository.
    #[error("{0} is gone")]
    LockLost(Object),
    /// Stored data is not what was once written.
    #[error("{object} is damaged: {reason}")]
    Damaged {
        /// The object.
        object: Object,
        /// In which way.
        reason: String,
    },
    /// Stored data is referred to but not there.
    #[error("{0} is missing")]
    Missing(Object),
    /// No snapshot has this id, or there is none at all.
    #[error("no snapshot `{0}`")]
    NoSnapshot(String),
    /// The text is the beginning of several snapshots' ids, or of none.
    #[error("`{0}` is the beginning of several snapshots' ids")]
    AmbiguousSnapshot(String),
    /// The snapshot has no such entry.
    #[error("no entry `{0}` in the snapshot")]
    NoEntry(EntryPath),
    /// The entry has no content.
    #[error("`{0}` is not a file")]
    NotAFile(EntryPath),
    /// An entry failed in a backup that is to be whole or nothing.
    #[error("{} entries failed, first: {first}", .count)]
    Source {
        /// The first failure.
        first: EntryFailure,
        /// Number of failures up to then.
        count: usize,
    },
    /// The target of a restore cannot be used, or the reader of a dump went away.
    #[error("cannot write to `{path}`")]
    Target {
        /// The target.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// An option has a value that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A worker thread died: a bug.
    #[error("a worker thread died")]
    Internal,
}

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Cancelled on request.
    Cancelled,
    /// Locked by another process, or the own lock was lost; try again later.
    Locked,
    /// Wrong password or key.
    WrongPassword,
    /// No repository there.
    NotARepository,
    /// A repository is there already.
    AlreadyInitialised,
    /// Repository or target has no room.
    NoSpace,
    /// Stored data is damaged or missing.
    Damaged,
    /// Asked for something that does not exist.
    NotFound,
    /// Storage does not answer as it should; trying again may help.
    Storage,
    /// The source failed.
    Source,
    /// The call makes no sense.
    Invalid,
    /// A bug.
    Internal,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Locked { .. } | Self::LockLost(_) => ErrorKind::Locked,
            Self::WrongPassword(_) => ErrorKind::WrongPassword,
            Self::NotARepository(_) => ErrorKind::NotARepository,
            Self::AlreadyInitialised(_) => ErrorKind::AlreadyInitialised,
            Self::Storage { source, .. } | Self::Target { source, .. } if out_of_space(source) => {
                ErrorKind::NoSpace
            }
            Self::Storage { .. } | Self::Target { .. } => ErrorKind::Storage,
            Self::Damaged { .. } | Self::Missing(_) => ErrorKind::Damaged,
            Self::NoSnapshot(_) | Self::NoEntry(_) => ErrorKind::NotFound,
            Self::Source { .. } => ErrorKind::Source,
            Self::UnsupportedVersion(_)
            | Self::InvalidUrl(_)
            | Self::AmbiguousSnapshot(_)
            | Self::NotAFile(_)
            | Self::Invalid(_) => ErrorKind::Invalid,
            Self::Internal => ErrorKind::Internal,
        }
    }

    /// Whether the repository or the target of a restore has no room.
    pub fn is_no_space(&self) -> bool {
        self.kind() == ErrorKind::NoSpace
    }

    /// The error with all its causes in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }

    pub(crate) fn damaged(object: impl Into<Object>, reason: impl fmt::Display) -> Self {
        Self::Damaged {
            object: object.into(),
            reason: reason.to_string(),
        }
    }

    /// A storage failure with `handle`; "not found" becomes [`Error::Missing`], and a file that is
    /// larger than it can be [`Error::Damaged`].
    pub(crate) fn storage(action: &'static str, handle: Handle, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(handle.into()),
            io::ErrorKind::FileTooLarge if action == "read" => Self::damaged(handle, source),
            _ => Self::storage_of(action, handle.to_string(), source),
        }
    }

    /// A storage failure with something that is not a file.
    pub(crate) fn storage_of(action: &'static str, object: String, source: io::Error) -> Self {
        if Cancelled::is_in(&source) {
            return Self::Cancelled;
        }
        Self::Storage {
            action,
            object,
            source,
        }
    }

    /// Whether only this object is lost and work on others can go on.
    pub(crate) fn is_damage(&self) -> bool {
        self.kind() == ErrorKind::Damaged
    }
}

/// Whether the system says that there is no room or no quota left.
pub(crate) fn out_of_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<Error> for TreeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Cancelled => Self::Cancelled,
            Error::NoEntry(path) => Self::NotFound(path),
            Error::NotAFile(path) => Self::NotAFile(path),
            other => Self::Storage(Box::new(other)),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Damaged => io::ErrorKind::InvalidData,
            ErrorKind::NoSpace => io::ErrorKind::StorageFull,
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
