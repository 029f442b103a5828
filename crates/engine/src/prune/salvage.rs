//! Repacking chosen packs whatever is whole in them: the repair of packs.

use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::Context;

use super::{Partly, PrunePlan, PruneReport};
use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::index::IndexPack;
use crate::id::{Id, IdMap};
use crate::lock::Lock;
use crate::packs::PackList;
use crate::repository::Repository;

impl PrunePlan {
    /// Repacks these packs and keeps all others.
    pub(crate) fn salvage(
        repository: &Repository,
        lock: Lock,
        list: PackList,
        ids: &[Id],
    ) -> Result<Self> {
        let now = repository.clock().now();
        let mut plan = Self {
            repository: repository.clone().with_index(lock, list.index, Vec::new()),
            keep: Vec::new(),
            repack: Vec::new(),
            remove: Vec::new(),
            marked: Vec::new(),
            marked_before: IdMap::default(),
            grace: None,
            now,
            old_indexes: list.files,
            index_dirty: false,
            packs_repacked: 0,
            salvage: Some(Mutex::default()),
            bytes_before: 0,
            bytes_removed: 0,
            bytes_repacked: 0,
            bytes_unused_kept: 0,
        };
        if let Some(id) = ids.iter().find(|id| !list.packs.contains_key(*id)) {
            return Err(Error::Missing(Handle::new(FileKind::Pack, *id).into()));
        }
        for (id, blobs) in list.packs {
            let pack = IndexPack { id, blobs };
            if ids.contains(&id) {
                let (used, unused_bytes) = (pack.blobs.clone(), 0);
                plan.repack.push(Partly {
                    pack,
                    used,
                    unused_bytes,
                });
            } else {
                plan.keep.push(pack);
            }
        }
        Ok(plan)
    }

    /// Carries it out; gives also what is lost.
    pub(crate) fn execute_salvage(
        mut self,
        context: &Context,
    ) -> Result<(PruneReport, Vec<Error>)> {
        let report = self.carry_out(context)?;
        let lost = self.salvage.take().map(Mutex::into_inner);
        let lost = lost.map(|lost| lost.unwrap_or_else(PoisonError::into_inner));
        Ok((report, lost.unwrap_or_default()))
    }
}
