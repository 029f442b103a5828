//! The index in memory: where every blob is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::{IndexBlob, IndexFile, IndexPack};
use crate::id::{Id, IdMap};
use crate::repository::Repository;

/// Where a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) pack: Id,
    pub(crate) blob: IndexBlob,
}

/// As in [`IndexBlob`], with the pack as a number into the list of packs.
#[derive(Debug, Clone, Copy)]
struct Slot {
    pack: u32,
    offset: u32,
    length: u32,
    uncompressed_length: u32,
}

/// Blobs by kind and id.
#[derive(Debug, Default)]
pub(crate) struct Index {
    packs: Vec<Id>,
    data: IdMap<Slot>,
    trees: IdMap<Slot>,
    /// Further places of blobs that are stored more than once.
    more: IdMap<Vec<(BlobKind, Slot)>>,
}

impl Index {
    /// Reads all index files; returns also one error for each that is damaged, whose blobs are as
    /// good as not stored.
    pub(crate) fn load(repository: &Repository, context: &Context) -> Result<(Self, Vec<Error>)> {
        let mut index = Self::default();
        let mut damaged = Vec::new();
        load_files(repository, context, |_, file| match file {
            Ok(file) => file.packs.iter().for_each(|pack| index.add(pack)),
            Err(error) => damaged.push(error),
        })?;
        Ok((index, damaged))
    }

    /// Adds the blobs of a pack.
    pub(crate) fn add(&mut self, pack: &IndexPack) {
        let number =
            u32::try_from(self.packs.len()).expect("a repository has fewer than 2^32 packs");
        self.packs.push(pack.id);
        for blob in &pack.blobs {
            let slot = Slot {
                pack: number,
                offset: blob.offset,
                length: blob.length,
                uncompressed_length: blob.uncompressed_length,
            };
            let map = match blob.kind {
                BlobKind::Data => &mut self.data,
                BlobKind::Tree => &mut self.trees,
            };
            if let std::collections::hash_map::Entry::Vacant(entry) = map.entry(blob.id) {
                entry.insert(slot);
            } else {
                self.more
                    .entry(blob.id)
                    .or_default()
                    .push((blob.kind, slot));
            }
        }
    }

    fn map(&self, kind: BlobKind) -> &IdMap<Slot> {
        match kind {
            BlobKind::Data => &self.data,
            BlobKind::Tree => &self.trees,
        }
    }

    pub(crate) fn contains(&self, kind: BlobKind, id: Id) -> bool {
        self.map(kind).contains_key(&id)
    }

    /// The first known place of a blob.
    pub(crate) fn get(&self, kind: BlobKind, id: Id) -> Option<Location> {
        self.map(kind)
            .get(&id)
            .map(|slot| self.location(kind, id, *slot))
    }

    /// All known places of a blob.
    pub(crate) fn get_all(&self, kind: BlobKind, id: Id) -> Vec<Location> {
        let first = self.map(kind).get(&id).copied();
        let more = self.more.get(&id).into_iter().flatten();
        let more = more
            .filter(|(other, _)| *other == kind)
            .map(|(_, slot)| *slot);
        first
            .into_iter()
            .chain(more)
            .map(|slot| self.location(kind, id, slot))
            .collect()
    }

    fn location(&self, kind: BlobKind, id: Id, slot: Slot) -> Location {
        let Slot {
            pack,
            offset,
            length,
            uncompressed_length,
        } = slot;
        let pack = self.packs[pack as usize];
        Location {
            pack,
            blob: IndexBlob {
                id,
                kind,
                offset,
                length,
                uncompressed_length,
            },
        }
    }
}

/// Reads all index files, several at a time. Damage is given to `each`; other errors end it.
pub(crate) fn load_files(
    repository: &Repository,
    context: &Context,
    mut each: impl FnMut(Id, Result<IndexFile>),
) -> Result<()> {
    let listed = repository.list(FileKind::Index)?;
    let threads = context.limits.threads.max(1).min(listed.len());
    let next = AtomicUsize::new(0);
    let (files, read) = sync_channel(threads);
    let work = |files: SyncSender<(Id, Result<IndexFile>)>| {
        while let Some(file) = listed.get(next.fetch_add(1, Ordering::Relaxed)) {
            let read = repository.read_json(Handle::new(FileKind::Index, file.id));
            // Nobody takes it once another file has failed.
            if files.send((file.id, read)).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let files = files.clone();
            scope.spawn(|| work(files));
        }
        drop(files);
        for (id, file) in read {
            if context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            match file {
                // Rewritten since it was listed: the new one is read by whoever lists again.
                Err(Error::Missing(_)) => {}
                Err(error) if !error.is_damage() => return Err(error),
                file => each(id, file),
            }
        }
        Ok(())
    })
}
