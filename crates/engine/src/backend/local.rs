//! A repository in a local directory.

mod stale;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use super::{Backend, FileKind, Handle, Listed, within};
use crate::id::Id;

/// Files below a directory.
///
/// A file is written under a temporary name, synced, renamed, and the directory synced, so that
/// after a crash or power loss it is there whole or not at all.
#[derive(Debug)]
pub struct LocalBackend {
    root: PathBuf,
    /// Makes temporary names unique within the process.
    counter: AtomicU64,
}

/// Not an id, so listing passes it over.
const TEMPORARY: &str = "-tmp-";

impl LocalBackend {
    /// The repository at `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            counter: AtomicU64::new(0),
        }
    }

    fn path(&self, handle: Handle) -> PathBuf {
        self.root.join(handle.path())
    }

    fn write_temporary(&self, path: &Path, data: &[u8]) -> io::Result<PathBuf> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let suffix = format!("{TEMPORARY}{}-{number}", std::process::id());
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let temporary = PathBuf::from(name);
        let written = self.create_new(&temporary).and_then(|mut file| {
            file.write_all(data)?;
            // Read-only like restic's files: nothing ever changes them.
            file.set_permissions(fs::Permissions::from_mode(0o400))?;
            file.sync_all()
        });
        if let Err(error) = written {
            drop(fs::remove_file(&temporary));
            return Err(error);
        }
        Ok(temporary)
    }

    fn create_new(&self, path: &Path) -> io::Result<File> {
        let open = || {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
        };
        match open() {
            // Directories below `data` are made when first needed; restic does so too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_there()?;
                let parent = path.parent().unwrap_or(Path::new("."));
                create_directory(parent)?;
                if let Some(above) = parent.parent() {
                    sync_directory(above)?;
                }
                open()
            }
            // Left behind by a dead process with our process id.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(path)?;
                open()
            }
            result => result,
        }
    }

    /// A repository is not made among files of somebody else, but where making one was broken off.
    fn check_free(&self) -> io::Result<()> {
        let own = |name: &str| {
            let mut kinds = FileKind::ALL.iter();
            name == "lost+found" || kinds.any(|kind| name == kind.directory())
        };
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            if !name.to_str().is_some_and(own) {
                let root = self.root.display();
                let text = format!("`{root}` is neither empty nor a repository");
                return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, text));
            }
        }
        Ok(())
    }

    /// Directories may be missing, but not because the repository is: the disk it is on may have
    /// been unmounted, and what is there now is the directory that it was mounted at.
    fn check_there(&self) -> io::Result<()> {
        if fs::exists(self.path(Handle::CONFIG))? {
            return Ok(());
        }
        let root = self.root.display();
        Err(io::Error::other(format!(
            "`{root}` has no repository any more"
        )))
    }
}

fn create_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

impl Backend for LocalBackend {
    fn url(&self) -> String {
        self.root.display().to_string()
    }

    fn create(&self) -> io::Result<()> {
        create_directory(&self.root)?;
        self.check_free()?;
        for kind in FileKind::ALL.into_iter().filter(|k| *k != FileKind::Config) {
            create_directory(&self.root.join(kind.directory()))?;
        }
        for byte in 0..=u8::MAX {
            create_directory(&self.root.join(format!("data/{byte:02x}")))?;
        }
        sync_directory(&self.root.join("data"))?;
        sync_directory(&self.root)
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        let path = self.path(handle);
        let temporary = self.write_temporary(&path, &data)?;
        if let Err(error) = fs::rename(&temporary, &path) {
            drop(fs::remove_file(&temporary));
            return Err(error);
        }
        sync_directory(path.parent().unwrap_or(&self.root))
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        let path = self.path(handle);
        let temporary = self.write_temporary(&path, &data)?;
        let linked = fs::hard_link(&temporary, &path);
        drop(fs::remove_file(&temporary));
        match linked {
            Ok(()) => sync_directory(path.parent().unwrap_or(&self.root)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Not every file system knows hard links.
            Err(_) if !self.exists(handle)? => self.put(handle, data),
            Err(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        fs::read(self.path(handle)).map(Bytes::from)
    }

    fn get_within(&self, handle: Handle, limit: u64) -> io::Result<Bytes> {
        let file = File::open(self.path(handle))?;
        let size = file.metadata()?.len();
        within(size, limit)?;
        let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // It may grow meanwhile.
        file.take(limit.saturating_add(1)).read_to_end(&mut data)?;
        within(data.len() as u64, limit)?;
        Ok(Bytes::from(data))
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        let file = File::open(self.path(handle))?;
        // Checked first so that a lying index cannot ask for memory the file could never fill.
        if file.metadata()?.len() < offset.saturating_add(length as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut data = Vec::with_capacity(length);
        while data.len() < length {
            let at = offset.saturating_add(data.len() as u64);
            match rustix::io::pread(&file, spare_capacity(&mut data), at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        data.truncate(length);
        Ok(Bytes::from(data))
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let directory = self.root.join(kind.directory());
        if !fs::exists(&directory)? {
            self.check_there()?;
        }
        match kind {
            FileKind::Config => {}
            FileKind::Pack => {
                for entry in read_directory(&directory)? {
                    let entry = entry?;
                    if entry.file_type()?.is_dir() {
                        list_directory(&entry.path(), &mut listed)?;
                    }
                }
            }
            _ => list_directory(&directory, &mut listed)?,
        }
        Ok(listed)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        match fs::remove_file(self.path(handle)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        fs::exists(self.path(handle))
    }

    fn remove_stale(&self, now: Timestamp) -> io::Result<u64> {
        let kinds = FileKind::ALL
            .into_iter()
            .filter(|kind| *kind != FileKind::Config);
        let removed = kinds.map(|kind| {
            let directory = self.root.join(kind.directory());
            stale::remove(&directory, kind == FileKind::Pack, now.into())
        });
        removed.sum()
    }
}

/// Entries of a directory; none if it does not exist.
fn read_directory(path: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

fn list_directory(path: &Path, listed: &mut Vec<Listed>) -> io::Result<()> {
    for entry in read_directory(path)? {
        let entry = entry?;
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|n| n.parse::<Id>().ok())
        else {
            continue;
        };
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => listed.push(Listed {
                id,
                size: metadata.len(),
            }),
            Ok(_) => {}
            // Somebody removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
