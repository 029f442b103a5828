//! Storing blobs that were read from a repository: for prune, repair and copy.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::Context;

use crate::compress::Compression;
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::IndexPack;
use crate::id::Id;
use crate::repository::Repository;
use crate::store::{BlobStore, IndexTarget, discard};

/// A target that takes every blob, although the index has it: the index is about to lose it.
pub(crate) struct Fresh<'a> {
    repository: &'a Repository,
    packs: Mutex<Vec<IndexPack>>,
}

impl<'a> Fresh<'a> {
    pub(crate) fn new(repository: &'a Repository) -> Self {
        let packs = Mutex::default();
        Self { repository, packs }
    }

    /// The packs that were written.
    pub(crate) fn into_packs(self) -> Vec<IndexPack> {
        self.packs
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexTarget for Fresh<'_> {
    fn repository(&self) -> &Repository {
        self.repository
    }

    fn contains(&self, _: BlobKind, _: Id) -> bool {
        false
    }

    fn add(&self, pack: &IndexPack) {
        self.packs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(pack.clone());
    }
}

/// Gives `work` a store; what it has put there is durable and in index files when this returns.
/// Gives its result and the ids of these files. Also after a failure an index names what is
/// durable by then, so that whoever tries again finds it.
pub(crate) fn with_store<T>(
    target: &dyn IndexTarget,
    context: &Context,
    work: impl FnOnce(&BlobStore<'_>) -> Result<T>,
) -> Result<(T, Vec<Id>)> {
    let (uploads, full_packs) = sync_channel(1);
    let full_packs = Mutex::new(full_packs);
    let store = BlobStore::new(target, context, Compression::Auto, true, uploads);
    let done = std::thread::scope(|scope| {
        let uploader = scope.spawn(|| {
            let result = store.upload(&full_packs);
            discard(&full_packs);
            result
        });
        let done = work(&store).and_then(|value| store.close().map(|()| value));
        store.abandon();
        // What went wrong with an upload says more than that nobody took the pack.
        uploader.join().unwrap_or(Err(Error::Internal)).and(done)
    });
    let written = store.write_index();
    let value = done?;
    written?;
    Ok((value, store.indexes_written()))
}
