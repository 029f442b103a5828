//! Metadata of files as entries have them.

use std::{
    fs, io,
    os::unix::{
        ffi::OsStringExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::Path,
};

use jiff::Timestamp;
use strongroom_domain::tree::{DeviceKind, EntryKind, Metadata, Xattr};

/// What the file system says of `path` itself, not of what a link points to. Owner's and group's
/// names are left empty.
pub(crate) fn read_metadata(path: &Path) -> io::Result<Metadata> {
    let stat = fs::symlink_metadata(path)?;
    let kind = stat.file_type();
    let kind = if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_symlink() {
        EntryKind::Symlink {
            target: fs::read_link(path)?.into_os_string().into_vec(),
        }
    } else if kind.is_block_device() {
        EntryKind::Device {
            kind: DeviceKind::Block,
            rdev: stat.rdev(),
        }
    } else if kind.is_char_device() {
        EntryKind::Device {
            kind: DeviceKind::Character,
            rdev: stat.rdev(),
        }
    } else if kind.is_fifo() {
        EntryKind::Fifo
    } else {
        EntryKind::Socket
    };
    Ok(Metadata {
        size: if kind == EntryKind::File {
            stat.len()
        } else {
            0
        },
        kind,
        mode: stat.mode() & 0o7777,
        mtime: time(stat.mtime(), stat.mtime_nsec()),
        atime: time(stat.atime(), stat.atime_nsec()),
        ctime: time(stat.ctime(), stat.ctime_nsec()),
        uid: stat.uid(),
        gid: stat.gid(),
        user: String::new(),
        group: String::new(),
        inode: stat.ino(),
        device: stat.dev(),
        links: stat.nlink(),
        xattrs: xattrs(path)?,
    })
}

/// A time as `stat` gives it. A file system may hold times that no calendar has; they become the epoch.
pub(crate) fn time(seconds: i64, nanoseconds: i64) -> Timestamp {
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or(0);
    Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The extended attributes; none where the file system has no such thing.
fn xattrs(path: &Path) -> io::Result<Vec<Xattr>> {
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
