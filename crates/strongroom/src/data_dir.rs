//! The layout of a data directory.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// A directory with the catalog, the keys and the default repository.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The directory at `path`, made absolute because repositories are found by absolute path.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path)
            .with_context(|| format!("`{}` is not a usable path", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the catalog is, unless it is elsewhere.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite:{}", self.database().display())
    }

    /// The SQLite catalog.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("strongroom.db")
    }

    /// Where tenants restore to, each in a directory of its own.
    pub(crate) fn restores(&self) -> PathBuf {
        self.0.join("restores")
    }

    /// What backups leave for the next ones to be faster; may be removed at any time.
    pub(crate) fn caches(&self) -> PathBuf {
        self.0.join("caches")
    }

    /// The 32 bytes that seal secrets in the catalog.
    fn server_key(&self) -> PathBuf {
        self.0.join("keys/server.key")
    }

    /// The default repository.
    pub(crate) fn default_repository(&self) -> PathBuf {
        self.0.join("repositories/default")
    }

    /// The default repository's restic password.
    pub(crate) fn default_password(&self) -> PathBuf {
        self.0.join("keys/default.password")
    }

    /// Whether `init` has been here.
    pub(crate) fn is_initialised(&self) -> bool {
        self.server_key().exists()
    }

    /// Something of somebody else's where `init` would write, if there is.
    pub(crate) fn taken(&self) -> Option<PathBuf> {
        let ours = [
            self.database(),
            self.0.join("keys"),
            self.0.join("repositories"),
        ];
        ours.into_iter()
            .find(|path| path.symlink_metadata().is_ok())
    }

    /// Makes the directories, readable by the owner only.
    pub(crate) fn create(&self) -> Result<()> {
        for path in [
            self.0.clone(),
            self.0.join("keys"),
            self.0.join("repositories"),
        ] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .with_context(|| format!("cannot create the directory `{}`", path.display()))?;
        }
        Ok(())
    }

    /// Removes what a failed `init` left behind; nothing of it was there before (see `taken`).
    pub(crate) fn discard(&self) {
        let database = self.database();
        for extra in ["", "-wal", "-shm", ".lock"] {
            let mut path = database.clone().into_os_string();
            path.push(extra);
            drop(fs::remove_file(path));
        }
        drop(fs::remove_dir_all(self.0.join("keys")));
        drop(fs::remove_dir_all(self.0.join("repositories")));
        // Only if it is empty: the directory may have been somebody's own before.
        drop(fs::remove_dir(&self.0));
    }

    /// Stores a fresh server key.
    pub(crate) fn write_server_key(&self, key: &[u8; 32]) -> Result<()> {
        write_secret(&self.server_key(), hex::encode(key).as_bytes())
    }

    /// Reads the server key.
    pub(crate) fn read_server_key(&self) -> Result<[u8; 32]> {
        let path = self.server_key();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read the server's key `{}`", path.display()))?;
        let mut key = [0; 32];
        if hex::decode_to_slice(text.trim(), &mut key).is_err() {
            bail!("the server's key `{}` is damaged", path.display());
        }
        Ok(key)
    }

    /// Stores the default repository's password.
    pub(crate) fn write_default_password(&self, password: &str) -> Result<()> {
        write_secret(&self.default_password(), password.as_bytes())
    }
}

/// Writes a new file that only the owner can read, durably.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> Result<()> {
    let write = || {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}
