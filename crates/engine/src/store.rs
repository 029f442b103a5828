//! Writing blobs: each once, in packs, packs before the index.

mod pack_builder;
mod pending;
mod sealer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::compress::Compression;
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::{IndexBlob, IndexFile, IndexPack};
use crate::hash;
use crate::id::Id;
use crate::index::Index;
use crate::repository::{IndexedRepository, Repository};

use pack_builder::PackBuilder;
use pending::Pending;
use sealer::Sealer;

/// Blobs after which an index file is written; restic's limit is 50,000.
const INDEX_BLOBS: usize = 40_000;
/// Packs after which an index file is written.
const INDEX_PACKS: usize = 256;
/// Age of an unwritten index after which it is written, so that a killed backup loses little.
const INDEX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// What has been stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) data_blobs: u64,
    pub(crate) tree_blobs: u64,
    pub(crate) plain_bytes: u64,
    pub(crate) packed_bytes: u64,
}

#[derive(Debug, Default)]
struct Counters {
    data_blobs: AtomicU64,
    tree_blobs: AtomicU64,
    plain_bytes: AtomicU64,
    packed_bytes: AtomicU64,
}

/// Full packs that are hashed together.
const PACKS_AT_ONCE: usize = 3;
/// From this much memory for data in flight on.
const MEMORY_FOR_PACKS: u64 = 64 << 20;

/// A pack that waits to be written.
pub(crate) struct FullPack {
    data: Vec<u8>,
    entry: IndexPack,
}

/// The index entries that no index file has yet.
struct Unwritten {
    packs: Vec<IndexPack>,
    blobs: usize,
    since: Timestamp,
    /// Index files written so far.
    files: Vec<Id>,
}

/// Where new blobs go. Full packs go to the threads that run [`BlobStore::upload`].
pub(crate) struct BlobStore<'a> {
    target: &'a dyn IndexTarget,
    context: &'a Context,
    sealer: Sealer,
    /// In a pack that is not durable yet.
    pending: Pending,
    open: [Mutex<PackBuilder>; 2],
    /// Full, until there are enough to hash them together.
    full: Mutex<Vec<PackBuilder>>,
    uploads: Mutex<Option<SyncSender<FullPack>>>,
    unwritten: Mutex<Unwritten>,
    counters: Counters,
}

/// The index that learns of new packs.
pub(crate) trait IndexTarget: Sync {
    fn repository(&self) -> &Repository;
    fn contains(&self, kind: BlobKind, id: Id) -> bool;
    fn add(&self, pack: &IndexPack);
}

impl IndexTarget for IndexedRepository {
    fn repository(&self) -> &Repository {
        self.repository()
    }

    fn contains(&self, kind: BlobKind, id: Id) -> bool {
        self.index().contains(kind, id)
    }

    fn add(&self, pack: &IndexPack) {
        self.with_index_mut(|index: &mut Index| index.add(pack));
    }
}

/// What a thread that died between two statements leaves behind is never read: the job fails.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn slot(kind: BlobKind) -> usize {
    usize::from(kind == BlobKind::Tree)
}

impl<'a> BlobStore<'a> {
    pub(crate) fn new(
        target: &'a dyn IndexTarget,
        context: &'a Context,
        compression: Compression,
        verify: bool,
        uploads: SyncSender<FullPack>,
    ) -> Self {
        let since = target.repository().clock().now();
        Self {
            target,
            context,
            sealer: Sealer {
                compression,
                verify,
            },
            pending: Pending::default(),
            open: [
                Mutex::new(PackBuilder::new()),
                Mutex::new(PackBuilder::new()),
            ],
            full: Mutex::default(),
            uploads: Mutex::new(Some(uploads)),
            unwritten: Mutex::new(Unwritten {
                packs: Vec::new(),
                blobs: 0,
                since,
                files: Vec::new(),
            }),
            counters: Counters::default(),
        }
    }

    /// Stores a blob unless it is there already; returns its id.
    pub(crate) fn save(&self, kind: BlobKind, plain: &[u8]) -> Result<Id> {
        let id = Id::of(plain);
        self.save_with_id(kind, id, plain)?;
        Ok(id)
    }

    /// Whether a tree is stored and in the index.
    pub(crate) fn has(&self, tree: Id) -> bool {
        self.target.contains(BlobKind::Tree, tree)
    }

    /// Stores a blob whose id is known already.
    pub(crate) fn save_with_id(&self, kind: BlobKind, id: Id, plain: &[u8]) -> Result<()> {
        if !self.claim(kind, id) {
            return Ok(());
        }
        let cipher = self.target.repository().cipher();
        self.sealer.seal(cipher, kind, id, plain, |blob, sealed| {
            self.count(&blob, plain.len());
            self.append(blob, sealed)
        })
    }

    fn count(&self, blob: &IndexBlob, plain: usize) {
        let counters = &self.counters;
        let blobs = match blob.kind {
            BlobKind::Data => &counters.data_blobs,
            BlobKind::Tree => &counters.tree_blobs,
        };
        blobs.fetch_add(1, Ordering::Relaxed);
        counters
            .plain_bytes
            .fetch_add(plain as u64, Ordering::Relaxed);
        counters
            .packed_bytes
            .fetch_add(u64::from(blob.length), Ordering::Relaxed);
    }

