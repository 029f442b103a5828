//! The passwords of a repository: one key file for each, all with the same master key.

use jiff::Timestamp;

use crate::backend::{Backend, FileKind, Handle};
use crate::crypto::MasterKey;
use crate::crypto::kdf::KdfCost;
use crate::error::{Error, Result};
use crate::format::key::{KeyError, KeyFile};
use crate::id::Id;
use crate::lock::LockMode;
use crate::repository::{Repository, read_small};

/// What a key file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub id: Id,
    /// Where it was made.
    pub hostname: String,
    /// By whom.
    pub username: String,
    /// When.
    pub created: Timestamp,
    /// Whether this repository was opened with it.
    pub current: bool,
}

impl Repository {
    /// All key files. One that is damaged is an error only if no other can be read.
    pub fn keys(&self) -> Result<Vec<KeyInfo>> {
        let mut keys = Vec::new();
        let mut damaged = None;
        for listed in self.list(FileKind::Key)? {
            match self.key(listed.id) {
                Ok(key) => keys.push(key),
                Err(error) if error.is_damage() => damaged = Some(error),
                Err(error) => return Err(error),
            }
        }
        match damaged {
            Some(error) if keys.is_empty() => Err(error),
            _ => {
                keys.sort_by_key(|key| (key.created, key.id));
                Ok(keys)
            }
        }
    }

    fn key(&self, id: Id) -> Result<KeyInfo> {
        let handle = Handle::new(FileKind::Key, id);
        let json = read_small(self.backend(), handle)?;
        let file: KeyFile =
            serde_json::from_slice(&json).map_err(|error| Error::damaged(handle, error))?;
        Ok(KeyInfo {
            id,
            hostname: file.hostname,
            username: file.username,
            created: file.created,
            current: self.opened_with() == Some(id),
        })
    }

    /// Removes a password. The one that this repository was opened with stays, so that it can
    /// still be opened afterwards.
    pub fn remove_key(&self, id: Id) -> Result<()> {
        let lock = self.lock(LockMode::Exclusive)?;
        let keys = self.list(FileKind::Key)?;
        if !keys.iter().any(|key| key.id == id) {
            return Err(Error::Missing(Handle::new(FileKind::Key, id).into()));
        }
        if self.opened_with() == Some(id) || keys.len() == 1 {
            let reason = format!("key {id} is in use: change its password instead");
            return Err(Error::Invalid(reason));
        }
        lock.ensure_held()?;
        self.delete(Handle::new(FileKind::Key, id))
    }

    /// Replaces the password that this repository was opened with; returns the id of the new key
    /// file. The old password opens no more.
    pub fn change_password(&self, password: &str, cost: KdfCost) -> Result<Id> {
        let Some(old) = self.opened_with() else {
            let reason = "the repository was opened without a password".to_owned();
            return Err(Error::Invalid(reason));
        };
        let lock = self.lock(LockMode::Exclusive)?;
        let new = self.add_key(password, cost)?;
        lock.ensure_held()?;
        self.delete(Handle::new(FileKind::Key, old))?;
        Ok(new)
    }
}

/// Tries the password on every key file; gives the one it opens.
pub(crate) fn find_key(backend: &dyn Backend, password: &str) -> Result<(Id, MasterKey)> {
    let listed = backend
        .list(FileKind::Key)
        .map_err(|source| Error::Storage {
            action: "list",
            object: "`keys`".to_owned(),
            source,
        })?;
    let mut damage = None;
    for key in listed {
        let handle = Handle::new(FileKind::Key, key.id);
        let opened = read_small(backend, handle).and_then(|json| {
            let file: KeyFile =
                serde_json::from_slice(&json).map_err(|e| Error::damaged(handle, e))?;
            match file.open(password.as_bytes()) {
                // A changed file may still be JSON and then looks like a wrong password.
                Err(KeyError::WrongPassword) if Id::of(&json) != handle.id() => Err(
                    Error::damaged(handle, "content does not have the hash it is named by"),
                ),
                Err(KeyError::WrongPassword) => Ok(None),
                Err(KeyError::Malformed(reason)) => Err(Error::damaged(handle, reason)),
                Ok(key) => Ok(Some(key)),
            }
        });
        match opened {
            Ok(Some(master)) => return Ok((key.id, master)),
            Ok(None) => {}
            Err(error) => damage = Some(error),
        }
    }
    Err(damage.unwrap_or_else(|| Error::WrongPassword(backend.url())))
}
