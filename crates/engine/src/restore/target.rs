//! The directory that a restore writes to, reached without ever following a link below it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use strongroom_domain::tree::{DeviceKind, EntryKind, EntryPath};

/// Mode of what is being written, until its own is set.
const PRIVATE_DIRECTORY: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// The target directory.
#[derive(Debug)]
pub(super) struct Target(Arc<OwnedFd>);

impl Target {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self(Arc::new(rustix::fs::open(
            path,
            flags,
            Mode::empty(),
        )?)))
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

/// Opens directories of a target, one after the other mostly the same. One per thread.
pub(super) struct Directories<'a> {
    target: &'a Target,
    last: Option<(EntryPath, Arc<OwnedFd>)>,
}

impl<'a> Directories<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        Self { target, last: None }
    }

    /// The directory `path`.
    pub(super) fn open(&mut self, path: &EntryPath) -> io::Result<Arc<OwnedFd>> {
        if let Some((last, directory)) = &self.last
            && last == path
        {
            return Ok(Arc::clone(directory));
        }
        let mut directory = Arc::clone(&self.target.0);
        for name in path.components() {
            directory = Arc::new(open_directory(&directory, OsStr::from_bytes(name))?);
        }
        self.last = Some((path.clone(), Arc::clone(&directory)));
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

    /// Makes the directory `path` unless it is there.
    pub(super) fn make(&mut self, path: &EntryPath) -> io::Result<()> {
        let (parent, name) = self.parent_of(path)?;
        match rustix::fs::mkdirat(&*parent, name, PRIVATE_DIRECTORY) {
            // If it is something else, opening it says so.
            Ok(()) | Err(Errno::EXIST) => open_directory(&parent, name).map(drop),
            Err(error) => Err(error.into()),
        }
    }
}

fn open_directory(parent: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR | Errno::LOOP => io::Error::new(
            io::ErrorKind::NotADirectory,
            "something that is not a directory is in the way",
        ),
        other => other.into(),
    })
}

/// Creates a file anew; one that is there is unlinked, not written into.
pub(super) fn create_file(directory: &OwnedFd, name: &OsStr) -> io::Result<File> {
    remove_existing(directory, name)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(
        directory,
        name,
        flags,
        PRIVATE_FILE,
    )?))
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
