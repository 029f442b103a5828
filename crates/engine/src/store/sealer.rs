//! Blobs as they are stored: compressed, verified, sealed.

use std::cell::RefCell;

use super::length;
use crate::compress::{self, Compression};
use crate::crypto::Cipher;
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::index::IndexBlob;
use crate::id::Id;

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

/// Buffers that a thread uses for one blob after the other.
struct Scratch {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    sealed: Vec<u8>,
}

impl Scratch {
    const fn new() -> Self {
        Self {
            packed: Vec::new(),
            unpacked: Vec::new(),
            sealed: Vec::new(),
        }
    }
}

pub(super) struct Sealer {
    pub(super) compression: Compression,
    /// Decompress again what was compressed.
    pub(super) verify: bool,
}

impl Sealer {
    /// Compresses and seals a blob and hands it on, its offset still to be filled in.
    pub(super) fn seal(
        &self,
        cipher: &Cipher,
        kind: BlobKind,
        id: Id,
        plain: &[u8],
        sealed: impl FnOnce(IndexBlob, &[u8]) -> Result<()>,
    ) -> Result<()> {
        SCRATCH.with_borrow_mut(|scratch| {
            let is_compressed = self.compress(kind, id, plain, scratch)?;
            let content = if is_compressed {
                &scratch.packed
            } else {
                plain
            };
            scratch.sealed.clear();
            cipher.seal_into(&mut scratch.sealed, content);
            let blob = IndexBlob {
                id,
                kind,
                offset: 0,
                length: length(scratch.sealed.len())?,
                uncompressed_length: if is_compressed {
                    length(plain.len())?
                } else {
                    0
                },
            };
            sealed(blob, &scratch.sealed)
        })
    }

    /// Whether the blob is smaller for it, and so compressed.
    fn compress(
        &self,
        kind: BlobKind,
        id: Id,
        plain: &[u8],
        scratch: &mut Scratch,
    ) -> Result<bool> {
        let object = Object::Blob {
            kind,
            id,
            pack: None,
        };
        let failed = |error| Error::damaged(object, error);
        let Scratch {
            packed, unpacked, ..
        } = scratch;
        let is_compressed = match kind {
            BlobKind::Data => compress::data(plain, self.compression, packed).map_err(failed)?,
            BlobKind::Tree => {
                compress::metadata(plain, packed).map_err(failed)?;
                true
            }
        };
        // Catches broken memory and compressors before the only copy is gone.
        if is_compressed
            && self.verify
            && !compress::is_frame_of(packed, plain, unpacked).map_err(failed)?
        {
            return Err(Error::damaged(
                object,
                "compressed data does not decompress to what was compressed",
            ));
        }
        Ok(is_compressed)
    }
}
