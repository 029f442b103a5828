//! What a source delivers: entries with metadata and content, in tree order.

use std::fmt;
use std::io::{self, Read};

use jiff::Timestamp;

use super::EntryPath;

/// Block or character device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Buffered, e.g. a disk.
    Block,
    /// Unbuffered, e.g. a terminal.
    Character,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Regular file, or a stream stored as one.
    File,
    /// Directory.
    Directory,
    /// Symbolic link to arbitrary bytes.
    Symlink {
        /// The link's text, not resolved.
        target: Vec<u8>,
    },
    /// Device node.
    Device {
        /// Block or character.
        kind: DeviceKind,
        /// Device number as in `st_rdev`.
        rdev: u64,
    },
    /// Named pipe.
    Fifo,
    /// Unix socket.
    Socket,
}

/// One extended attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Xattr {
    /// Full name with its namespace, e.g. `user.comment`.
    pub name: Vec<u8>,
    /// Value, may be empty.
    pub value: Vec<u8>,
}

/// What is known of an entry besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Kind of entry.
    pub kind: EntryKind,
    /// Unix permission bits including set-uid, set-gid and sticky (`st_mode & 0o7777`).
    pub mode: u32,
    /// Last change of the content.
    pub mtime: Timestamp,
    /// Last access.
    pub atime: Timestamp,
    /// Last change of the inode.
    pub ctime: Timestamp,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Owner's name, empty if unknown.
    pub user: String,
    /// Group's name, empty if unknown.
    pub group: String,
    /// Length of the content in bytes; what a file claims, 0 if not known beforehand.
    pub size: u64,
    /// Inode number, 0 if there is none.
    pub inode: u64,
    /// Device the inode is on (`st_dev`), 0 if there is none.
    pub device: u64,
    /// Number of hard links, 0 if not known. Two files with the same `device` and `inode` and more
    /// than one link are the same file.
    pub links: u64,
    /// Extended attributes in the order the system lists them.
    pub xattrs: Vec<Xattr>,
}

impl Metadata {
    /// Metadata of something that is not in a file system: all times are `time`, owner is root.
    pub fn synthetic(kind: EntryKind, mode: u32, time: Timestamp) -> Self {
        Self {
            kind,
            mode,
            mtime: time,
            atime: time,
            ctime: time,
            uid: 0,
            gid: 0,
            user: String::new(),
            group: String::new(),
            size: 0,
            inode: 0,
            device: 0,
            links: 0,
            xattrs: Vec::new(),
        }
    }

    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == EntryKind::Directory
    }

    /// Whether this is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == EntryKind::File
    }

    /// What makes two paths the same file, if this is a file with several names.
    pub fn hard_link_key(&self) -> Option<(u64, u64)> {
        (!self.is_dir() && self.links > 1 && self.inode != 0).then_some((self.device, self.inode))
    }
}

/// Opens an entry's content; called at most once, on any thread.
pub type Opener = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// The content of an entry.
///
/// The reader must return `Ok(0)` only after the whole content was delivered. Whatever cuts it
/// short (an I/O error, a child process that exits with a failure, a dump without its trailer) is
/// an `Err` from `read`, if necessary at the very end: to the reader's user `Ok(0)` means
/// "complete".
#[derive(Default)]
pub enum Content {
    /// There is none: everything that is not a file.
    #[default]
    None,
    /// A file's or stream's bytes.
    Reader(Opener),
}

impl Content {
    /// Content that `open` gives.
    pub fn from_opener(
        open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
    ) -> Self {
        Self::Reader(Box::new(open))
    }

    /// Content held in memory.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::from_opener(move || Ok(Box::new(io::Cursor::new(bytes))))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Reader(_) => "Reader",
        })
    }
}

/// Reads extended attributes; called at most once, on any thread.
pub type XattrReader = Box<dyn FnOnce() -> io::Result<Vec<Xattr>> + Send>;

/// Extended attributes that a source has not read, because whoever knows the entry's time of change
/// (`ctime`) knows them too.
#[derive(Default)]
pub struct LateXattrs(Option<XattrReader>);

impl LateXattrs {
    /// To be read by `read`.
    pub fn new(read: impl FnOnce() -> io::Result<Vec<Xattr>> + Send + 'static) -> Self {
        Self(Some(Box::new(read)))
    }

    /// Whether there may be more than the entry's metadata say.
    pub fn is_pending(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for LateXattrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_pending() { "pending" } else { "read" })
    }
}

