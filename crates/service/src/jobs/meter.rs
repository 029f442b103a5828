//! How far an attempt is: counted by the engine's threads, read by the one who writes it down.

use std::sync::atomic::{AtomicU64, Ordering};

use strongroom_domain::{backup::BackupProgress, tree::Progress};

/// No total is known.
const UNKNOWN: u64 = u64::MAX;

/// Counts bytes and entries.
#[derive(Debug)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    entries: AtomicU64,
    total: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        let (bytes, entries) = Default::default();
        Self {
            bytes,
            entries,
            total: AtomicU64::new(UNKNOWN),
        }
    }
}

impl Meter {
    /// Sets the bytes expected in all.
    pub(crate) fn expect(&self, bytes: Option<u64>) {
        self.total
            .store(bytes.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// How far it is now.
    pub(crate) fn read(&self) -> BackupProgress {
        let total = self.total.load(Ordering::Relaxed);
        BackupProgress {
            bytes_done: self.bytes.load(Ordering::Relaxed),
            bytes_total: (total != UNKNOWN).then_some(total),
            entries_done: self.entries.load(Ordering::Relaxed),
        }
    }
}

impl Progress for Meter {
    fn add(&self, bytes: u64, entries: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.entries.fetch_add(entries, Ordering::Relaxed);
    }

    fn total(&self, bytes: u64, _entries: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }
}
