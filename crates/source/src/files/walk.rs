//! Walks a directory tree in tree order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use strongroom_domain::tree::{
    Cancel, Content, Entry, EntryError, EntryFailure, EntryKind, EntryPath, Metadata, Patterns,
    Phase,
};

use super::{
    directory::{Directory, Place},
    owners::Owners,
};
use crate::{
    Warnings,
    fs::{time, xattrs},
};

/// The names wanted of some directories; of all others everything is.
type Only = BTreeMap<EntryPath, BTreeSet<OsString>>;

/// The entries below a directory, in tree order. Symbolic links are entries, never followed; the
/// directory itself may be reached through one. Extended attributes are read late.
///
/// A directory that cannot be listed, and an entry that vanishes between listing and looking, are
/// errors that name them; the walk goes on.
#[derive(Debug)]
pub struct Walk {
    exclude: Patterns,
    warnings: Warnings,
    cancel: Cancel,
    owners: Owners,
    /// From the root down.
    open: Vec<Directory>,
    /// The directories of which only some children are wanted (see [`Walk::of_paths`]).
    only: Only,
    /// A listing error to report after the directory itself.
    pending: Option<EntryError>,
}

impl Walk {
    /// Begins at `root`, which must be a directory that can be listed.
    pub fn new(
        root: &Path,
        exclude: Patterns,
        warnings: Warnings,
        cancel: Cancel,
    ) -> io::Result<Self> {
        let root = root.canonicalize()?;
        Self::begin(&root, Only::new(), exclude, warnings, cancel)
    }

    /// The files and directories at `paths`, with entries named by their absolute paths as restic
    /// names them, and the directories that lead to them. A path that is a link is that link.
    pub fn of_paths(
        paths: &[PathBuf],
        exclude: Patterns,
        warnings: Warnings,
        cancel: Cancel,
    ) -> io::Result<Self> {
        let mut only = Only::new();
        for path in paths {
            let absolute = resolve(path)?;
            let mut directory = EntryPath::root();
            for name in absolute.iter().skip(1) {
                only.entry(directory.clone())
                    .or_default()
                    .insert(name.to_owned());
                directory = directory.join(name.as_bytes()).map_err(io::Error::other)?;
            }
        }
        // A path that another one contains adds nothing: all of the other is wanted.
        for path in paths {
            let whole = EntryPath::parse_lenient(resolve(path)?.as_os_str().as_bytes())
                .map_err(io::Error::other)?;
            only.retain(|directory, _| !directory.starts_with(&whole));
        }
        Self::begin(Path::new("/"), only, exclude, warnings, cancel)
    }

    fn begin(
        root: &Path,
        only: Only,
        exclude: Patterns,
        warnings: Warnings,
        cancel: Cancel,
    ) -> io::Result<Self> {
        let root = Directory::root(root, only.get(&EntryPath::root()))?;
        Ok(Self {
            exclude,
            warnings,
            cancel,
            owners: Owners::load(),
            open: vec![root],
            only,
            pending: None,
        })
    }

    /// The next name to visit, in the last open directory, and its path.
    fn next_path(&mut self) -> Option<Result<(OsString, EntryPath), EntryError>> {
        loop {
            let directory = self.open.last_mut()?;
            let Some(name) = directory.next_name() else {
                self.open.pop();
                continue;
            };
            let path = match directory.path.join(name.as_bytes()) {
                Ok(path) => path,
                Err(error) => {
                    let error = io::Error::new(io::ErrorKind::InvalidInput, error);
                    let path = directory.path.clone();
                    return Some(Err(EntryError::new(path, Phase::List, error)));
                }
            };
            if !self.exclude.matches(&path) {
                return Some(Ok((name, path)));
            }
        }
    }

    fn visit(&mut self, name: OsString, path: EntryPath) -> Result<Entry, EntryError> {
        let directory = self
            .open
            .last()
            .expect("the directory of the next name is open");
        let mut metadata = match directory.look_at(&name) {
            Ok(metadata) => metadata,
            Err(error) => return Err(EntryError::new(path, Phase::Metadata, error)),
        };
        metadata.user = self.owners.user(metadata.uid);
        metadata.group = self.owners.group(metadata.gid);
        let place = directory.place(name);
        let late = {
            let place = place.clone();
            move || xattrs(&place.full())
        };
        let entry = match metadata.kind {
            EntryKind::Directory => {
                self.enter(place.name(), &path);
                Entry::other(path, metadata)
            }
            EntryKind::File => {
                let content = file_content(place, path.clone(), &metadata, self.warnings.clone());
                Entry::file(path, metadata, content)
            }
            _ => Entry::other(path, metadata),
        };
        Ok(entry.with_late_xattrs(late))
    }

    /// Goes into a directory; an error is for after the directory itself.
    fn enter(&mut self, name: &OsStr, path: &EntryPath) {
        let above = self
            .open
            .last()
            .expect("the directory of the next name is open");
        match above.below(name, path.clone(), self.only.get(path)) {
            Ok(directory) => self.open.push(directory),
            Err(error) => {
                self.pending = Some(EntryError::new(path.clone(), Phase::List, error));
            }
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Entry, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.pending.take() {
            return Some(Err(error));
        }
        if self.cancel.is_cancelled() {
            return None;
        }
        let next = self.next_path()?;
        Some(next.and_then(|(name, path)| self.visit(name, path)))
    }
}

/// The absolute path without links on the way; the last name stays as it is.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    fs::symlink_metadata(&absolute)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) => Ok(parent.canonicalize()?.join(name)),
        _ => absolute.canonicalize(),
    }
}

fn file_content(place: Place, path: EntryPath, listed: &Metadata, warnings: Warnings) -> Content {
    let listed = Version::of_metadata(listed);
    Content::from_opener(move || {
        let file = open(&place.full())?;
        Ok(Box::new(WatchedFile {
            file,
            listed,
            path,
            warnings,
            ended: false,
        }))
    })
}

/// Opens without following a link that took the file's place, and without waiting for a writer if
/// a pipe did.
fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("is no longer a regular file"))
    }
}

/// What tells two states of a file apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    size: u64,
    mtime: Timestamp,
    ctime: Timestamp,
}

impl Version {
    fn of_metadata(metadata: &Metadata) -> Self {
        let &Metadata {
            inode,
            size,
            mtime,
            ctime,
            ..
        } = metadata;
        Self {
            inode,
            size,
            mtime,
            ctime,
        }
    }

    fn of_file(file: &File) -> io::Result<Self> {
        let stat = file.metadata()?;
        Ok(Self {
            inode: stat.ino(),
            size: stat.len(),
            mtime: time(stat.mtime(), stat.mtime_nsec()),
            ctime: time(stat.ctime(), stat.ctime_nsec()),
        })
    }
}

/// Reads a file and says so if it is another at the end than it was when the walk saw it: what was
/// read is then a mixture of two states.
#[derive(Debug)]
struct WatchedFile {
    file: File,
    listed: Version,
    path: EntryPath,
    warnings: Warnings,
    ended: bool,
}

impl Read for WatchedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        if read == 0 && !buffer.is_empty() && !self.ended {
            self.ended = true;
            if Version::of_file(&self.file)? != self.listed {
                let message = "changed while it was read";
                self.warnings
                    .push(EntryFailure::new(self.path.clone(), Phase::Read, message));
            }
        }
        Ok(read)
    }
}
