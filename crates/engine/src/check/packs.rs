//! Reading whole packs and proving every byte of them.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use strongroom_domain::tree::{Context, Limits};

use super::{Check, ReadData};
use crate::backend::{FileKind, Handle};
use crate::budget::{self, PLAINTEXTS};
use crate::crypto::OVERHEAD;
use crate::error::{Error, Result};
use crate::format::index::IndexBlob;
use crate::format::pack::{LENGTH_FIELD, MAX_HEADER, pack_size, parse_header};
use crate::hash;
use crate::id::{Id, IdMap};
use crate::parallel;
use crate::read::{Decoder, into_mut};
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
            .filter(|(id, _)| read_data.includes(**id) && !self.resized.contains(*id))
            .collect();
        chosen.sort_unstable_by_key(|(id, _)| **id);
        let sizes = || chosen.iter().map(|(_, blobs)| pack_size(blobs));
        self.context.progress.total(sizes().sum(), 0);
        let largest = sizes().max().unwrap_or(0);
        let found = Mutex::new(Vec::new());
        let (repository, context) = (self.repository, self.context);
        let at_once = packs_at_once(context.limits, largest, chosen.len());
        let memory = largest.saturating_mul(at_once as u64) + PLAINTEXTS;
        let groups: Vec<_> = chosen.chunks(at_once).collect();
        let reader = || Reader {
            repository,
            context,
            decoder: Decoder::default(),
        };
        parallel::each(context, memory, &groups, reader, |reader, group| {
            for error in reader.packs(group)? {
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
        })?;
        self.report.packs_read = chosen.len() as u64;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.report.errors.extend(found);
        Ok(())
    }
}

/// Packs that a thread reads together to hash them together: few if there is little memory, or so
/// few packs that the other threads would be left without.
fn packs_at_once(limits: Limits, largest: u64, packs: usize) -> usize {
    let threads = budget::threads(limits, largest.saturating_add(PLAINTEXTS));
    let room = (limits.memory_bytes / threads as u64).saturating_sub(PLAINTEXTS) / largest.max(1);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let share = packs / (4 * threads);
    hash::LANES.min(room).min(share).max(1)
}

/// Reads packs for one thread.
struct Reader<'a> {
    repository: &'a Repository,
    context: &'a Context,
    decoder: Decoder,
}

impl Reader<'_> {
    /// Reads packs and proves them; gives what is wrong with them.
    fn packs(&mut self, packs: &[(&Id, &Vec<IndexBlob>)]) -> Result<Vec<Error>> {
        let mut errors = Vec::new();
        let mut read = Vec::with_capacity(packs.len());
        for (id, blobs) in packs {
            self.go_on()?;
            let handle = Handle::new(FileKind::Pack, **id);
            let backend = self.repository.backend();
            match backend.get_within(handle, pack_size(blobs)) {
                Ok(pack) => read.push((handle, *blobs, pack)),
                Err(error) => errors.push(Error::storage("read", handle, error)),
            }
        }
        self.go_on()?;
        let whole: Vec<&[u8]> = read.iter().map(|(_, _, pack)| &pack[..]).collect();
        for (id, (handle, blobs, pack)) in hash::all(&whole).into_iter().zip(read) {
            if id != handle.id() {
                let reason = "content does not have the hash it is named by";
                errors.push(Error::damaged(handle, reason));
            }
            let length = pack.len() as u64;
            self.pack(handle, blobs, pack, &mut errors)?;
            self.context.progress.add(length, 0);
        }
        Ok(errors)
    }

    /// Proves what is in a pack.
    fn pack(
        &mut self,
        handle: Handle,
        blobs: &[IndexBlob],
        pack: Bytes,
        errors: &mut Vec<Error>,
    ) -> Result<()> {
        match header(self.repository, handle, &pack) {
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
        let mut next = blobs.iter();
        let cancel = &self.context.cancel;
        let each = |decoded: Result<&[u8]>| {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let blob = next.next().ok_or(Error::Internal)?;
            if blob.end() > length {
                let reason = format!("ends before blob {}", blob.id);
                errors.push(Error::damaged(handle, reason));
            } else {
                errors.extend(decoded.err());
            }
            Ok(())
        };
        let listed: Vec<_> = blobs.iter().collect();
        let stored = (0, &mut pack[..]);
        let id = handle.id();
        self.decoder
            .decode(self.repository, id, stored, &listed, each)
    }

    fn go_on(&self) -> Result<()> {
        if self.context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
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
