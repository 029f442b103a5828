//! Giving back the room of data that no snapshot needs any more: first a plan, then its execution.
//!
//! Both happen under one exclusive lock. New packs are durable before the new index, the new index
//! before old index files go, and these before old packs: whenever it stops, everything that a
//! snapshot needs is there and found.
//!
//! With a grace time nothing is deleted at once: packs leave the index but stay, marked with the
//! time, and a later prune deletes them, or takes back those that have come into use. So even a
//! writer that never saw the lock loses nothing if it is done within the grace time.

mod execute;
mod salvage;

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::index::{IndexBlob, IndexPack, MarkedPack};
use crate::format::pack::pack_size;
use crate::id::{Id, IdMap, IdSet};
use crate::lock::LockMode;
use crate::packs::PackList;
use crate::repository::{IndexedRepository, Repository};
use crate::trees;

/// How much unused data may stay in packs that are also used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// Percent of all data.
    Percent(f64),
    /// Bytes.
    Bytes(u64),
    /// Any amount: only packs without any use are removed.
    Unlimited,
}

/// How to prune.
#[derive(Debug, Clone, Copy)]
pub struct PruneOptions {
    /// Unused data that may stay. restic's default is 5 percent.
    pub tolerance: Tolerance,
    /// How long packs without use stay before they are deleted; not at all if nothing.
    pub grace: Option<SignedDuration>,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self {
            tolerance: Tolerance::Percent(5.0),
            grace: None,
        }
    }
}

/// What a prune will do. Holds the exclusive lock until dropped or executed.
#[derive(Debug)]
pub struct PrunePlan {
    /// Holds the lock.
    repository: IndexedRepository,
    /// Packs with use that stay as they are.
    keep: Vec<IndexPack>,
    /// Packs whose used blobs are written anew.
    repack: Vec<Partly>,
    /// Packs that are deleted: without use, or named by no index.
    remove: Vec<Id>,
    /// Packs without use that are to stay for the grace time.
    marked: Vec<MarkedPack>,
    /// When an earlier prune marked them.
    marked_before: IdMap<Timestamp>,
    grace: Option<SignedDuration>,
    now: Timestamp,
    old_indexes: Vec<Id>,
    /// Whether index files name packs that are gone or repeat themselves.
    index_dirty: bool,
    packs_repacked: u64,
    /// What repacking cannot read is noted here and left out; without, it is an error.
    salvage: Option<Mutex<Vec<Error>>>,
    /// Bytes of packs before.
    pub bytes_before: u64,
    /// Bytes of packs that are removed without being read.
    pub bytes_removed: u64,
    /// Bytes of packs that are read and partly written anew.
    pub bytes_repacked: u64,
    /// Bytes of unused data that will stay.
    pub bytes_unused_kept: u64,
}

/// What a prune did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Packs removed, repacked ones included.
    pub packs_removed: u64,
    /// Packs whose used blobs were written anew.
    pub packs_repacked: u64,
    /// Files that killed writers had left half-written.
    pub temporary_files_removed: u64,
    /// Bytes by which packs became smaller.
    pub bytes_freed: u64,
}

impl Repository {
    /// Finds out what no snapshot needs. Needs the repository alone. Fails if anything is damaged
    /// that says what is needed.
    pub fn plan_prune(&self, options: &PruneOptions, context: &Context) -> Result<PrunePlan> {
        let repository = self.with_cancel(context);
        let lock = repository.lock(LockMode::Exclusive)?;
        let mut list = PackList::load(&repository, context)?;
        if let Some(error) = list.errors.pop() {
            return Err(error);
        }
        // What was marked may be in use again.
        let marked_before = list.take_marked();
        let index = std::mem::take(&mut list.index);
        let repository = repository.clone().with_index(lock, index, Vec::new());
        let used = used_blobs(&repository, context)?;
        let there: IdMap<u64> = repository
            .repository()
            .list(FileKind::Pack)?
            .into_iter()
            .map(|pack| (pack.id, pack.size))
            .collect();
        let mut plan = PrunePlan {
            repository,
            keep: Vec::new(),
            repack: Vec::new(),
            remove: Vec::new(),
            marked: Vec::new(),
            marked_before,
            grace: options.grace,
            now: self.clock().now(),
            old_indexes: list.files,
            index_dirty: list.repeated,
            packs_repacked: 0,
            salvage: None,
            bytes_before: there.values().sum(),
            bytes_removed: 0,
            bytes_repacked: 0,
            bytes_unused_kept: 0,
        };
        for id in there.keys().filter(|id| !list.packs.contains_key(*id)) {
            let (id, blobs) = (*id, Vec::new());
            plan.without_use(IndexPack { id, blobs });
        }
        let partly = plan.sort_packs(list.packs, &there, used)?;
        plan.choose_repack(partly, options.tolerance);
        let size = |id: &Id| there.get(id).copied().unwrap_or(0);
        plan.bytes_removed = plan.remove.iter().map(size).sum();
        Ok(plan)
    }
}

/// A pack in which some blobs are used and some are not.
#[derive(Debug)]
struct Partly {
    pack: IndexPack,
    /// The blobs that are used, from this pack and no other.
    used: Vec<IndexBlob>,
    unused_bytes: u64,
}

