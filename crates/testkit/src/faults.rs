//! Storage that fails when a test says so.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use strongroom_engine::{
    Backend,
    backend::{FileKind, Handle, Listed},
};
use strongroom_service::{OpenBackend, storage};

/// The switches of a faulty storage. Clones switch the same one.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Switches>);

#[derive(Debug, Default)]
struct Switches {
    full: AtomicBool,
    down: AtomicBool,
}

impl Faults {
    /// Whether there is no room: packs cannot be written.
    pub fn set_full(&self, full: bool) {
        self.0.full.store(full, Ordering::SeqCst);
    }

    /// Whether nothing can be reached.
    pub fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    /// The usual storage with these switches in front of it.
    pub fn storage(&self) -> OpenBackend {
        let (inner, faults) = (storage(), self.clone());
        Arc::new(move |url| {
            let backend = inner(url)?;
            Ok(Arc::new(Faulty {
                backend,
                faults: faults.clone(),
            }))
        })
    }
}

#[derive(Debug)]
struct Faulty {
    backend: Arc<dyn Backend>,
    faults: Faults,
}

impl Faulty {
    fn check(&self) -> io::Result<()> {
        if self.faults.0.down.load(Ordering::SeqCst) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "connection refused",
            ));
        }
        Ok(())
    }
}

impl Backend for Faulty {
    fn url(&self) -> String {
        self.backend.url()
    }

    fn create(&self) -> io::Result<()> {
        self.check()?;
        self.backend.create()
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.check()?;
        if handle.kind() == FileKind::Pack && self.faults.0.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.backend.put(handle, data)
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.check()?;
        self.backend.get(handle)
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.check()?;
        self.backend.get_range(handle, offset, length)
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        self.check()?;
        self.backend.list(kind)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.check()?;
        self.backend.delete(handle)
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.check()?;
        self.backend.exists(handle)
    }
}
