//! Reading blobs and trees.

use bytes::{Bytes, BytesMut};

use crate::backend::{FileKind, Handle};
use crate::compress;
use crate::error::{Error, Object, Result};
use crate::format::index::IndexBlob;
use crate::format::tree::Tree;
use crate::format::{BlobKind, MAX_BLOB};
use crate::hash;
use crate::id::Id;
use crate::index::Location;
use crate::repository::{IndexedRepository, Repository};

/// Blobs that are decoded together, and bytes that they have together, unless one alone has more.
const GROUP: usize = 16;
const GROUP_BYTES: u64 = 6 << 20;

/// Decodes blobs several at a time, so that they can be hashed together. Keeps the memory for
/// plaintexts, so that it is not asked for all the time.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    room: Vec<u8>,
}

/// A blob on the way to its plaintext.
struct Opened<'b, 's> {
    blob: &'b IndexBlob,
    /// Decrypted.
    text: Result<&'s [u8]>,
    /// Room that it needs to be decompressed, 0 if it was not compressed.
    length: usize,
}

impl Decoder {
    /// Decodes blobs of a pack, of which `stored` are the bytes from `start` on, where they lie.
    /// `blobs` are in the order in which they lie. Gives `each` the plaintext of one after the
    /// other, proven by its hash, or the damage.
    pub(crate) fn decode(
        &mut self,
        repository: &Repository,
        pack: Id,
        (start, stored): (u64, &mut [u8]),
        mut blobs: &[&IndexBlob],
        mut each: impl FnMut(Result<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        let mut stored = Stored {
            at: start,
            rest: stored,
        };
        while !blobs.is_empty() {
            let (group, others) = blobs.split_at(group_length(blobs));
            blobs = others;
            let opened = group
                .iter()
                .map(|blob| repository.open_blob(pack, blob, stored.take(blob)));
            let opened: Vec<_> = opened.collect();
            for plain in prove(pack, self.decompress(pack, opened)) {
                each(plain)?;
            }
        }
        Ok(())
    }

    fn decompress<'b, 's>(
        &'s mut self,
        pack: Id,
        opened: Vec<Opened<'b, 's>>,
    ) -> Vec<(&'b IndexBlob, Result<&'s [u8]>)> {
        let needed = opened.iter().map(|opened| opened.length).sum();
        if self.room.len() < needed {
            self.room.resize(needed, 0);
        }
        let mut room = &mut self.room[..];
        let decompress = |Opened { blob, text, length }| {
            let plain = match text {
                Ok(text) if blob.uncompressed_length > 0 => {
                    let (mine, others) = std::mem::take(&mut room).split_at_mut(length);
                    room = others;
                    match compress::decompress_to(mine, text) {
                        Ok(length) => Ok(&mine[..length]),
                        Err(error) => {
                            let object = Object::blob(blob.kind, blob.id, pack);
                            Err(Error::damaged(object, error))
                        }
                    }
                }
                text => text,
            };
            (blob, plain)
        };
        opened.into_iter().map(decompress).collect()
    }
}

/// How many blobs are decoded together.
fn group_length(blobs: &[&IndexBlob]) -> usize {
    let mut bytes = 0;
    let fit = blobs.iter().take(GROUP).take_while(|blob| {
        bytes += blob.plain_length();
        bytes <= GROUP_BYTES
    });
    fit.count().max(1)
}

/// Bytes of a pack, the first of which is at `at`, until blobs have been taken from them.
struct Stored<'s> {
    at: u64,
    rest: &'s mut [u8],
}

impl<'s> Stored<'s> {
    /// The bytes of a blob. None if it begins before the end of the last one: two blobs in the same
    /// place cannot both be what they should be.
    fn take(&mut self, blob: &IndexBlob) -> &'s mut [u8] {
        let Some(gap) = u64::from(blob.offset).checked_sub(self.at) else {
            return &mut [];
        };
        let rest = std::mem::take(&mut self.rest);
        let gap = usize::try_from(gap).unwrap_or(usize::MAX).min(rest.len());
        let (_, from) = rest.split_at_mut(gap);
        let length = (blob.length as usize).min(from.len());
        let (taken, behind) = from.split_at_mut(length);
        *self = Self {
            at: blob.end(),
            rest: behind,
        };
        taken
    }
}

