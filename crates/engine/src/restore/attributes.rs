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
use strongroom_domain::tree::{EntryKind, Metadata, Xattr};

/// What is set on an entry once it is written. Less than [`Metadata`], of which a restore holds
/// one per file.
#[derive(Debug)]
pub(super) struct Attributes {
    mode: Mode,
    uid: u32,
    gid: u32,
    atime: Timestamp,
    pub(super) mtime: Timestamp,
    xattrs: Box<[Xattr]>,
}

impl Attributes {
    pub(super) fn of(metadata: Metadata) -> Self {
        Self {
            mode: Mode::from_raw_mode(metadata.mode & 0o7777),
            uid: metadata.uid,
            gid: metadata.gid,
            atime: metadata.atime,
            mtime: metadata.mtime,
            xattrs: metadata.xattrs.into(),
        }
    }

    /// Whether the owner is what new files get anyway.
    pub(super) fn owner_is(&self, uid: Uid, gid: Gid) -> bool {
        (self.uid, self.gid) == (uid.as_raw(), gid.as_raw())
    }

    /// Sets all on an open file or directory; the owner only if asked for.
    pub(super) fn apply(&self, file: impl AsFd, set_owner: bool) -> io::Result<()> {
        let file = file.as_fd();
        if set_owner {
            let (uid, gid) = self.owner();
            owner_result(rustix::fs::fchown(file, uid, gid))?;
        }
        rustix::fs::fchmod(file, self.mode)?;
        for xattr in &self.xattrs {
            let name = OsStr::from_bytes(&xattr.name);
            let set = rustix::fs::fsetxattr(file, name, &xattr.value, XattrFlags::empty());
            xattr_result(&xattr.name, set)?;
        }
        Ok(rustix::fs::futimens(file, &self.times())?)
    }

    /// Sets all on something that is not to be opened: a link, device, pipe or socket.
    pub(super) fn apply_by_name(
        &self,
        directory: &OwnedFd,
        name: &OsStr,
        kind: &EntryKind,
    ) -> io::Result<()> {
        let (uid, gid) = self.owner();
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        owner_result(rustix::fs::chownat(directory, name, uid, gid, flags))?;
        // Links have no mode of their own.
        if !matches!(kind, EntryKind::Symlink { .. }) {
            rustix::fs::chmodat(directory, name, self.mode, AtFlags::empty())?;
        }
        if !self.xattrs.is_empty() {
            // There is no call that takes a directory handle.
            let mut path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
            path.push(name);
            for xattr in &self.xattrs {
                let attribute = OsStr::from_bytes(&xattr.name);
                let set =
                    rustix::fs::lsetxattr(&path, attribute, &xattr.value, XattrFlags::empty());
                xattr_result(&xattr.name, set)?;
            }
        }
        Ok(rustix::fs::utimensat(
            directory,
            name,
            &self.times(),
            flags,
        )?)
    }

    fn owner(&self) -> (Option<Uid>, Option<Gid>) {
        // The highest number means "leave as is" to the system.
        let valid = |id: u32| (id != u32::MAX).then_some(id);
        (
            valid(self.uid).map(Uid::from_raw),
            valid(self.gid).map(Gid::from_raw),
        )
    }

    fn times(&self) -> Timestamps {
        Timestamps {
            last_access: timespec(self.atime),
            last_modification: timespec(self.mtime),
        }
    }
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
