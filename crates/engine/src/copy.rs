//! Copying snapshots to another repository, which has another key.

use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::Context;

use crate::backend::FileKind;
use crate::budget;
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::index::IndexBlob;
use crate::format::snapshot::Snapshot;
use crate::id::{Id, IdMap, IdSet, SnapshotId};
use crate::parallel;
use crate::pieces::{PackReader, by_place};
use crate::repository::IndexedRepository;
use crate::rewrite::with_store;
use crate::trees;

/// What a copy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The snapshot in the other repository.
    pub id: SnapshotId,
    /// Blobs that were not there before.
    pub blobs: u64,
    /// Their size as stored in this repository.
    pub bytes: u64,
}

impl IndexedRepository {
    /// Copies a snapshot with everything it needs. Each blob is proven before it is stored anew,
    /// and one that is damaged fails the copy: what was copied so far is found again.
    ///
    /// Unless both cut content in the same places ([`InitOptions::chunker_of`]), later backups to the
    /// other will not find what was copied.
    ///
    /// [`InitOptions::chunker_of`]: crate::InitOptions::chunker_of
    pub fn copy(&self, snapshot: &Snapshot, to: &Self, context: &Context) -> Result<Copied> {
        let wanted = self.wanted(snapshot, to, context)?;
        let packs = self.places(&wanted)?;
        let sizes = packs.iter().flat_map(|(_, blobs)| blobs);
        let bytes = sizes.map(|blob| u64::from(blob.length)).sum();
        context.progress.total(bytes, wanted.len() as u64);
        with_store(to, context, |store| {
            let reader = || PackReader::new(self, context.limits);
            parallel::each(
                context,
                budget::PIECES,
                &packs,
                reader,
                |reader, (pack, blobs)| {
                    reader.read(
                        *pack,
                        blobs,
                        |blob| blob,
                        |blobs, content| {
                            if context.cancel.is_cancelled() {
                                return Err(Error::Cancelled);
                            }
                            let (blob, content) = (blobs[0], content?);
                            context.progress.add(u64::from(blob.length), 1);
                            store.save_with_id(blob.kind, blob.id, content.plain)
                        },
                    )
                },
            )
        })?;
        to.held_lock().ensure_held()?;
        let mut copy = snapshot.clone();
        copy.original = copy.original.or(Some(snapshot.id));
        // A parent is a snapshot of the same repository.
        copy.parent = None;
        let id = to.repository().write_json(FileKind::Snapshot, &copy)?;
        let blobs = wanted.len() as u64;
        Ok(Copied { id, blobs, bytes })
    }

    /// The blobs of a snapshot that `to` does not have.
    fn wanted(
        &self,
        snapshot: &Snapshot,
        to: &Self,
        context: &Context,
    ) -> Result<Vec<(BlobKind, Id)>> {
        let seen = Mutex::new([IdSet::default(), IdSet::default()]);
        let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        lock()[1].insert(snapshot.tree);
        let roots = vec![(snapshot.tree, ())];
        trees::visit(
            self,
            context,
            roots,
            || (),
            |(), (id, ()), tree| {
                let tree = tree?;
                if let Some(reason) = tree.refused.first() {
                    return Err(Error::damaged(
                        Object::looked_for(BlobKind::Tree, id),
                        reason,
                    ));
                }
                let [data, trees] = &mut *lock();
                let mut below = Vec::new();
                for node in tree.nodes {
                    data.extend(node.content);
                    below.extend(node.subtree.filter(|id| trees.insert(*id)));
                }
                Ok(below.into_iter().map(|id| (id, ())).collect())
            },
        )?;
        let [data, trees] = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let data = data.into_iter().map(|id| (BlobKind::Data, id));
        let all = data.chain(trees.into_iter().map(|id| (BlobKind::Tree, id)));
        let index = to.index();
        Ok(all
            .filter(|(kind, id)| !index.contains(*kind, *id))
            .collect())
    }

    /// Where blobs are, pack by pack.
    fn places(&self, blobs: &[(BlobKind, Id)]) -> Result<Vec<(Id, Vec<IndexBlob>)>> {
        let mut packs: IdMap<Vec<IndexBlob>> = IdMap::default();
        let index = self.index();
        for &(kind, id) in blobs {
            let missing = || Error::Missing(Object::looked_for(kind, id));
            let location = index.get(kind, id).ok_or_else(missing)?;
            packs.entry(location.pack).or_default().push(location.blob);
        }
        let mut packs: Vec<_> = packs.into_iter().collect();
        packs.sort_unstable_by_key(|(id, _)| *id);
        for (_, blobs) in &mut packs {
            blobs.sort_by_key(by_place);
        }
        Ok(packs)
    }
}
