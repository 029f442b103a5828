//! Making a damaged repository usable again, with what is left of it.
//!
//! In this order: [`Repository::repair_index`] finds again what is stored,
//! [`Repository::repair_packs`] saves what is whole in damaged packs, a new backup stores what is
//! lost and still at its source, and [`Repository::repair_snapshots`] cuts what stays lost out of
//! the snapshots.

mod snapshots;

use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::check::packs::header;
use crate::crypto::OVERHEAD;
use crate::error::{Error, Result};
use crate::format::index::{IndexBlob, IndexPack};
use crate::format::pack::{LENGTH_FIELD, MAX_HEADER, pack_size};
use crate::id::{Id, IdSet};
use crate::lock::LockMode;
use crate::packs::{PackList, write_index};
use crate::parallel;
use crate::prune::PrunePlan;
use crate::repository::Repository;

pub use snapshots::{RepairedSnapshot, SnapshotRepair};

/// What a repair of the index did.
#[derive(Debug, Default)]
pub struct IndexRepair {
    /// Packs that the index has now and did not have before, or had wrong.
    pub packs_added: u64,
    /// Packs that are missing and that the index named before.
    pub packs_dropped: Vec<Id>,
    /// Packs that cannot be read, and index files that could not be read. A pack stays in the
    /// index if that described it; otherwise it is left out.
    pub damaged: Vec<Error>,
}

/// What a repair of packs did.
#[derive(Debug, Default)]
pub struct PackRepair {
    /// Packs that were replaced by what was whole in them.
    pub packs: u64,
    /// Blobs that are lost.
    pub lost: Vec<Error>,
}

impl Repository {
    /// Writes the index anew from what is stored: packs that the index does not have, or has
    /// wrong, are asked for their own lists, all packs if `read_all`. Needs the repository alone.
    pub fn repair_index(&self, read_all: bool, context: &Context) -> Result<IndexRepair> {
        let repository = &self.with_cancel(context);
        let lock = repository.lock(LockMode::Exclusive)?;
        let mut list = PackList::load(repository, context)?;
        list.take_marked();
        let mut keep = Vec::new();
        let mut unknown = Vec::new();
        // Of packs that index files disagree about neither is believed.
        let trusted = list.errors.is_empty() && !read_all;
        for listed in repository.list(FileKind::Pack)? {
            match list.packs.remove(&listed.id) {
                Some(blobs) if trusted && pack_size(&blobs) == listed.size => {
                    keep.push(IndexPack {
                        id: listed.id,
                        blobs,
                    });
                }
                known => unknown.push((listed.id, listed.size, known)),
            }
        }
        let disputed = list.disputed;
        let mut report = IndexRepair {
            packs_dropped: list.packs.into_keys().collect(),
            damaged: list.errors,
            ..IndexRepair::default()
        };
        report.packs_dropped.sort_unstable();
        let found = Mutex::new((keep, report));
        context.progress.total(0, unknown.len() as u64);
        parallel::each(
            context,
            MAX_HEADER as u64,
            &unknown,
            || (),
            |(), (id, size, known)| {
                let read = repository.read_pack_header(*id, *size);
                context.progress.add(0, 1);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                let (keep, report) = &mut *found;
                match read {
                    Ok(blobs) => {
                        report.packs_added += u64::from(known.as_ref() != Some(&blobs));
                        keep.push(IndexPack { id: *id, blobs });
                    }
                    Err(error) if error.is_damage() => {
                        report.damaged.push(error);
                        // Only its list is lost, which the index has too.
                        let known = known.as_ref().filter(|blobs| pack_size(blobs) == *size);
                        if let Some(blobs) = known.filter(|_| !disputed.contains(id)) {
                            let blobs = blobs.clone();
                            keep.push(IndexPack { id: *id, blobs });
                        }
                    }
                    Err(error) => return Err(error),
                }
                Ok(())
            },
        )?;
        let (keep, report) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        lock.ensure_held()?;
        let written = write_index(repository, keep, Vec::new())?;
        lock.ensure_held()?;
        repository.delete_other_indexes(&written)?;
        Ok(report)
    }

    /// Also those that cannot be read: everything they could name was found.
    fn delete_other_indexes(&self, keep: &[Id]) -> Result<()> {
        let keep: IdSet = keep.iter().copied().collect();
        for listed in self.list(FileKind::Index)? {
            if !keep.contains(&listed.id) {
                self.delete(Handle::new(FileKind::Index, listed.id))?;
            }
        }
        Ok(())
    }

    /// The blobs that a pack of this size lists itself, in the order in which they lie.
    fn read_pack_header(&self, id: Id, size: u64) -> Result<Vec<IndexBlob>> {
        let handle = Handle::new(FileKind::Pack, id);
        let read = |length: usize| {
            let from = size.saturating_sub(length as u64);
            let stored = self.backend().get_range(handle, from, length);
            stored.map_err(|error| {
                if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    Error::damaged(handle, "shorter than it was listed")
                } else {
                    Error::storage("read", handle, error)
                }
            })
        };
        let shortest = OVERHEAD + LENGTH_FIELD;
        if size < shortest as u64 {
            return Err(Error::damaged(handle, "shorter than any pack"));
        }
        let field = read(LENGTH_FIELD)?;
        let length = field
            .iter()
            .rev()
            .fold(0, |all, &byte| all << 8 | usize::from(byte));
        if length > MAX_HEADER || (length + LENGTH_FIELD) as u64 > size {
            return Err(Error::damaged(handle, "header has an impossible length"));
        }
        let blobs = header(self, handle, &read(length + LENGTH_FIELD)?)?;
        if pack_size(&blobs) != size {
            return Err(Error::damaged(
                handle,
                "header lists less or more than there is",
            ));
        }
        Ok(blobs)
    }

    /// Stores what is whole in these packs anew and deletes the packs. What was in them and is not
    /// whole is lost, unless a later backup stores it again. Needs the repository alone.
    pub fn repair_packs(&self, ids: &[Id], context: &Context) -> Result<PackRepair> {
        let repository = self.with_cancel(context);
        let lock = repository.lock(LockMode::Exclusive)?;
        let mut list = PackList::load(&repository, context)?;
        if let Some(error) = list.errors.pop() {
            return Err(error);
        }
        list.take_marked();
        let plan = PrunePlan::salvage(&repository, lock, list, ids)?;
        let (report, lost) = plan.execute_salvage(context)?;
        Ok(PackRepair {
            packs: report.packs_repacked,
            lost,
        })
    }
}
