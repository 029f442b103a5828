//! Backup: from a stream of entries to a snapshot.
//!
//! One thread takes what the source delivers; the calling one walks that and the parent snapshot
//! side by side; workers read, cut, hash, compress and seal content; uploaders write packs. A
//! directory is stored by whichever thread finishes the last of its entries.

mod cache;
mod directory;
mod driver;
mod file;
mod queue;
mod record;
mod session;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};

use jiff::Timestamp;
use strongroom_domain::tree::{Context, Entry, EntryError, EntryFailure, EntryStream};

use crate::backend::FileKind;
use crate::chunk::Chunker;
use crate::compress::Compression;
use crate::error::{Error, Result};
use crate::format::snapshot::{Snapshot, Summary};
use crate::id::{Id, SnapshotId};
use crate::repository::IndexedRepository;
use crate::store::{BlobStore, discard};

use cache::{Cache, CacheWriter};
use driver::Driver;
use session::Session;

/// Entries as the driver takes them.
type Entries = Box<dyn Iterator<Item = Result<Entry, EntryError>>>;
/// Entries that go from the source to the driver at a time, and how many times it may be ahead.
const BATCH: usize = 64;
const AHEAD: usize = 8;

/// The snapshot that a backup is compared with, so that unchanged files need not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parent {
    /// The newest of the same host and paths.
    #[default]
    Auto,
    /// None: everything is read.
    None,
    /// This one.
    Snapshot(SnapshotId),
}