impl PrunePlan {
    /// Puts packs without use to those removed, and fully used ones to those kept.
    fn sort_packs(
        &mut self,
        packs: IdMap<Vec<IndexBlob>>,
        there: &IdMap<u64>,
        mut used: [IdSet; 2],
    ) -> Result<Vec<Partly>> {
        let mut partly = Vec::new();
        let mut sorted: Vec<(Id, Vec<IndexBlob>)> = packs.into_iter().collect();
        // Packs that are there and not marked come first: a blob in two packs counts for one.
        let is_marked = |id: &Id| self.marked_before.contains_key(id);
        sorted.sort_unstable_by_key(|(id, _)| (!there.contains_key(id), is_marked(id), *id));
        for (id, blobs) in sorted {
            // A blob that occurs in several packs is used in the first only.
            let (mine, unused): (Vec<IndexBlob>, Vec<IndexBlob>) = blobs
                .iter()
                .partition(|blob| used[usize::from(blob.kind == BlobKind::Tree)].remove(&blob.id));
            let unused_bytes = unused.iter().map(|blob| u64::from(blob.length)).sum();
            let pack = IndexPack { id, blobs };
            if !there.contains_key(&id) {
                if !mine.is_empty() {
                    return Err(Error::Missing(Handle::new(FileKind::Pack, id).into()));
                }
                self.index_dirty = true;
            } else if mine.is_empty() {
                self.without_use(pack);
            } else if unused.is_empty() {
                self.stays(pack);
            } else {
                partly.push(Partly {
                    pack,
                    used: mine,
                    unused_bytes,
                });
            }
        }
        Ok(partly)
    }

    /// Deletes a pack now if there is no grace time or it is over.
    fn without_use(&mut self, pack: IndexPack) {
        let since = self.marked_before.get(&pack.id).copied();
        let is_over = |grace| since.is_some_and(|it| self.now.duration_since(it) >= grace);
        if self.grace.is_none_or(is_over) {
            self.remove.push(pack.id);
        } else {
            self.index_dirty |= since.is_none();
            let time = since.unwrap_or(self.now);
            self.marked.push(MarkedPack { pack, time });
        }
    }

    fn stays(&mut self, pack: IndexPack) {
        // One that was marked goes back into the index.
        self.index_dirty |= self.marked_before.contains_key(&pack.id);
        self.keep.push(pack);
    }

    /// Repacks those with the largest unused share until what stays unused is tolerable.
    fn choose_repack(&mut self, mut partly: Vec<Partly>, tolerance: Tolerance) {
        let packs = self
            .keep
            .iter()
            .chain(partly.iter().map(|partly| &partly.pack));
        let total: u64 = packs.map(|pack| pack_size(&pack.blobs)).sum();
        let limit = match tolerance {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a float cast saturates, and a tolerance need not be exact"
            )]
            Tolerance::Percent(percent) => {
                (total as f64 * percent.clamp(0.0, 100.0) / 100.0) as u64
            }
            Tolerance::Bytes(bytes) => bytes,
            Tolerance::Unlimited => u64::MAX,
        };
        // a/b > c/d without division.
        partly.sort_by_key(|partly| partly.pack.id);
        partly.sort_by(|a, b| {
            let (size_a, size_b) = (pack_size(&a.pack.blobs), pack_size(&b.pack.blobs));
            let left = u128::from(a.unused_bytes) * u128::from(size_b);
            (u128::from(b.unused_bytes) * u128::from(size_a)).cmp(&left)
        });
        let mut unused: u64 = partly.iter().map(|partly| partly.unused_bytes).sum();
        for partly in partly {
            if unused > limit {
                unused -= partly.unused_bytes;
                self.bytes_repacked += pack_size(&partly.pack.blobs);
                self.repack.push(partly);
            } else {
                self.stays(partly.pack);
            }
        }
        self.bytes_unused_kept = unused;
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.repack.is_empty() && !self.index_dirty
    }

    /// Packs that leave the index and are deleted by a prune after the grace time.
    pub fn packs_marked(&self) -> usize {
        self.marked.len()
    }

    /// Packs that will be removed, repacked ones not included.
    pub fn packs_to_remove(&self) -> usize {
        self.remove.len()
    }

    /// Packs whose used blobs will be written anew.
    pub fn packs_to_repack(&self) -> usize {
        self.repack.len()
    }
}

/// Everything that snapshots refer to: data, then trees.
fn used_blobs(repository: &IndexedRepository, context: &Context) -> Result<[IdSet; 2]> {
    let mut list = repository.repository().snapshots()?;
    if let Some(error) = list.damaged.pop() {
        return Err(error);
    }
    // Data, then trees.
    let used = Mutex::new([IdSet::default(), IdSet::default()]);
    let lock = || used.lock().unwrap_or_else(PoisonError::into_inner);
    let mut roots: Vec<_> = list.snapshots.iter().map(|it| (it.tree, ())).collect();
    roots.retain(|(id, ())| lock()[1].insert(*id));
    trees::visit(
        repository,
        context,
        roots,
        || (),
        |(), (id, ()), tree| {
            let tree = tree?;
            if let Some(reason) = tree.refused.into_iter().next() {
                let object = Object::looked_for(BlobKind::Tree, id);
                return Err(Error::damaged(object, reason));
            }
            context.progress.add(0, 1);
            let [data, trees] = &mut *lock();
            let mut below = Vec::new();
            for node in tree.nodes {
                data.extend(node.content);
                below.extend(node.subtree.filter(|id| trees.insert(*id)));
            }
            Ok(below.into_iter().map(|id| (id, ())).collect())
        },
    )?;
    let used = used.into_inner().unwrap_or_else(PoisonError::into_inner);
    let index = repository.index();
    let mut data = used[0].iter();
    match data.find(|id| !index.contains(BlobKind::Data, **id)) {
        Some(&id) => Err(Error::Missing(Object::looked_for(BlobKind::Data, id))),
        None => Ok(used),
    }
}
