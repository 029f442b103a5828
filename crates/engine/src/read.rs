//! Reading blobs and trees.

use bytes::{Bytes, BytesMut};

use crate::backend::{FileKind, Handle};
use crate::compress;
use crate::error::{Error, Object, Result};
use crate::format::index::IndexBlob;
use crate::format::tree::Tree;
use crate::format::{BlobKind, MAX_BLOB};
use crate::id::Id;
use crate::index::Location;
use crate::repository::{IndexedRepository, Repository};

/// Room for plaintexts, used again for each so that memory is not asked for all the time.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Vec<u8>);

impl Repository {
    /// The plaintext of a blob as stored, proven by its hash. Decrypts `stored` where it lies.
    pub(crate) fn decode_in_place<'b>(
        &self,
        pack: Id,
        blob: &IndexBlob,
        stored: &'b mut [u8],
        scratch: &'b mut Scratch,
    ) -> Result<&'b [u8]> {
        let damaged = |reason: &dyn std::fmt::Display| {
            Error::damaged(Object::blob(blob.kind, blob.id, pack), reason)
        };
        let opened = self
            .cipher()
            .open_in_place(stored)
            .map_err(|error| damaged(&error))?;
        let plain = if blob.uncompressed_length == 0 {
            opened
        } else {
            let length = blob.uncompressed_length as usize;
            if length > MAX_BLOB {
                return Err(damaged(&format_args!("claims to have {length} bytes")));
            }
            compress::decompress_into(&mut scratch.0, opened, length)
                .map_err(|error| damaged(&error))?;
            &scratch.0
        };
        if Id::of(plain) != blob.id {
            return Err(damaged(&"content does not have the hash it is named by"));
        }
        Ok(plain)
    }

    /// The plaintext of a blob as stored, proven by its hash.
    pub(crate) fn decode_blob(&self, pack: Id, blob: &IndexBlob, stored: Bytes) -> Result<Vec<u8>> {
        let mut scratch = Scratch::default();
        let mut stored = into_mut(stored);
        let plain = self.decode_in_place(pack, blob, &mut stored, &mut scratch)?;
        if blob.uncompressed_length == 0 {
            return Ok(plain.to_vec());
        }
        Ok(scratch.0)
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
