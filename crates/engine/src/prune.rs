//! Giving back the room of data that no snapshot needs any more: first a plan, then its execution.
//!
//! Both happen under one exclusive lock. New packs are durable before the new index, the new index
//! before old index files go, and these before old packs: whenever it stops, everything that a
//! snapshot needs is there and found.

mod execute;

use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::{IndexBlob, IndexPack};
use crate::format::pack::pack_size;
use crate::id::{Id, IdMap, IdSet};
use crate::index::load_files;
use crate::lock::LockMode;
use crate::repository::{IndexedRepository, Repository};

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
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self {
            tolerance: Tolerance::Percent(5.0),
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
    repack: Vec<IndexPack>,
    /// Packs without use, and packs that no index names.
    remove: Vec<Id>,
    old_indexes: Vec<Id>,
    /// Whether index files name packs that are gone or repeat themselves.
    index_dirty: bool,
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
    /// Bytes by which packs became smaller.
    pub bytes_freed: u64,
}

impl Repository {
    /// Finds out what no snapshot needs. Needs the repository alone. Fails if anything is damaged
    /// that says what is needed.
    pub fn plan_prune(&self, options: &PruneOptions, context: &Context) -> Result<PrunePlan> {
        let lock = self.lock(LockMode::Exclusive)?;
        let repository = self.clone().load_index(lock, context)?;
        let used = used_blobs(&repository, context)?;
        let (old_indexes, packs, repeated) = indexed_packs(self, context)?;
        let there: IdMap<u64> = self
            .list(FileKind::Pack)?
            .into_iter()
            .map(|pack| (pack.id, pack.size))
            .collect();
        let mut plan = PrunePlan {
            repository,
            keep: Vec::new(),
            repack: Vec::new(),
            remove: Vec::new(),
            old_indexes,
            index_dirty: repeated,
            bytes_before: there.values().sum(),
            bytes_removed: 0,
            bytes_repacked: 0,
            bytes_unused_kept: 0,
        };
        plan.remove
            .extend(there.keys().filter(|id| !packs.contains_key(*id)));
        let partly = plan.sort_packs(packs, &there, used)?;
        plan.choose_repack(partly, options.tolerance);
        let size = |id: &Id| there.get(id).copied().unwrap_or(0);
        plan.bytes_removed = plan.remove.iter().map(size).sum();
        Ok(plan)
    }
}

/// A pack in which some blobs are used and some are not.
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
        sorted.sort_unstable_by_key(|(id, _)| *id);
        // Packs that are there come first, so that a blob in two packs counts for one that is.
        sorted.sort_by_key(|(id, _)| !there.contains_key(id));
        for (id, blobs) in sorted {
            // A blob that occurs in several packs is used in the first only.
            let (mine, unused): (Vec<IndexBlob>, Vec<IndexBlob>) = blobs
                .iter()
                .partition(|blob| used[usize::from(blob.kind == BlobKind::Tree)].remove(&blob.id));
            let unused_bytes = unused.iter().map(|blob| u64::from(blob.length)).sum();
            if !there.contains_key(&id) {
                if !mine.is_empty() {
                    return Err(Error::Missing(Handle::new(FileKind::Pack, id).into()));
                }
                self.index_dirty = true;
            } else if mine.is_empty() {
                self.remove.push(id);
            } else if unused.is_empty() {
                self.keep.push(IndexPack { id, blobs });
            } else {
                partly.push(Partly {
                    pack: IndexPack { id, blobs },
                    used: mine,
                    unused_bytes,
                });
            }
        }
        Ok(partly)
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
                self.repack.push(IndexPack {
                    id: partly.pack.id,
                    blobs: partly.used,
                });
            } else {
                self.keep.push(partly.pack);
            }
        }
        self.bytes_unused_kept = unused;
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.repack.is_empty() && !self.index_dirty
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
    let (mut data, mut trees) = (IdSet::default(), IdSet::default());
    let mut to_read: Vec<Id> = list
        .snapshots
        .iter()
        .map(|snapshot| snapshot.tree)
        .collect();
    while let Some(id) = to_read.pop() {
        if context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if !trees.insert(id) {
            continue;
        }
        let tree = repository.read_tree(id)?;
        if let Some(reason) = tree.refused.into_iter().next() {
            let object = crate::error::Object::Blob {
                kind: BlobKind::Tree,
                id,
                pack: None,
            };
            return Err(Error::damaged(object, reason));
        }
        for node in tree.nodes {
            to_read.extend(node.subtree);
            data.extend(node.content);
        }
        context.progress.add(0, 1);
    }
    let index = repository.index();
    match data.iter().find(|id| !index.contains(BlobKind::Data, **id)) {
        Some(&id) => Err(Error::Missing(crate::error::Object::Blob {
            kind: BlobKind::Data,
            id,
            pack: None,
        })),
        None => Ok([data, trees]),
    }
}

/// Index files, the packs in them, and whether any pack is in more than one.
fn indexed_packs(
    repository: &Repository,
    context: &Context,
) -> Result<(Vec<Id>, IdMap<Vec<IndexBlob>>, bool)> {
    let mut files = Vec::new();
    let mut packs = IdMap::default();
    let mut repeated = false;
    let mut damaged = None;
    load_files(repository, context, |id, file| match file {
        Ok(file) => {
            files.push(id);
            for pack in file.packs {
                repeated |= packs.insert(pack.id, pack.blobs).is_some();
            }
        }
        Err(error) => damaged = Some(error),
    })?;
    damaged.map_or(Ok((files, packs, repeated)), Err)
}
