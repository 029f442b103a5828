//! A directory that is being walked.
//!
//! What is in it is looked at by name in the open directory: looking up a whole path again for
//! every entry would take most of a walk's time.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{CWD, Mode, OFlags, RawDir};
use strongroom_domain::tree::{EntryPath, Metadata};

use crate::fs::read_stat;

/// Directories kept open at once; below that, whole paths are looked up.
const MAX_OPEN: usize = 64;
/// Room for names that the system gives at a time.
const LISTING: usize = 16 << 10;

/// The names wanted of a directory, whether they are there or not; all if `None`.
pub(super) type Wanted<'a> = Option<&'a BTreeSet<OsString>>;

/// A directory and its names still to visit.
#[derive(Debug)]
pub(super) struct Directory {
    /// From the root of the walk.
    pub(super) path: EntryPath,
    /// For those who look at it later, when it is no longer open.
    full: Arc<Path>,
    /// `None` if too many are open.
    handle: Option<OwnedFd>,
    depth: usize,
    /// The next one comes last.
    names: Vec<OsString>,
}

impl Directory {
    /// The directory that a walk begins at, which may be reached through a link.
    pub(super) fn root(full: &Path, wanted: Wanted<'_>) -> io::Result<Self> {
        let flags = flags(wanted).difference(OFlags::NOFOLLOW);
        let handle = rustix::fs::openat(CWD, full, flags, Mode::empty())?;
        Self::opened(EntryPath::root(), full.into(), handle, wanted, 0)
    }

    /// The directory `name`, which is `path` from the root of the walk.
    pub(super) fn below(
        &self,
        name: &OsStr,
        path: EntryPath,
        wanted: Wanted<'_>,
    ) -> io::Result<Self> {
        let full = self.full.join(name);
        let flags = flags(wanted);
        let handle = match &self.handle {
            Some(handle) => rustix::fs::openat(handle, name, flags, Mode::empty()),
            None => rustix::fs::openat(CWD, &full, flags, Mode::empty()),
        }?;
        Self::opened(path, full.into(), handle, wanted, self.depth + 1)
    }

    fn opened(
        path: EntryPath,
        full: Arc<Path>,
        handle: OwnedFd,
        wanted: Wanted<'_>,
        depth: usize,
    ) -> io::Result<Self> {
        let names = match wanted {
            Some(names) => names.iter().rev().cloned().collect(),
            None => list(&handle)?,
        };
        Ok(Self {
            path,
            full,
            handle: (depth < MAX_OPEN).then_some(handle),
            depth,
            names,
        })
    }

    pub(super) fn next_name(&mut self) -> Option<OsString> {
        self.names.pop()
    }

    /// What `name` is, without extended attributes.
    pub(super) fn look_at(&self, name: &OsStr) -> io::Result<Metadata> {
        match &self.handle {
            Some(handle) => read_stat(handle.as_fd(), name),
            None => read_stat(CWD, self.full.join(name).as_os_str()),
        }
    }

    /// Where `name` is, for later.
    pub(super) fn place(&self, name: OsString) -> Place {
        Place {
            directory: Arc::clone(&self.full),
            name,
        }
    }
}

/// A name in a directory that need not be open.
#[derive(Debug, Clone)]
pub(super) struct Place {
    directory: Arc<Path>,
    name: OsString,
}

impl Place {
    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(super) fn full(&self) -> PathBuf {
        self.directory.join(&self.name)
    }
}

fn flags(wanted: Wanted<'_>) -> OFlags {
    // To pass through a directory one need not be allowed to list it.
    let access = match wanted {
        Some(_) => OFlags::PATH,
        None => OFlags::RDONLY,
    };
    access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// The names in a directory, sorted so that the first comes last.
fn list(directory: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); LISTING];
    let mut entries = RawDir::new(directory, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        match entry?.file_name().to_bytes() {
            b"." | b".." => {}
            name => names.push(OsString::from_vec(name.to_vec())),
        }
    }
    names.sort_unstable_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
    Ok(names)
}
