//! Reading whole packs and proving every byte of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Check, ReadData};
use crate::backend::{FileKind, Handle};
use crate::crypto::OVERHEAD;
use crate::error::{Error, Result};
use crate::format::index::IndexBlob;
use crate::format::pack::{LENGTH_FIELD, MAX_HEADER, parse_header};
use crate::id::{Id, IdMap};
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
        }
    }
}

impl Check<'_> {
    pub(super) fn read_packs(
        &mut self,
        packs: &IdMap<Vec<IndexBlob>>,
        read_data: ReadData,
    ) -> Result<()> {
        let chosen: Vec<_> = packs
            .iter()
            .filter(|(id, _)| read_data.includes(**id))
            .collect();
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let (repository, context) = (self.repository, self.context);
        let work = || {
            while let Some((id, blobs)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                if context.cancel.is_cancelled() {
                    return;
                }
                let mut errors = Vec::new();
                let length = read_pack(repository, **id, blobs, &mut errors);
                context.progress.add(length, 0);
                results
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(errors);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..context.limits.threads.max(1) {
                scope.spawn(work);
            }
        });
        self.cancelled()?;
        for errors in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.report.packs_read += 1;
            for error in errors {
                // A pack that is missing was noted when the packs were listed.
                if !matches!(error, Error::Missing(_)) {
                    self.note(Err::<(), _>(error))?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a pack; returns its length.
fn read_pack(repository: &Repository, id: Id, blobs: &[IndexBlob], errors: &mut Vec<Error>) -> u64 {
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
    for blob in blobs {
        let range = blob.offset as usize..blob.offset as usize + blob.length as usize;
        let decoded = match pack.get(range) {
            Some(stored) => repository.decode_blob(id, blob, stored).map(drop),
            None => Err(Error::damaged(
                handle,
                format!("ends before blob {}", blob.id),
            )),
        };
        errors.extend(decoded.err());
    }
    pack.len() as u64
}

/// The blobs that a pack itself lists.
fn header(repository: &Repository, handle: Handle, pack: &[u8]) -> Result<Vec<IndexBlob>> {
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
