//! Reading many blobs of a pack in few large pieces.

use strongroom_domain::tree::Limits;

use crate::backend::{FileKind, Handle};
use crate::budget;
use crate::error::{Error, Result};
use crate::format::index::IndexBlob;
use crate::id::Id;
use crate::read::{Decoder, into_mut};
use crate::repository::IndexedRepository;

/// Bytes between two blobs that are rather read than skipped.
const MAX_GAP: u64 = 128 << 10;

/// A blob that was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content<'b> {
    /// Proven by its hash.
    pub(crate) plain: &'b [u8],
    /// As it was stored, if the reader keeps that and this pack had it whole.
    pub(crate) sealed: Option<&'b [u8]>,
}

/// Reads packs for one thread; holds one piece and a few plaintexts at a time.
pub(crate) struct PackReader<'a> {
    repository: &'a IndexedRepository,
    decoder: Decoder,
    sealed: Option<Vec<u8>>,
    /// Bytes read at once, unless one blob is longer.
    piece: u64,
}

impl<'a> PackReader<'a> {
    pub(crate) fn new(repository: &'a IndexedRepository, limits: Limits) -> Self {
        Self {
            repository,
            decoder: Decoder::default(),
            sealed: None,
            piece: budget::piece(limits),
        }
    }

    /// Gives also what was stored, so that it can be stored again.
    pub(crate) fn keep_sealed(mut self) -> Self {
        self.sealed = Some(Vec::new());
        self
    }

    /// Reads the blobs of `items`, which are all in `pack` and sorted by [`by_place`]. Gives `each`
    /// the items of one blob with its plaintext, or with the damage if no pack has it whole.
    pub(crate) fn read<T>(
        &mut self,
        pack: Id,
        items: &[T],
        blob: impl Fn(&T) -> &IndexBlob,
        mut each: impl FnMut(&[T], Result<Content<'_>>) -> Result<()>,
    ) -> Result<()> {
        let mut rest = items;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(piece_length(rest, self.piece, &blob));
            self.piece(pack, piece, &blob, &mut each)?;
            rest = after;
        }
        Ok(())
    }

    fn piece<T>(
        &mut self,
        pack: Id,
        items: &[T],
        blob: &impl Fn(&T) -> &IndexBlob,
        each: &mut impl FnMut(&[T], Result<Content<'_>>) -> Result<()>,
    ) -> Result<()> {
        let start = u64::from(blob(&items[0]).offset);
        let end = items.iter().map(|item| blob(item).end()).max();
        let length = usize::try_from(end.unwrap_or(start) - start).unwrap_or(usize::MAX);
        let handle = Handle::new(FileKind::Pack, pack);
        // If this fails, each blob is tried by itself: some may be there, or elsewhere too.
        let backend = self.repository.repository().backend();
        let stored = backend.get_range(handle, start, length);
        let mut stored = stored.map(into_mut).unwrap_or_default();
        if let Some(copy) = &mut self.sealed {
            copy.clear();
            copy.extend_from_slice(&stored);
        }
        let sealed = self.sealed.as_deref();
        let repository = self.repository;
        let mut same = items.chunk_by(|a, b| blob(a) == blob(b));
        let blobs: Vec<_> = same.clone().map(|same| blob(&same[0])).collect();
        let give = |content: Result<&[u8]>| {
            let Some(same) = same.next() else {
                return Err(Error::Internal);
            };
            let blob = blob(&same[0]);
            match content {
                Ok(plain) => {
                    let from =
                        usize::try_from(u64::from(blob.offset) - start).unwrap_or(usize::MAX);
                    let to = from.saturating_add(blob.length as usize);
                    let sealed = sealed.and_then(|sealed| sealed.get(from..to));
                    each(same, Ok(Content { plain, sealed }))
                }
                // Reads it again, and from other packs that have it.
                Err(_) => match repository.read_blob(blob.kind, blob.id) {
                    Ok(plain) => {
                        let (plain, sealed) = (&plain[..], None);
                        each(same, Ok(Content { plain, sealed }))
                    }
                    Err(error) if error.is_damage() => each(same, Err(error)),
                    Err(error) => Err(error),
                },
            }
        };
        self.decoder.decode(
            repository.repository(),
            pack,
            (start, &mut stored),
            &blobs,
            give,
        )
    }
}

/// The order in which blobs are read; equal ones come together.
pub(crate) fn by_place(blob: &IndexBlob) -> (u32, Id) {
    (blob.offset, blob.id)
}

/// How many of the items are read together.
fn piece_length<T>(items: &[T], most: u64, blob: &impl Fn(&T) -> &IndexBlob) -> usize {
    let start = u64::from(blob(&items[0]).offset);
    let mut end = blob(&items[0]).end();
    let close = items.iter().map(blob).take_while(|blob| {
        let offset = u64::from(blob.offset);
        let fits = offset <= end + MAX_GAP && blob.end().max(end) - start <= most;
        let same = offset == start;
        end = end.max(blob.end());
        fits || same
    });
    close.count().max(1)
}
