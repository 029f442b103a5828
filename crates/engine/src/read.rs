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
    plain: [Vec<u8>; GROUP],
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
        blobs: impl Iterator<Item = &IndexBlob>,
        mut each: impl FnMut(Result<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        let mut blobs = blobs.peekable();
        let (mut at, mut rest) = (start, stored);
        while blobs.peek().is_some() {
            let (mut group, mut bytes) = (Vec::with_capacity(GROUP), 0);
            for plain in &mut self.plain {
                let fits = |blob: &&IndexBlob| {
                    bytes += blob.plain_length();
                    bytes <= GROUP_BYTES || bytes == blob.plain_length()
                };
                let Some(blob) = blobs.next_if(fits) else {
                    break;
                };
                let sealed = take(&mut rest, &mut at, blob);
                let opened = repository.open_blob(pack, blob, sealed, plain);
                group.push((blob, opened));
            }
            for plain in prove(pack, group) {
                each(plain)?;
            }
        }
        Ok(())
    }
}

/// The bytes of a blob out of those from `at` on, which afterwards are those behind it. None if
/// the blob begins before `at`: two blobs in the same place cannot both be what they should be.
fn take<'s>(rest: &mut &'s mut [u8], at: &mut u64, blob: &IndexBlob) -> &'s mut [u8] {
    let Some(gap) = u64::from(blob.offset).checked_sub(*at) else {
        return &mut [];
    };
    let gap = usize::try_from(gap).unwrap_or(usize::MAX).min(rest.len());
    let (_, from) = std::mem::take(rest).split_at_mut(gap);
    let length = (blob.length as usize).min(from.len());
    let (taken, behind) = from.split_at_mut(length);
    *rest = behind;
    *at = blob.end();
    taken
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
            Err(Error::damaged(object, WRONG_HASH))
        }
    })
}

const WRONG_HASH: &str = "content does not have the hash it is named by";

impl Repository {
    /// The plaintext of a blob as stored, not proven. Decrypts `stored` where it lies; `plain` is
    /// where it is decompressed to.
    fn open_blob<'b>(
        &self,
        pack: Id,
        blob: &IndexBlob,
        stored: &'b mut [u8],
        plain: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let damaged = |reason: &dyn std::fmt::Display| {
            Error::damaged(Object::blob(blob.kind, blob.id, pack), reason)
        };
        let opened = self
            .cipher()
            .open_in_place(stored)
            .map_err(|error| damaged(&error))?;
        if blob.uncompressed_length == 0 {
            return Ok(opened);
        }
        let length = blob.uncompressed_length as usize;
        if length > MAX_BLOB {
            return Err(damaged(&format_args!("claims to have {length} bytes")));
        }
        compress::decompress_into(plain, opened, length).map_err(|error| damaged(&error))?;
        Ok(plain)
    }

    /// The plaintext of a blob as stored, proven by its hash.
    pub(crate) fn decode_blob(&self, pack: Id, blob: &IndexBlob, stored: Bytes) -> Result<Vec<u8>> {
        let (mut plain, mut stored) = (Vec::new(), into_mut(stored));
        let opened = self.open_blob(pack, blob, &mut stored, &mut plain)?;
        if Id::of(opened) != blob.id {
            let object = Object::blob(blob.kind, blob.id, pack);
            return Err(Error::damaged(object, WRONG_HASH));
        }
        if blob.uncompressed_length == 0 {
            return Ok(opened.to_vec());
        }
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
