//! A repository in memory, for tests and short-lived work.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Backend, FileKind, Handle, Listed};

/// Files in a map. Clones of the `Arc` around it see the same files.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    files: Mutex<BTreeMap<Handle, Bytes>>,
}

impl MemoryBackend {
    /// An empty place.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of everything there is at this moment.
    pub fn snapshot(&self) -> Self {
        Self {
            files: Mutex::new(self.files().clone()),
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<Handle, Bytes>> {
        // A map is whole after every one of our operations, even if a thread died between them.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for MemoryBackend {
    fn url(&self) -> String {
        "memory:".to_owned()
    }

    fn create(&self) -> io::Result<()> {
        Ok(())
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.files().insert(handle, data);
        Ok(())
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        match self.files().entry(handle) {
            Entry::Occupied(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Entry::Vacant(place) => {
                place.insert(data);
                Ok(())
            }
        }
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.files()
            .get(&handle)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        let file = self.get(handle)?;
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        match start.checked_add(length) {
            Some(end) if end <= file.len() => Ok(file.slice(start..end)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        let files = self.files();
        let of_kind = files.iter().filter(|(handle, _)| handle.kind() == kind);
        Ok(of_kind
            .map(|(handle, data)| Listed {
                id: handle.id(),
                size: data.len() as u64,
            })
            .collect())
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.files().remove(&handle);
        Ok(())
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        Ok(self.files().contains_key(&handle))
    }
}
