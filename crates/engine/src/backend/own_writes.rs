//! Lists that never lag behind what this process wrote and deleted itself.
//!
//! S3 itself lists what was just written, but not everything that speaks its language does. A
//! backup must not miss its own index, nor may a prune see again what it removed.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use strongroom_domain::tree::Cancel;

use super::{Backend, FileKind, Handle, Listed};

/// Changes that are remembered. Lists lag by seconds, and nobody makes so many in seconds.
const REMEMBERED: usize = 4_096;

/// What was done to a file: written with so many bytes, or deleted.
type Change = Option<u64>;

/// The latest changes.
#[derive(Debug, Default)]
struct Changes {
    by_file: HashMap<Handle, Change>,
    /// The same, oldest first.
    order: VecDeque<Handle>,
}

impl Changes {
    fn add(&mut self, handle: Handle, change: Change) {
        self.by_file.insert(handle, change);
        self.order.push_back(handle);
        if self.order.len() > REMEMBERED {
            let oldest = self.order.pop_front();
            oldest.and_then(|handle| self.by_file.remove(&handle));
        }
    }

    fn of(&self, kind: FileKind) -> HashMap<Handle, Change> {
        let changes = self.by_file.iter().filter(|it| it.0.kind() == kind);
        changes.map(|(handle, change)| (*handle, *change)).collect()
    }
}

/// Another storage, with lists that show what was done through this.
#[derive(Debug, Clone)]
pub struct OwnWritesBackend {
    inner: Arc<dyn Backend>,
    changes: Arc<Mutex<Changes>>,
}

impl OwnWritesBackend {
    /// `inner`, with patched lists.
    pub fn new(inner: Arc<dyn Backend>) -> Self {
        Self {
            inner,
            changes: Arc::default(),
        }
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        // What a dead thread left half done is at worst one change forgotten.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for OwnWritesBackend {
    fn url(&self) -> String {
        self.inner.url()
    }

    fn create(&self) -> io::Result<()> {
        self.inner.create()
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        let size = data.len() as u64;
        self.inner.put(handle, data)?;
        self.changes().add(handle, Some(size));
        Ok(())
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.inner.put_new(handle, data)
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.inner.get(handle)
    }

    fn get_within(&self, handle: Handle, limit: u64) -> io::Result<Bytes> {
        self.inner.get_within(handle, limit)
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.inner.get_range(handle, offset, length)
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        // Taken first: what is done meanwhile may be in the list or not, as always.
        let mut changes = self.changes().of(kind);
        let mut listed = self.inner.list(kind)?;
        listed.retain(|file| changes.remove(&Handle::new(kind, file.id)) != Some(None));
        for (handle, change) in changes {
            // Written, but not listed: the list is stale, or somebody else removed it since.
            if let Some(size) = change
                && self.inner.exists(handle)?
            {
                let id = handle.id();
                listed.push(Listed { id, size });
            }
        }
        Ok(listed)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.inner.delete(handle)?;
        self.changes().add(handle, None);
        Ok(())
    }

    fn delete_many(&self, handles: &[Handle]) -> io::Result<()> {
        self.inner.delete_many(handles)?;
        let mut changes = self.changes();
        for handle in handles {
            changes.add(*handle, None);
        }
        Ok(())
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.inner.exists(handle)
    }

    fn with_cancel(&self, cancel: &Cancel) -> Option<Arc<dyn Backend>> {
        let inner = self.inner.with_cancel(cancel)?;
        Some(Arc::new(Self {
            inner,
            ..self.clone()
        }))
    }
}
