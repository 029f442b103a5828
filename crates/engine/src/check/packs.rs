//! Reading whole packs and proving every byte of them.

use std::sync::{Mutex, PoisonError};

use super::{Check, ReadData};
use crate::backend::{FileKind, Handle};
use crate::crypto::OVERHEAD;
use crate::error::{Error, Result};
use crate::format::index::IndexBlob;
use crate::format::pack::{LENGTH_FIELD, MAX_HEADER, pack_size, parse_header};
use crate::id::{Id, IdMap};
use crate::parallel;
use crate::read::{Scratch, into_mut};
use crate::repository::Repository;

impl ReadData {
    fn includes(self, pack: Id) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Subset { part, of } => {
                let [first, ..] = *pack.as_bytes();
                u32::from(first) % of.clamp(1, 256) == part.saturating_sub(1)
            }
            Self::Sample { per_million, seed } => {
                // The finaliser of SplitMix64: every seed chooses others.
                let mut mixed = pack.prefix() ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                mixed % 1_000_000 < u64::from(per_million)
            }
        }
    }
}

impl Check<'_> {
    pub(super) fn read_packs(
        &mut self,
        packs: &IdMap<Vec<IndexBlob>>,
        read_data: ReadData,
    ) -> Result<()> {
        let mut chosen: Vec<_> = packs
            .iter()
            .filter(|(id, _)| read_data.includes(**id))
            .collect();
        chosen.sort_unstable_by_key(|(id, _)| **id);
        let sizes = chosen.iter().map(|(_, blobs)| pack_size(blobs));
        self.context.progress.total(sizes.sum(), 0);
        let found = Mutex::new(Vec::new());
        let (repository, context) = (self.repository, self.context);
        parallel::each(
            context,
            &chosen,
            Scratch::default,
            |scratch, (id, blobs)| {
                let mut errors = Vec::new();
                let length = read_pack(repository, (**id, blobs), scratch, &mut errors);
                context.progress.add(length, 0);
                for error in errors {
                    match error {
                        // A pack that is missing was noted when the packs were listed.
                        Error::Missing(_) => {}
                        error if error.is_damage() => found
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(error),
                        error => return Err(error),
                    }
                }
                Ok(())
            },
        )?;
        self.report.packs_read = chosen.len() as u64;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.report.errors.extend(found);
        Ok(())
    }
}

/// Reads a pack; returns its length.
fn read_pack(
    repository: &Repository,
    (id, blobs): (Id, &[IndexBlob]),
    scratch: &mut Scratch,
    errors: &mut Vec<Error>,
) -> u64 {
    let handle = Handle::new(FileKind::Pack, id);
    let pack = match repository.backend().get(handle) {
        Ok(pack) => pack,
        Err(error) => {
            errors.push(Error::storage("read", handle, error));
            return 0;
        }
    };
    if Id::of(&pack) != id {
        errors.push(Error::damaged(
            handle,
            "content does not have the hash it is named by",
        ));
    }
    match header(repository, handle, &pack) {
        Ok(mut listed) => {
            listed.sort_by_key(|blob| (blob.offset, blob.id));
            if listed != blobs {
                errors.push(Error::damaged(handle, "header disagrees with the index"));
            }
        }
        Err(error) => errors.push(error),
    }
    let length = pack.len() as u64;
    let mut pack = into_mut(pack);
    for blob in blobs {
        let range = blob.offset as usize..blob.offset as usize + blob.length as usize;
        let decoded = match pack.get_mut(range) {
            Some(stored) => repository
                .decode_in_place(id, blob, stored, scratch)
                .map(drop),
            None => Err(Error::damaged(
                handle,
                format!("ends before blob {}", blob.id),
            )),
        };
        errors.extend(decoded.err());
    }
    length
}

/// The blobs that a pack itself lists.
pub(crate) fn header(
    repository: &Repository,
    handle: Handle,
    pack: &[u8],
) -> Result<Vec<IndexBlob>> {
    let damaged = |reason: &str| Error::damaged(handle, reason);
    let (rest, length) = pack
        .split_last_chunk::<LENGTH_FIELD>()
        .ok_or_else(|| damaged("shorter than any pack"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if !(OVERHEAD..=MAX_HEADER).contains(&length) || length > rest.len() {
        return Err(damaged("header has an impossible length"));
    }
    let header = repository.cipher().open(&rest[rest.len() - length..]);
    let header = header.map_err(|error| Error::damaged(handle, format!("header: {error}")))?;
    parse_header(&header).map_err(|error| Error::damaged(handle, error))
}