/// Leaves of plaintexts those that have the hash they are named by.
fn prove<'p>(
    pack: Id,
    group: Vec<(&IndexBlob, Result<&'p [u8]>)>,
) -> impl Iterator<Item = Result<&'p [u8]>> {
    let opened = group.iter().filter_map(|(_, opened)| opened.as_ref().ok());
    let mut ids = hash::all(&opened.copied().collect::<Vec<_>>()).into_iter();
    group.into_iter().map(move |(blob, opened)| {
        let plain = opened?;
        if ids.next() == Some(blob.id) {
            Ok(plain)
        } else {
            let object = Object::blob(blob.kind, blob.id, pack);
            Err(Error::damaged(
                object,
                "content does not have the hash it is named by",
            ))
        }
    })
}

impl Repository {
    /// Decrypts a blob where it lies.
    fn open_blob<'b, 's>(
        &self,
        pack: Id,
        blob: &'b IndexBlob,
        stored: &'s mut [u8],
    ) -> Opened<'b, 's> {
        let damaged = |reason: &dyn std::fmt::Display| {
            Error::damaged(Object::blob(blob.kind, blob.id, pack), reason)
        };
        let opened = self.cipher().open_in_place(stored);
        let mut text = opened.map_err(|error| damaged(&error));
        let limit = blob.uncompressed_length as usize;
        let mut length = 0;
        if limit > MAX_BLOB {
            text = Err(damaged(&format_args!("claims to have {limit} bytes")));
        } else if let Ok(packed) = text
            && limit > 0
        {
            match compress::content_length(packed, limit) {
                Ok(needed) => length = needed,
                Err(error) => text = Err(damaged(&error)),
            }
        }
        Opened { blob, text, length }
    }

    /// The plaintext of a blob as stored, proven by its hash.
    pub(crate) fn decode_blob(&self, pack: Id, blob: &IndexBlob, stored: Bytes) -> Result<Vec<u8>> {
        let mut decoder = Decoder::default();
        let (start, mut stored) = (blob.offset.into(), into_mut(stored));
        let mut plain = Vec::new();
        decoder.decode(self, pack, (start, &mut stored), &[blob], |decoded| {
            decoded.map(|decoded| plain.extend_from_slice(decoded))
        })?;
        Ok(plain)
    }

    fn read_blob_at(&self, location: &Location) -> Result<Vec<u8>> {
        let Location { pack, blob } = location;
        let handle = Handle::new(FileKind::Pack, *pack);
        let (offset, length) = (u64::from(blob.offset), blob.length as usize);
        let stored = self
            .backend()
            .get_range(handle, offset, length)
            .map_err(|error| {
                if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    Error::damaged(handle, "shorter than the index says")
                } else {
                    Error::storage("read", handle, error)
                }
            })?;
        self.decode_blob(*pack, blob, stored)
    }
}

/// The same bytes to be changed, copied only if somebody else has them too.
pub(crate) fn into_mut(bytes: Bytes) -> BytesMut {
    bytes
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]))
}

impl IndexedRepository {
    /// The plaintext of a blob, from whichever pack has it undamaged.
    pub(crate) fn read_blob(&self, kind: BlobKind, id: Id) -> Result<Vec<u8>> {
        let first = self.index().get(kind, id);
        let first = first.ok_or(Error::Missing(Object::Blob {
            kind,
            id,
            pack: None,
        }))?;
        match self.repository().read_blob_at(&first) {
            Err(error) if error.is_damage() => self.read_other_copy(kind, id, error),
            result => result,
        }
    }

    fn read_other_copy(&self, kind: BlobKind, id: Id, error: Error) -> Result<Vec<u8>> {
        let others = self.index().get_all(kind, id);
        let mut copies = others
            .iter()
            .skip(1)
            .map(|location| self.repository().read_blob_at(location));
        copies.find_map(Result::ok).ok_or(error)
    }

    /// The directory with this id.
    pub(crate) fn read_tree(&self, id: Id) -> Result<Tree> {
        let json = self.read_blob(BlobKind::Tree, id)?;
        Tree::parse(&json).map_err(|error| {
            let pack = self
                .index()
                .get(BlobKind::Tree, id)
                .map(|location| location.pack);
            Error::damaged(
                Object::Blob {
                    kind: BlobKind::Tree,
                    id,
                    pack,
                },
                error,
            )
        })
    }
}
