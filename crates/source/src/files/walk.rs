//! Walks a directory tree in tree order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use strongroom_domain::tree::{
    Cancel, Content, Entry, EntryError, EntryFailure, EntryKind, EntryPath, Metadata, Patterns,
    Phase,
};

use super::owners::Owners;
use crate::{
    Warnings,
    fs::{read_metadata, time},
};

/// The entries below a directory, in tree order. Symbolic links are entries, never followed; the
/// directory itself may be reached through one.
///
/// A directory that cannot be listed, and an entry that vanishes between listing and looking, are
/// errors that name them; the walk goes on.
#[derive(Debug)]
pub struct Walk {
    root: PathBuf,
    exclude: Patterns,
    warnings: Warnings,
    cancel: Cancel,
    owners: Owners,
    /// Names still to visit, the next one last; one list per open directory.
    open: Vec<(EntryPath, Vec<OsString>)>,
    /// The directories of which only some children are wanted (see [`Walk::of_paths`]).
    only: BTreeMap<EntryPath, BTreeSet<OsString>>,
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
        let names = list(&root)?;
        Ok(Self {
            root,
            exclude,
            warnings,
            cancel,
            owners: Owners::load(),
            open: vec![(EntryPath::root(), names)],
            only: BTreeMap::new(),
            pending: None,
        })
    }

    /// The files and directories at `paths`, with entries named by their absolute paths as restic
    /// names them, and the directories that lead to them. A path that is a link is that link.
    pub fn of_paths(
        paths: &[PathBuf],
        exclude: Patterns,
        warnings: Warnings,
        cancel: Cancel,
    ) -> io::Result<Self> {
        let mut only: BTreeMap<EntryPath, BTreeSet<OsString>> = BTreeMap::new();
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
        let root = PathBuf::from("/");
        let names = match only.get(&EntryPath::root()) {
            Some(names) => names.iter().rev().cloned().collect(),
            None => list(&root)?,
        };
        Ok(Self {
            root,
            exclude,
            warnings,
            cancel,
            owners: Owners::load(),
            open: vec![(EntryPath::root(), names)],
            only,
            pending: None,
        })
    }

    /// The next name to visit and the directory it is in.
    fn next_path(&mut self) -> Option<Result<EntryPath, EntryError>> {
        loop {
            let (directory, names) = self.open.last_mut()?;
            let Some(name) = names.pop() else {
                self.open.pop();
                continue;
            };
            let path = match directory.join(name.as_bytes()) {
                Ok(path) => path,
                Err(error) => {
                    let error = io::Error::new(io::ErrorKind::InvalidInput, error);
                    return Some(Err(EntryError::new(directory.clone(), Phase::List, error)));
                }
            };
            if !self.exclude.matches(&path) {
                return Some(Ok(path));
            }
        }
    }

    /// The names wanted in a directory, the first one last.
    fn children(&self, path: &EntryPath, full: &Path) -> io::Result<Vec<OsString>> {
        match self.only.get(path) {
            Some(names) => Ok(names.iter().rev().cloned().collect()),
            None => list(full),
        }
    }

    fn visit(&mut self, path: EntryPath) -> Result<Entry, EntryError> {
        let full = join(&self.root, &path);
        let metadata = read_metadata(&full)
            .map(|mut metadata| {
                metadata.user = self.owners.user(metadata.uid);
                metadata.group = self.owners.group(metadata.gid);
                metadata
            })
            .map_err(|error| EntryError::new(path.clone(), Phase::Metadata, error))?;
        match metadata.kind {
            EntryKind::Directory => {
                match self.children(&path, &full) {
                    Ok(names) => self.open.push((path.clone(), names)),
                    Err(error) => {
                        self.pending = Some(EntryError::new(path.clone(), Phase::List, error));
                    }
                }
                Ok(Entry::other(path, metadata))
            }
            EntryKind::File => {
                let content = file_content(full, path.clone(), &metadata, self.warnings.clone());
                Ok(Entry::file(path, metadata, content))
            }
            _ => Ok(Entry::other(path, metadata)),
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
        let path = self.next_path()?;
        Some(path.and_then(|path| self.visit(path)))
    }
}

/// The names in a directory, sorted so that the first comes last.
fn list(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(directory)?
        .map(|it| Ok(it?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
    Ok(names)
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

fn join(root: &Path, path: &EntryPath) -> PathBuf {
    root.join(OsString::from_vec(path.as_bytes().to_vec()))
}

fn file_content(full: PathBuf, path: EntryPath, listed: &Metadata, warnings: Warnings) -> Content {
    let listed = Version::of_metadata(listed);
    Content::from_opener(move || {
        let file = open(&full)?;
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
