//! Owner, mode, extended attributes and times of what was restored, in this order: changing the
//! owner clears mode bits and capabilities.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use jiff::Timestamp;
use rustix::fs::{AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use strongroom_domain::tree::{EntryKind, Metadata};

/// Sets attributes of an open file or directory.
pub(super) fn apply(file: impl AsFd, metadata: &Metadata) -> io::Result<()> {
    let file = file.as_fd();
    let (uid, gid) = owner(metadata);
    owner_result(rustix::fs::fchown(file, uid, gid))?;
    rustix::fs::fchmod(file, mode(metadata))?;
    for xattr in &metadata.xattrs {
        let name = OsStr::from_bytes(&xattr.name);
        let set = rustix::fs::fsetxattr(file, name, &xattr.value, XattrFlags::empty());
        xattr_result(&xattr.name, set)?;
    }
    Ok(rustix::fs::futimens(file, &times(metadata))?)
}

/// Sets attributes of something that is not to be opened: a link, device, pipe or socket.
pub(super) fn apply_by_name(
    directory: &OwnedFd,
    name: &OsStr,
    metadata: &Metadata,
) -> io::Result<()> {
    let (uid, gid) = owner(metadata);
    let chown = rustix::fs::chownat(directory, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
    owner_result(chown)?;
    // Links have no mode of their own.
    if !matches!(metadata.kind, EntryKind::Symlink { .. }) {
        rustix::fs::chmodat(directory, name, mode(metadata), AtFlags::empty())?;
    }
    if !metadata.xattrs.is_empty() {
        // There is no call that takes a directory handle.
        let mut path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
        path.push(name);
        for xattr in &metadata.xattrs {
            let attribute = OsStr::from_bytes(&xattr.name);
            let set = rustix::fs::lsetxattr(&path, attribute, &xattr.value, XattrFlags::empty());
            xattr_result(&xattr.name, set)?;
        }
    }
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::utimensat(
        directory,
        name,
        &times(metadata),
        flags,
    )?)
}

fn owner(metadata: &Metadata) -> (Option<Uid>, Option<Gid>) {
    // The highest number means "leave as is" to the system.
    let valid = |id: u32| (id != u32::MAX).then_some(id);
    (
        valid(metadata.uid).map(Uid::from_raw),
        valid(metadata.gid).map(Gid::from_raw),
    )
}

/// Only root can give files away; restoring as somebody else keeps them theirs.
fn owner_result(result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(Errno::PERM | Errno::INVAL) if !rustix::process::geteuid().is_root() => Ok(()),
        result => Ok(result?),
    }
}

/// Attributes outside `user.` need privileges that a restore as somebody else does not have.
fn xattr_result(name: &[u8], result: Result<(), Errno>) -> io::Result<()> {
    match result {
        Err(Errno::PERM)
            if !name.starts_with(b"user.") && !rustix::process::geteuid().is_root() =>
        {
            Ok(())
        }
        Err(error) => {
            let message = format!("extended attribute `{}`: {error}", name.escape_ascii());
            Err(io::Error::new(io::Error::from(error).kind(), message))
        }
        Ok(()) => Ok(()),
    }
}

fn mode(metadata: &Metadata) -> Mode {
    Mode::from_raw_mode(metadata.mode & 0o7777)
}

fn times(metadata: &Metadata) -> Timestamps {
    Timestamps {
        last_access: timespec(metadata.atime),
        last_modification: timespec(metadata.mtime),
    }
}

/// Seconds and nanoseconds, the latter never negative.
pub(super) fn seconds_and_nanoseconds(time: Timestamp) -> (i64, i64) {
    let (seconds, nanoseconds) = (time.as_second(), i64::from(time.subsec_nanosecond()));
    if nanoseconds < 0 {
        (seconds - 1, nanoseconds + 1_000_000_000)
    } else {
        (seconds, nanoseconds)
    }
}

fn timespec(time: Timestamp) -> Timespec {
    let (tv_sec, tv_nsec) = seconds_and_nanoseconds(time);
    Timespec { tv_sec, tv_nsec }
}