/// How to back up.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// Host that the data is from.
    pub hostname: String,
    /// User who backs up.
    pub username: String,
    /// What is backed up.
    pub paths: Vec<String>,
    /// Free texts to find the snapshot by.
    pub tags: Vec<String>,
    /// What the source left out, for the record.
    pub excludes: Vec<String>,
    /// Snapshot to compare with.
    pub parent: Parent,
    /// Time of the snapshot; now if `None`.
    pub time: Option<Timestamp>,
    /// How hard to compress.
    pub compression: Compression,
    /// Where to cut content into blobs.
    pub chunker: Chunker,
    /// Whether any entry that fails fails the backup; otherwise the snapshot is written without it.
    pub whole: bool,
    /// Keep times of access. They change with every reading and make all trees new.
    pub access_times: bool,
    /// Decompress every blob again before it is stored.
    pub verify: bool,
    /// Directory for what makes the next backup of the same source faster: one small file per
    /// source, sealed with the repository's key. It may be deleted at any time.
    pub cache: Option<PathBuf>,
    /// Name and version of the program, for the record.
    pub program_version: String,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            hostname: String::new(),
            username: String::new(),
            paths: Vec::new(),
            tags: Vec::new(),
            excludes: Vec::new(),
            parent: Parent::Auto,
            time: None,
            compression: Compression::Auto,
            chunker: Chunker::Content,
            whole: false,
            access_times: false,
            verify: true,
            cache: None,
            program_version: concat!("strongroom ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What a backup did.
#[derive(Debug, Clone)]
pub struct BackupOutcome {
    /// Id of the new snapshot.
    pub snapshot_id: SnapshotId,
    /// The new snapshot.
    pub snapshot: Snapshot,
    /// Counts and sizes.
    pub summary: Summary,
    /// Entries in the snapshot, directories included: what
    /// [`IndexedRepository::verify_snapshot`] should find.
    pub entries: u64,
    /// Entries that are missing from the snapshot, or directories that are not complete.
    pub failures: Vec<EntryFailure>,
}

impl IndexedRepository {
    /// Stores what `entries` delivers and writes a snapshot of it.
    ///
    /// On an error, and when cancelled, there is no snapshot; what has been stored by then is found
    /// again by the next backup. Cancellation is noticed before every blob, but not while the
    /// source blocks.
    pub fn backup(
        &self,
        entries: Box<dyn EntryStream>,
        options: &BackupOptions,
        context: &Context,
    ) -> Result<BackupOutcome> {
        let started = self.repository().clock().now();
        let parent = self.find_parent(options)?;
        let threads = context.limits.threads.max(1);
        let (uploads, full_packs) = sync_channel(1);
        let full_packs = Mutex::new(full_packs);
        let store = BlobStore::new(self, context, options.compression, options.verify, uploads);
        let cutter = self.repository().cutter(options.chunker)?;
        let cache_file = options
            .cache
            .as_ref()
            .map(|directory| cache::path(directory, self.repository(), options));
        // A cache that cannot be read or written costs time.
        let known = cache_file
            .as_ref()
            .and_then(|file| Cache::open(file, self.repository()));
        let new = cache_file.and_then(|file| CacheWriter::create(file, self.repository()).ok());
        let session = Session::new(store, context, cutter, options, new);

        let root = std::thread::scope(|scope| {
            for _ in 0..threads.min(4) {
                scope.spawn(|| {
                    session.guard(|| session.store.upload(&full_packs));
                    discard(&full_packs);
                });
            }
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| session.work()))
                .collect();
            let entries = ahead(entries, scope, &session);
            session.guard(|| Driver::new(self, &session, parent.as_ref(), known).run(entries));
            session.queue.close();
            for worker in workers {
                if worker.join().is_err() {
                    session.fail(Error::Internal);
                }
            }
            session.finish()
        });
        let written = session.finish_index();
        let root = session.result(root)?;
        written?;
        let outcome = self.commit(&session, root, parent.map(|p| p.id), started, options)?;
        session.finish_cache();
        Ok(outcome)
    }

    fn find_parent(&self, options: &BackupOptions) -> Result<Option<Snapshot>> {
        match options.parent {
            Parent::None => Ok(None),
            Parent::Snapshot(id) => self.repository().snapshot(id).map(Some),
            Parent::Auto => {
                let same =
                    |s: &Snapshot| s.hostname == options.hostname && s.paths == options.paths;
                Ok(self
                    .repository()
                    .snapshots()?
                    .snapshots
                    .into_iter()
                    .rfind(same))
            }
        }
    }

    /// Writes the snapshot: the moment from which on the backup exists.
    fn commit(
        &self,
        session: &Session<'_>,
        tree: Id,
        parent: Option<SnapshotId>,
        started: Timestamp,
        options: &BackupOptions,
    ) -> Result<BackupOutcome> {
        session.check()?;
        self.held_lock().ensure_held()?;
        let summary = Summary {
            backup_start: started,
            backup_end: self.repository().clock().now(),
            ..session.summary()
        };
        let mut snapshot = Snapshot {
            time: options.time.unwrap_or(started),
            parent,
            tree,
            paths: options.paths.clone(),
            hostname: options.hostname.clone(),
            username: options.username.clone(),
            uid: 0,
            gid: 0,
            excludes: options.excludes.clone(),
            tags: options.tags.clone(),
            original: None,
            program_version: options.program_version.clone(),
            summary: Some(summary),
            id: tree,
        };
        snapshot.id = self
            .repository()
            .write_json(FileKind::Snapshot, &snapshot)?;
        Ok(BackupOutcome {
            snapshot_id: snapshot.id,
            snapshot,
            summary,
            entries: session.entries(),
            failures: session.take_failures(),
        })
    }
}

/// Lets the source go ahead on a thread of its own, if there may be more than one.
fn ahead<'scope>(
    entries: Box<dyn EntryStream>,
    scope: &'scope std::thread::Scope<'scope, '_>,
    session: &'scope Session<'_>,
) -> Entries {
    if session.context.limits.threads < 2 {
        return Box::new(entries);
    }
    let (batches, arrived) = sync_channel(AHEAD);
    scope.spawn(move || session.guard(|| walk(entries, &batches, session)));
    Box::new(arrived.into_iter().flatten())
}

/// Hands on what a source delivers, in batches. What is made while it is read goes on at once.
fn walk(
    entries: Box<dyn EntryStream>,
    batches: &SyncSender<Vec<Result<Entry, EntryError>>>,
    session: &Session<'_>,
) -> Result<()> {
    let mut batch = Vec::new();
    for entry in entries {
        session.check()?;
        let urgent = entry.as_ref().is_ok_and(|entry| !entry.comparable);
        batch.push(entry);
        // Whoever takes them leaves only after a failure, which is reported.
        if (urgent || batch.len() >= BATCH) && batches.send(std::mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    }
    drop(batches.send(batch));
    Ok(())
}