    /// Stores a blob that was sealed with this repository's key before, as it is.
    pub(crate) fn save_sealed(&self, blob: IndexBlob, sealed: &[u8]) -> Result<()> {
        if !self.claim(blob.kind, blob.id) {
            return Ok(());
        }
        let length = length(sealed.len())?;
        self.append(IndexBlob { length, ..blob }, sealed)
    }

    /// Whether the caller is the one who has to store this blob.
    fn claim(&self, kind: BlobKind, id: Id) -> bool {
        // Under the lock a blob is always in one of the two: packs enter the index first.
        let mut pending = self.pending.of(kind, id);
        !self.target.contains(kind, id) && pending.insert(id)
    }

    fn append(&self, blob: IndexBlob, sealed: &[u8]) -> Result<()> {
        let full = {
            let mut open = lock(&self.open[slot(blob.kind)]);
            open.append(blob, sealed);
            open.is_full()
                .then(|| std::mem::replace(&mut *open, PackBuilder::new()))
        };
        let Some(full) = full else {
            return Ok(());
        };
        let together = {
            let mut packs = lock(&self.full);
            packs.push(full);
            let enough =
                self.context.limits.memory_bytes < MEMORY_FOR_PACKS || packs.len() >= PACKS_AT_ONCE;
            enough.then(|| std::mem::take(&mut *packs))
        };
        together.map_or(Ok(()), |packs| self.send(packs))
    }

    /// Completes packs and hands them to the uploaders.
    fn send(&self, packs: Vec<PackBuilder>) -> Result<()> {
        let cipher = self.target.repository().cipher();
        let finished = packs
            .into_iter()
            .map(|pack| pack.finish(cipher))
            .collect::<Result<Vec<_>>>()?;
        let all: Vec<&[u8]> = finished.iter().map(|(data, _)| &data[..]).collect();
        for (id, (data, blobs)) in hash::all(&all).into_iter().zip(finished) {
            let sender = lock(&self.uploads).clone();
            let entry = IndexPack { id, blobs };
            // The uploaders leave only after one of them failed, and that error is reported.
            sender
                .and_then(|sender| sender.send(FullPack { data, entry }).ok())
                .ok_or(Error::Internal)?;
        }
        Ok(())
    }

    /// Writes packs until there are no more; run by one or more threads.
    pub(crate) fn upload(&self, packs: &Mutex<Receiver<FullPack>>) -> Result<()> {
        loop {
            let received = lock(packs).recv();
            let Ok(pack) = received else {
                return Ok(());
            };
            if self.context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.write_pack(pack)?;
        }
    }

    fn write_pack(&self, FullPack { data, entry }: FullPack) -> Result<()> {
        let size = data.len() as u64;
        self.target
            .repository()
            .put(Handle::new(FileKind::Pack, entry.id), data)?;
        self.context.progress.stored(size);
        self.target.add(&entry);
        for blob in &entry.blobs {
            self.pending.of(blob.kind, blob.id).remove(&blob.id);
        }
        let due = {
            let mut unwritten = lock(&self.unwritten);
            unwritten.blobs += entry.blobs.len();
            unwritten.packs.push(entry);
            let age = self
                .target
                .repository()
                .clock()
                .now()
                .duration_since(unwritten.since);
            unwritten.blobs >= INDEX_BLOBS
                || unwritten.packs.len() >= INDEX_PACKS
                || age >= INDEX_AGE
        };
        if due { self.write_index() } else { Ok(()) }
    }

    /// Sends what is in open packs to be written and lets the uploaders leave.
    pub(crate) fn close(&self) -> Result<()> {
        let mut packs = std::mem::take(&mut *lock(&self.full));
        for open in &self.open {
            packs.push(std::mem::replace(&mut *lock(open), PackBuilder::new()));
        }
        packs.retain(|pack| !pack.is_empty());
        self.send(packs)?;
        self.abandon();
        Ok(())
    }

    /// Lets the uploaders leave without what is in open packs.
    pub(crate) fn abandon(&self) {
        lock(&self.uploads).take();
    }

    /// Writes what is durable but in no index file yet.
    pub(crate) fn write_index(&self) -> Result<()> {
        let packs = {
            let mut unwritten = lock(&self.unwritten);
            unwritten.blobs = 0;
            unwritten.since = self.target.repository().clock().now();
            std::mem::take(&mut unwritten.packs)
        };
        if packs.is_empty() {
            return Ok(());
        }
        let file = IndexFile {
            packs,
            ..IndexFile::default()
        };
        let id = self
            .target
            .repository()
            .write_json(FileKind::Index, &file)?;
        lock(&self.unwritten).files.push(id);
        Ok(())
    }

    /// The index files written.
    pub(crate) fn indexes_written(&self) -> Vec<Id> {
        lock(&self.unwritten).files.clone()
    }

    pub(crate) fn stored(&self) -> Stored {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stored {
            data_blobs: get(&self.counters.data_blobs),
            tree_blobs: get(&self.counters.tree_blobs),
            plain_bytes: get(&self.counters.plain_bytes),
            packed_bytes: get(&self.counters.packed_bytes),
        }
    }
}

fn length(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(|_| Error::Invalid("a blob has more than 4 GiB".to_owned()))
}

/// Takes packs and drops them, so that nobody waits for an uploader that has failed.
pub(crate) fn discard(packs: &Mutex<Receiver<FullPack>>) {
    while lock(packs).recv().is_ok() {}
}
