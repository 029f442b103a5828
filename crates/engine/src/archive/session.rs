//! What all threads of one backup share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use strongroom_domain::tree::{Context, EntryFailure};

use super::BackupOptions;
use super::cache::CacheWriter;
use super::file;
use super::queue::{Job, Queue};
use super::record::Record;
use crate::chunk::Cutter;
use crate::error::{Error, Result};
use crate::format::snapshot::Summary;
use crate::id::Id;
use crate::store::BlobStore;

/// Files from this size on may be searched by several workers, from this many on and with this much
/// memory for data in flight, of which it takes 8 MiB. All of such a file is searched, while one
/// worker alone leaves out the shortest length after each cut, a third of all; hashing and packing
/// what one reads keeps up to five busy anyway.
const HELP_SIZE: u64 = 64 << 20;
const HELP_THREADS: usize = 6;
const HELP_MEMORY: u64 = 64 << 20;
/// Part of the memory for data in flight that pieces of files may take; packs take the rest.
const QUEUE_SHARE: u64 = 4;

pub(super) struct Session<'a> {
    pub(super) store: BlobStore<'a>,
    pub(super) context: &'a Context,
    pub(super) cutter: Cutter,
    pub(super) options: &'a BackupOptions,
    pub(super) queue: Queue,
    /// Where the next backup will find what this one stored.
    cache: Option<Mutex<CacheWriter>>,
    /// Held for the file whose segments are in the queue.
    helped: Mutex<()>,
    counters: Counters,
    failures: Mutex<Vec<EntryFailure>>,
    error: Mutex<Option<Error>>,
    failed: AtomicBool,
    root: OnceLock<Id>,
}

#[derive(Default)]
struct Counters {
    files_new: AtomicU64,
    files_changed: AtomicU64,
    files_unmodified: AtomicU64,
    dirs_new: AtomicU64,
    dirs_changed: AtomicU64,
    dirs_unmodified: AtomicU64,
    others: AtomicU64,
    bytes: AtomicU64,
}

