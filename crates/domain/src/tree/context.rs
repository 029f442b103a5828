//! What long work is given: how to stop, whom to tell, and how much to use.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{EntryFailure, EntryPath};

/// A cancellation token: clones share one flag, which once set stays set.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop. It does so before its next piece of data and leaves no result.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Hears how work gets on. Called from several threads, often; must not block.
pub trait Progress: Send + Sync {
    /// `bytes` of content and `entries` more are done (read, or written for a restore).
    fn add(&self, bytes: u64, entries: u64);

    /// The best known totals; called again when they become better known.
    fn total(&self, bytes: u64, entries: u64) {
        let _ = (bytes, entries);
    }

    /// Bytes that had to be stored, after compression.
    fn stored(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Work on `path` begins.
    fn current(&self, path: &EntryPath) {
        let _ = path;
    }

    /// An entry failed; it will also be in the final report.
    fn failed(&self, failure: &EntryFailure) {
        let _ = failure;
    }
}

/// Progress that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn add(&self, _bytes: u64, _entries: u64) {}
}

/// What one job may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Threads that do work (0 counts as 1).
    pub threads: usize,
    /// Memory for data in flight, in bytes. The index of the repository comes on top.
    pub memory_bytes: u64,
}

impl Default for Limits {
    /// Two threads and 128 MiB.
    fn default() -> Self {
        Self {
            threads: 2,
            memory_bytes: 128 << 20,
        }
    }
}

/// How to stop, whom to tell, and how much to use.
#[derive(Clone)]
pub struct Context {
    /// Checked before every piece of data.
    pub cancel: Cancel,
    /// Hears how the work gets on.
    pub progress: Arc<dyn Progress>,
    /// What the work may use.
    pub limits: Limits,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            cancel: Cancel::new(),
            progress: Arc::new(NoProgress),
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancel", &self.cancel)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