/// One file, directory, link or stream.
#[derive(Debug)]
pub struct Entry {
    /// Where it is in the tree; never the root.
    pub path: EntryPath,
    /// What is known of it.
    pub metadata: Metadata,
    /// Its bytes, if it is a file.
    pub content: Content,
    /// Whether equal size, times and inode mean equal content, so that an unchanged file need not
    /// be read again. `false` for streams and whatever else has no trustworthy metadata.
    pub comparable: bool,
    /// Extended attributes that `metadata` does not have yet.
    pub late_xattrs: LateXattrs,
}

impl Entry {
    /// A file whose metadata tells whether it changed.
    pub fn file(path: EntryPath, metadata: Metadata, content: Content) -> Self {
        Self {
            path,
            metadata,
            content,
            comparable: true,
            late_xattrs: LateXattrs::default(),
        }
    }

    /// A stream: always read, never compared with an earlier backup.
    pub fn stream(path: EntryPath, metadata: Metadata, content: Content) -> Self {
        Self {
            path,
            metadata,
            content,
            comparable: false,
            late_xattrs: LateXattrs::default(),
        }
    }

    /// The same with extended attributes that are read if they are needed.
    #[must_use]
    pub fn with_late_xattrs(
        mut self,
        read: impl FnOnce() -> io::Result<Vec<Xattr>> + Send + 'static,
    ) -> Self {
        self.late_xattrs = LateXattrs::new(read);
        self
    }

    /// Reads what of the metadata has not been read.
    pub fn complete(&mut self) -> io::Result<()> {
        if let Some(read) = self.late_xattrs.0.take() {
            self.metadata.xattrs = read()?;
        }
        Ok(())
    }

    /// A directory, link, device, pipe or socket.
    pub fn other(path: EntryPath, metadata: Metadata) -> Self {
        Self {
            path,
            metadata,
            content: Content::None,
            comparable: true,
            late_xattrs: LateXattrs::default(),
        }
    }
}

/// What was being done to an entry when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Listing a directory.
    List,
    /// Reading metadata or extended attributes.
    Metadata,
    /// Opening the content.
    Open,
    /// Reading the content to its end.
    Read,
    /// Fetching stored content (missing or damaged data).
    Fetch,
    /// Creating the entry at a restore's target.
    Create,
    /// Writing content at a restore's target.
    Write,
    /// Setting owner, mode, times or extended attributes at a restore's target.
    Attributes,
}

impl Phase {
    /// The phase as one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Metadata => "metadata",
            Self::Open => "open",
            Self::Read => "read",
            Self::Fetch => "fetch",
            Self::Create => "create",
            Self::Write => "write",
            Self::Attributes => "attributes",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry that could not be read. The stream goes on after it.
#[derive(Debug, thiserror::Error)]
#[error("cannot {phase} `{path}`")]
pub struct EntryError {
    /// The entry, or the directory that could not be listed; the root if no entry is to blame.
    pub path: EntryPath,
    /// What was being done.
    pub phase: Phase,
    /// What went wrong.
    pub source: io::Error,
}

impl EntryError {
    /// An error of the source at `path`.
    pub fn new(path: EntryPath, phase: Phase, source: io::Error) -> Self {
        Self {
            path,
            phase,
            source,
        }
    }
}

/// A failed entry as reports carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFailure {
    /// The entry.
    pub path: EntryPath,
    /// What was being done.
    pub phase: Phase,
    /// What went wrong, with all causes.
    pub message: String,
}

impl EntryFailure {
    /// A report line for `path`.
    pub fn new(path: EntryPath, phase: Phase, message: impl Into<String>) -> Self {
        Self {
            path,
            phase,
            message: message.into(),
        }
    }
}

impl From<EntryError> for EntryFailure {
    fn from(error: EntryError) -> Self {
        Self {
            path: error.path,
            phase: error.phase,
            message: error.source.to_string(),
        }
    }
}

impl fmt::Display for EntryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`: {}", self.phase, self.path, self.message)
    }
}

/// The entries of a source in tree order: a directory before its children, siblings sorted by the
/// bytes of their names, depth first. This is the order of [`EntryPath`].
///
/// Directories that are not delivered but have delivered children are made up by the engine. The
/// stream may be polled from another thread than the one that made it.
pub trait EntryStream: Iterator<Item = Result<Entry, EntryError>> + Send {}

impl<T: Iterator<Item = Result<Entry, EntryError>> + Send + ?Sized> EntryStream for T {}