/// How an entry compares with the parent snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    New,
    Changed,
    Unmodified,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        store: BlobStore<'a>,
        context: &'a Context,
        cutter: Cutter,
        options: &'a BackupOptions,
        cache: Option<CacheWriter>,
    ) -> Self {
        let share = context.limits.memory_bytes / QUEUE_SHARE;
        // With one worker there is nobody to leave pieces to.
        let share = if context.limits.threads > 1 {
            usize::try_from(share).unwrap_or(usize::MAX)
        } else {
            0
        };
        Self {
            store,
            context,
            cutter,
            options,
            queue: Queue::new(share),
            cache: cache.map(Mutex::new),
            helped: Mutex::new(()),
            counters: Counters::default(),
            failures: Mutex::default(),
            error: Mutex::default(),
            failed: AtomicBool::new(false),
            root: OnceLock::new(),
        }
    }

    /// Fails once the backup is cancelled or has failed elsewhere.
    pub(super) fn check(&self) -> Result<()> {
        if self.context.cancel.is_cancelled() || self.failed.load(Ordering::Acquire) {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Whether others help to cut a file of this size for as long as the result lives. One at a time:
    /// several keep the workers busy by themselves.
    pub(super) fn help(&self, size: u64) -> Option<MutexGuard<'_, ()>> {
        let limits = &self.context.limits;
        let pays = size >= HELP_SIZE
            && limits.threads >= HELP_THREADS
            && limits.memory_bytes >= HELP_MEMORY;
        pays.then(|| self.helped.try_lock().ok()).flatten()
    }

    /// Ends the backup; the first error is the one reported.
    pub(super) fn fail(&self, error: Error) {
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.failed.swap(true, Ordering::AcqRel) {
            *first = Some(error);
        }
        drop(first);
        self.queue.abort();
        self.store.abandon();
    }

    /// Runs a part of the backup; an error, or a panic in a source's code, ends the backup.
    pub(super) fn guard(&self, part: impl FnOnce() -> Result<()>) {
        match catch_unwind(AssertUnwindSafe(part)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(error),
            Err(_) => self.fail(Error::Internal),
        }
    }

    /// What a worker does.
    pub(super) fn work(&self) {
        while let Some(job) = self.queue.pop() {
            match job {
                Job::Search(segment) => drop(segment.search()),
                Job::Blob(blob) => self.guard(|| blob.run(self)),
                Job::Files(files) => {
                    self.guard(|| file::run(files, self));
                    self.queue.files_done();
                }
            }
        }
    }

    /// Notes that an entry failed; ends the backup if it is to be whole.
    pub(super) fn entry_failed(&self, failure: EntryFailure) -> Result<()> {
        self.context.progress.failed(&failure);
        let mut failures = self.failures();
        failures.push(failure.clone());
        if self.options.whole {
            return Err(Error::Source {
                first: failure,
                count: failures.len(),
            });
        }
        Ok(())
    }

    fn failures(&self) -> MutexGuard<'_, Vec<EntryFailure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The failures in tree order.
    pub(super) fn take_failures(&self) -> Vec<EntryFailure> {
        let mut failures = std::mem::take(&mut *self.failures());
        failures.sort_by(|a, b| a.path.cmp(&b.path));
        failures
    }

    /// Keeps what is in a directory for the next backup.
    pub(super) fn remember(&self, record: &Record) {
        if let Some(cache) = &self.cache {
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.add(record.tree(), record.bytes());
        }
    }

    /// The same, if there is a cache to make a record for.
    pub(super) fn remember_with(&self, record: impl FnOnce() -> Record) {
        if self.cache.is_some() {
            self.remember(&record());
        }
    }

    /// Puts the new cache in place. A failure costs the next backup time.
    pub(super) fn finish_cache(self) {
        if let Some(cache) = self.cache {
            let cache = cache.into_inner().unwrap_or_else(PoisonError::into_inner);
            drop(cache.finish());
        }
    }

    pub(super) fn set_root(&self, id: Id) {
        self.root.get_or_init(|| id);
    }

    /// Has the last packs written; the uploaders leave.
    pub(super) fn finish(&self) -> Option<Id> {
        match self.check().and_then(|()| self.store.close()) {
            Ok(()) => self.root.get().copied(),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    /// Writes the index of what is durable; after a failure too, so that it is found again.
    pub(super) fn finish_index(&self) -> Result<()> {
        self.store.write_index()
    }

    /// The root, or why there is none.
    pub(super) fn result(&self, root: Option<Id>) -> Result<Id> {
        if self.context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(error) = self
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            return Err(error);
        }
        root.ok_or(Error::Internal)
    }

    pub(super) fn count_file(&self, change: Change, bytes: u64) {
        let counters = &self.counters;
        match change {
            Change::New => &counters.files_new,
            Change::Changed => &counters.files_changed,
            Change::Unmodified => &counters.files_unmodified,
        }
        .fetch_add(1, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_directory(&self, before: Option<Id>, now: Id) {
        let counters = &self.counters;
        match before {
            None => &counters.dirs_new,
            Some(before) if before == now => &counters.dirs_unmodified,
            Some(_) => &counters.dirs_changed,
        }
        .fetch_add(1, Ordering::Relaxed);
        self.context.progress.add(0, 1);
    }

    /// Counts a link, device, pipe or socket.
    pub(super) fn count_other(&self) {
        self.counters.others.fetch_add(1, Ordering::Relaxed);
        self.context.progress.add(0, 1);
    }

    /// Everything that is counted, without times.
    pub(super) fn summary(&self) -> Summary {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (counters, stored) = (&self.counters, self.store.stored());
        let mut summary = Summary {
            files_new: get(&counters.files_new),
            files_changed: get(&counters.files_changed),
            files_unmodified: get(&counters.files_unmodified),
            dirs_new: get(&counters.dirs_new),
            dirs_changed: get(&counters.dirs_changed),
            dirs_unmodified: get(&counters.dirs_unmodified),
            data_blobs: stored.data_blobs,
            tree_blobs: stored.tree_blobs,
            data_added: stored.plain_bytes,
            data_added_packed: stored.packed_bytes,
            total_bytes_processed: get(&counters.bytes),
            ..Summary::default()
        };
        summary.total_files_processed =
            summary.files_new + summary.files_changed + summary.files_unmodified;
        summary
    }

    /// Entries of all kinds.
    pub(super) fn entries(&self) -> u64 {
        let summary = self.summary();
        let directories = summary.dirs_new + summary.dirs_changed + summary.dirs_unmodified;
        summary.total_files_processed + directories + self.counters.others.load(Ordering::Relaxed)
    }
}
