//! Metadata of files as entries have them.

use std::{
    ffi::OsStr,
    io,
    os::{fd::BorrowedFd, unix::ffi::OsStringExt},
    path::Path,
};

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, FileType, Stat};
use strongroom_domain::tree::{DeviceKind, EntryKind, Metadata, Xattr};

/// What the file system says of `path` itself, not of what a link points to. Owner's and group's
/// names are left empty.
pub(crate) fn read_metadata(path: &Path) -> io::Result<Metadata> {
    let mut metadata = read_stat(CWD, path.as_os_str())?;
    metadata.xattrs = xattrs(path)?;
    Ok(metadata)
}

/// The same of `name` in a directory, or of a whole path, but without extended attributes.
pub(crate) fn read_stat(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<Metadata> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(directory, name, Vec::new())?;
            EntryKind::Symlink {
                target: target.into_bytes(),
            }
        }
        FileType::BlockDevice => device(DeviceKind::Block, &stat),
        FileType::CharacterDevice => device(DeviceKind::Character, &stat),
        FileType::Fifo => EntryKind::Fifo,
        _ => EntryKind::Socket,
    };
    let size = if kind == EntryKind::File {
        u64::try_from(stat.st_size).unwrap_or(0)
    } else {
        0
    };
    Ok(Metadata {
        size,
        kind,
        mode: stat.st_mode & 0o7777,
        mtime: time(stat.st_mtime, stat.st_mtime_nsec),
        atime: time(stat.st_atime, stat.st_atime_nsec),
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        uid: stat.st_uid,
        gid: stat.st_gid,
        user: String::new(),
        group: String::new(),
        inode: stat.st_ino,
        device: stat.st_dev,
        links: stat.st_nlink,
        xattrs: Vec::new(),
    })
}

fn device(kind: DeviceKind, stat: &Stat) -> EntryKind {
    EntryKind::Device {
        kind,
        rdev: stat.st_rdev,
    }
}

/// A time as `stat` gives it. A file system may hold times that no calendar has; they become the epoch.
pub(crate) fn time(seconds: i64, nanoseconds: impl TryInto<i32>) -> Timestamp {
    let nanoseconds = nanoseconds.try_into().unwrap_or(0);
    Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The extended attributes; none where the file system has no such thing.
pub(crate) fn xattrs(path: &Path) -> io::Result<Vec<Xattr>> {
    let names = match xattr::list(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for name in names {
        // Gone between listing and reading: then it is not there.
        if let Some(value) = xattr::get(path, &name)? {
            found.push(Xattr {
                name: name.into_vec(),
                value,
            });
        }
    }
    Ok(found)
}
