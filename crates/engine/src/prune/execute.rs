//! Carrying out a plan.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::Context;

use super::{PrunePlan, PruneReport};
use crate::backend::{FileKind, Handle};
use crate::compress::Compression;
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::{IndexFile, IndexPack};
use crate::id::{Id, IdSet};
use crate::repository::Repository;
use crate::store::{BlobStore, IndexTarget, discard};

/// Most blobs per index file.
const INDEX_BLOBS: usize = 40_000;

/// Takes every blob, although the index has it: it is about to lose it.
struct Fresh<'a>(&'a Repository, Mutex<Vec<IndexPack>>);

impl IndexTarget for Fresh<'_> {
    fn repository(&self) -> &Repository {
        self.0
    }

    fn contains(&self, _: BlobKind, _: Id) -> bool {
        false
    }

    fn add(&self, pack: &IndexPack) {
        self.1
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(pack.clone());
    }
}

impl PrunePlan {
    /// Carries out the plan. Stopped or failed at any point, nothing that is needed is lost, and
    /// the next prune finishes the rest.
    pub fn execute(mut self, context: &Context) -> Result<PruneReport> {
        if self.is_empty() {
            return Ok(PruneReport::default());
        }
        let (new_packs, mut new_indexes) = self.repack(context)?;
        // All used blobs of these packs are in new ones by now.
        let removed: Vec<Id> = self
            .remove
            .iter()
            .copied()
            .chain(self.repack.iter().map(|pack| pack.id))
            .collect();
        self.repository.held_lock().ensure_held()?;
        new_indexes.extend(self.write_index()?);
        self.delete(context, removed, &new_indexes, &new_packs)
    }

    /// Writes used blobs anew; returns the new packs and the index files that name them.
    fn repack(&self, context: &Context) -> Result<(Vec<IndexPack>, IdSet)> {
        let fresh = Fresh(self.repository.repository(), Mutex::default());
        let mut indexes = IdSet::default();
        if !self.repack.is_empty() {
            let (uploads, full_packs) = sync_channel(1);
            let full_packs = Mutex::new(full_packs);
            let store = BlobStore::new(&fresh, context, Compression::Auto, true, uploads);
            std::thread::scope(|scope| {
                let uploader = scope.spawn(|| {
                    let result = store.upload(&full_packs);
                    discard(&full_packs);
                    result
                });
                let copied = self
                    .copy_blobs(&store, context)
                    .and_then(|()| store.close());
                store.abandon();
                // What went wrong with an upload says more than that nobody took the pack.
                uploader.join().unwrap_or(Err(Error::Internal)).and(copied)
            })?;
            store.write_index()?;
            indexes.extend(store.indexes_written());
        }
        let packs = fresh.1.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((packs, indexes))
    }

    fn copy_blobs(&self, store: &BlobStore<'_>, context: &Context) -> Result<()> {
        for pack in &self.repack {
            for blob in &pack.blobs {
                if context.cancel.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                let plain = self.repository.read_blob(blob.kind, blob.id)?;
                store.save_with_id(blob.kind, blob.id, &plain)?;
                context.progress.add(u64::from(blob.length), 0);
            }
        }
        Ok(())
    }

    /// Writes index files for the packs that stay.
    fn write_index(&mut self) -> Result<Vec<Id>> {
        let mut written = Vec::new();
        let mut packs = std::mem::take(&mut self.keep).into_iter().peekable();
        while packs.peek().is_some() {
            let mut file = IndexFile::default();
            let mut blobs = 0;
            while let Some(pack) = packs.next_if(|_| blobs < INDEX_BLOBS) {
                blobs += pack.blobs.len();
                file.packs.push(pack);
            }
            written.push(
                self.repository
                    .repository()
                    .write_json(FileKind::Index, &file)?,
            );
        }
        Ok(written)
    }

    fn delete(
        &self,
        context: &Context,
        removed: Vec<Id>,
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
        for &id in &removed {
            self.repository.held_lock().ensure_held()?;
            repository.delete(Handle::new(FileKind::Pack, id))?;
            context.progress.add(0, 1);
        }
        let new_bytes: u64 = new_packs
            .iter()
            .map(|pack| crate::format::pack::pack_size(&pack.blobs))
            .sum();
        Ok(PruneReport {
            packs_removed: removed.len() as u64,
            packs_repacked: self.repack.len() as u64,
            bytes_freed: (self.bytes_removed + self.bytes_repacked).saturating_sub(new_bytes),
        })
    }
}
