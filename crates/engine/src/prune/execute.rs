//! Carrying out a plan.

use std::sync::PoisonError;

use strongroom_domain::tree::Context;

use super::{Partly, PrunePlan, PruneReport};
use crate::backend::{FileKind, Handle};
use crate::budget;
use crate::error::{Error, Result};
use crate::format::index::IndexPack;
use crate::id::IdSet;
use crate::packs::write_index;
use crate::parallel;
use crate::pieces::PackReader;
use crate::rewrite::{Fresh, with_store};
use crate::store::BlobStore;

/// Packs removed before the lock is looked at again; S3 takes up to 1,000 in a request.
const DELETED_AT_ONCE: usize = 500;

impl PrunePlan {
    /// Carries out the plan. Stopped or failed at any point, nothing that is needed is lost, and
    /// the next prune finishes the rest.
    pub fn execute(mut self, context: &Context) -> Result<PruneReport> {
        if self.is_empty() {
            return Ok(PruneReport {
                temporary_files_removed: self.remove_stale()?,
                ..PruneReport::default()
            });
        }
        self.carry_out(context)
    }

    pub(super) fn carry_out(&mut self, context: &Context) -> Result<PruneReport> {
        context.progress.total(self.bytes_repacked, 0);
        let (new_packs, mut new_indexes) = self.repack(context)?;
        // All used blobs of these packs are in new ones by now.
        for Partly { pack, .. } in std::mem::take(&mut self.repack) {
            self.packs_repacked += 1;
            self.without_use(pack);
        }
        self.repository.held_lock().ensure_held()?;
        let (keep, marked) = (
            std::mem::take(&mut self.keep),
            std::mem::take(&mut self.marked),
        );
        let repository = self.repository.repository();
        new_indexes.extend(write_index(repository, keep, marked)?);
        self.delete(context, &new_indexes, &new_packs)
    }

    /// Writes used blobs anew; returns the new packs and the index files that name them.
    fn repack(&self, context: &Context) -> Result<(Vec<IndexPack>, IdSet)> {
        if self.repack.is_empty() {
            return Ok((Vec::new(), IdSet::default()));
        }
        let fresh = Fresh::new(self.repository.repository());
        let ((), indexes) = with_store(&fresh, context, |store| self.copy_blobs(store, context))?;
        Ok((fresh.into_packs(), indexes.into_iter().collect()))
    }

    /// Copies what is used as it is stored, after it was proven.
    fn copy_blobs(&self, store: &BlobStore<'_>, context: &Context) -> Result<()> {
        let reader = || PackReader::new(&self.repository, context.limits).keep_sealed();
        let memory = budget::PIECES_AND_COPIES;
        parallel::each(context, memory, &self.repack, reader, |reader, partly| {
            let Partly { pack, used, .. } = partly;
            reader.read(
                pack.id,
                used,
                |blob| blob,
                |blobs, content| {
                    let blob = blobs[0];
                    let content = match (content, &self.salvage) {
                        (Err(error), Some(lost)) => {
                            lost.lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .push(error);
                            return Ok(());
                        }
                        (content, _) => content?,
                    };
                    if context.cancel.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    context.progress.add(u64::from(blob.length), 0);
                    match content.sealed {
                        Some(sealed) => store.save_sealed(blob, sealed),
                        None => store.save_with_id(blob.kind, blob.id, content.plain),
                    }
                },
            )
        })
    }

    fn delete(
        &self,
        context: &Context,
        new_indexes: &IdSet,
        new_packs: &[IndexPack],
    ) -> Result<PruneReport> {
        let repository = self.repository.repository();
        for &id in self
            .old_indexes
            .iter()
            .filter(|id| !new_indexes.contains(*id))
        {
            self.repository.held_lock().ensure_held()?;
            repository.delete(Handle::new(FileKind::Index, id))?;
        }
        for ids in self.remove.chunks(DELETED_AT_ONCE) {
            if context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.repository.held_lock().ensure_held()?;
            repository.delete_many(FileKind::Pack, ids)?;
            context.progress.add(0, ids.len() as u64);
        }
        let new_bytes: u64 = new_packs
            .iter()
            .map(|pack| crate::format::pack::pack_size(&pack.blobs))
            .sum();
        // What was repacked is gone only if there is no grace time.
        let repacked = if self.grace.is_some() {
            0
        } else {
            self.bytes_repacked
        };
        Ok(PruneReport {
            temporary_files_removed: self.remove_stale()?,
            packs_removed: self.remove.len() as u64,
            packs_repacked: self.packs_repacked,
            bytes_freed: (self.bytes_removed + repacked).saturating_sub(new_bytes),
        })
    }

    fn remove_stale(&self) -> Result<u64> {
        let backend = self.repository.repository().backend();
        let removed = backend.remove_stale(self.now);
        removed.map_err(|source| Error::Storage {
            action: "clean",
            object: "temporary files".to_owned(),
            source,
        })
    }
}
