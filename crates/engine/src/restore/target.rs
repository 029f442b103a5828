//! The directory that a restore writes to, reached without ever following a link below it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use strongroom_domain::tree::{DeviceKind, EntryKind, EntryPath};

use super::attributes::Attributes;

/// Mode of what is being written, until its own is set.
const PRIVATE_DIRECTORY: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The target directory.
#[derive(Debug)]
pub(super) struct Target {
    root: Arc<OwnedFd>,
    /// Owner that new files get.
    uid: Uid,
    gid: Gid,
}

impl Target {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self {
            root: Arc::new(rustix::fs::open(path, flags, Mode::empty())?),
            uid: rustix::process::geteuid(),
            gid: rustix::process::getegid(),
        })
    }

    /// Whether what is created directly in the target gets the owner of this process and no other:
    /// the group may be inherited.
    pub(super) fn owner_is_ours(&self) -> bool {
        rustix::fs::fstat(&self.root).is_ok_and(|stat| {
            stat.st_gid == self.gid.as_raw()
                && !Mode::from_raw_mode(stat.st_mode).contains(Mode::SGID)
        })
    }

    /// Whether these attributes name the owner of this process.
    pub(super) fn is_ours(&self, attributes: &Attributes) -> bool {
        attributes.owner_is(self.uid, self.gid)
    }

    /// Makes `path` another name of the file `first`.
    pub(super) fn link(&self, first: &EntryPath, path: &EntryPath) -> io::Result<()> {
        let (mut from, mut to) = (Directories::new(self), Directories::new(self));
        let (from, from_name) = from.parent_of(first)?;
        let (to, to_name) = to.parent_of(path)?;
        remove_existing(&to, to_name)?;
        Ok(rustix::fs::linkat(
            &*from,
            from_name,
            &*to,
            to_name,
            AtFlags::empty(),
        )?)
    }
}

/// Directories kept open by one thread.
const KEPT_OPEN: usize = 8;

/// Opens directories of a target, one after the other mostly the same few. One per thread.
pub(super) struct Directories<'a> {
    target: &'a Target,
    /// The last used comes first.
    recent: Vec<(EntryPath, Arc<OwnedFd>)>,
}

impl<'a> Directories<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        let recent = Vec::with_capacity(KEPT_OPEN);
        Self { target, recent }
    }

    /// The directory `path`.
    pub(super) fn open(&mut self, path: &EntryPath) -> io::Result<Arc<OwnedFd>> {
        if path.is_root() {
            return Ok(Arc::clone(&self.target.root));
        }
        if let Some(at) = self.recent.iter().position(|(recent, _)| recent == path) {
            self.recent[..=at].rotate_right(1);
            return Ok(Arc::clone(&self.recent[0].1));
        }
        let directory = Arc::new(self.target.open_below(path)?);
        self.recent.truncate(KEPT_OPEN - 1);
        self.recent
            .insert(0, (path.clone(), Arc::clone(&directory)));
        Ok(directory)
    }

    /// The directory that `path` is in, and its name there.
    pub(super) fn parent_of<'p>(
        &mut self,
        path: &'p EntryPath,
    ) -> io::Result<(Arc<OwnedFd>, &'p OsStr)> {
        let name = path.name().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.open(&parent)?, OsStr::from_bytes(name)))
    }

    /// Makes the directory `path` unless it is there; whether it was made.
    pub(super) fn make(&mut self, path: &EntryPath) -> io::Result<bool> {
        let (parent, name) = self.parent_of(path)?;
        match rustix::fs::mkdirat(&*parent, name, PRIVATE_DIRECTORY) {
            Ok(()) => Ok(true),
            // If it is something else, opening it says so.
            Err(Errno::EXIST) => open_directory(&parent, name).map(|_| false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Target {
    /// Opens a directory below the target; no component may be a link.
    fn open_below(&self, path: &EntryPath) -> io::Result<OwnedFd> {
        let whole = OsStr::from_bytes(path.as_bytes());
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let opened = rustix::fs::openat2(&self.root, whole, DIRECTORY, Mode::empty(), resolve);
        if let Ok(directory) = opened {
            return Ok(directory);
        }
        // Also where the system does not know that call; and this says which component it is.
        let mut names = path.components().map(OsStr::from_bytes);
        let first = names.next().ok_or(io::ErrorKind::InvalidInput)?;
        let mut directory = open_directory(&self.root, first)?;
        for name in names {
            directory = open_directory(&directory, name)?;
        }
        Ok(directory)
    }
}

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

fn open_directory(parent: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR | Errno::LOOP => io::Error::new(
            io::ErrorKind::NotADirectory,
            "something that is not a directory is in the way",
        ),
        other => other.into(),
    })
}

/// Creates a file anew; one that is there is unlinked, not written into.
pub(super) fn create_file(directory: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let create = || rustix::fs::openat(directory, name, flags, PRIVATE_FILE);
    match create() {
        Err(Errno::EXIST) => {
            remove_existing(directory, name)?;
            Ok(File::from(create()?))
        }
        created => Ok(File::from(created?)),
    }
}

/// Opens a file that [`create_file`] made.
pub(super) fn reopen_file(directory: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(
        directory,
        name,
        flags,
        Mode::empty(),
    )?))
}

/// Size and modification time of a regular file that is there.
pub(super) fn existing_file(directory: &OwnedFd, name: &OsStr) -> io::Result<Option<Existing>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Existing {
            is_file: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            seconds: stat.st_mtime,
            nanoseconds: i64::try_from(stat.st_mtime_nsec).unwrap_or(0),
        })),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is at the target already.
pub(super) struct Existing {
    pub(super) is_file: bool,
    pub(super) size: u64,
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
}

/// Creates a link, device, pipe or socket; whatever file is there goes.
pub(super) fn create_special(
    directory: &OwnedFd,
    name: &OsStr,
    kind: &EntryKind,
) -> io::Result<()> {
    remove_existing(directory, name)?;
    let (kind, device) = match kind {
        EntryKind::Symlink { target } => {
            return Ok(rustix::fs::symlinkat(
                OsStr::from_bytes(target),
                directory,
                name,
            )?);
        }
        EntryKind::Device {
            kind: DeviceKind::Block,
            rdev,
        } => (FileType::BlockDevice, *rdev),
        EntryKind::Device {
            kind: DeviceKind::Character,
            rdev,
        } => (FileType::CharacterDevice, *rdev),
        EntryKind::Fifo => (FileType::Fifo, 0),
        EntryKind::Socket => (FileType::Socket, 0),
        EntryKind::File | EntryKind::Directory => return Err(io::ErrorKind::InvalidInput.into()),
    };
    Ok(rustix::fs::mknodat(
        directory,
        name,
        kind,
        PRIVATE_FILE,
        device,
    )?)
}

fn remove_existing(directory: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "a directory is in the way",
        )),
        Err(error) => Err(error.into()),
    }
}
