//! Pack headers: the list of blobs at the end of a pack, from which an index can be rebuilt.

use super::BlobKind;
use super::index::IndexBlob;
use crate::crypto::OVERHEAD;
use crate::id::Id;

const PLAIN_ENTRY: usize = 1 + 4 + 32;
const COMPRESSED_ENTRY: usize = PLAIN_ENTRY + 4;

/// Length of the field at the very end of a pack that holds the length of the header.
pub(crate) const LENGTH_FIELD: usize = 4;

/// Longest header that is read: far more blobs than fit into the largest pack.
pub(crate) const MAX_HEADER: usize = 16 << 20;

/// The header is not a list of blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error("pack header ends in the middle of an entry")]
    Truncated,
    #[error("pack header has an entry of unknown type {0}")]
    UnknownType(u8),
    #[error("pack header describes more data than a pack can have")]
    TooLong,
}

/// Prints the header of a pack with `blobs` in this order.
pub(crate) fn print_header(blobs: &[IndexBlob]) -> Vec<u8> {
    let mut header = Vec::with_capacity(blobs.len() * COMPRESSED_ENTRY);
    for blob in blobs {
        let compressed = blob.uncompressed_length != 0;
        let kind = u8::from(blob.kind == BlobKind::Tree) + 2 * u8::from(compressed);
        header.push(kind);
        header.extend_from_slice(&blob.length.to_le_bytes());
        if compressed {
            header.extend_from_slice(&blob.uncompressed_length.to_le_bytes());
        }
        header.extend_from_slice(blob.id.as_bytes());
    }
    header
}

/// Reads a header; blobs lie one after the other from the beginning of the pack.
pub(crate) fn parse_header(mut header: &[u8]) -> Result<Vec<IndexBlob>, HeaderError> {
    let mut blobs = Vec::with_capacity(header.len() / PLAIN_ENTRY);
    let mut offset = 0_u32;
    while let Some((&kind, rest)) = header.split_first() {
        if kind > 3 {
            return Err(HeaderError::UnknownType(kind));
        }
        let (length, rest) = take_u32(rest)?;
        let (uncompressed_length, rest) = if kind >= 2 {
            take_u32(rest)?
        } else {
            (0, rest)
        };
        let (id, rest) = rest
            .split_first_chunk::<32>()
            .ok_or(HeaderError::Truncated)?;
        let kind = if kind & 1 == 0 {
            BlobKind::Data
        } else {
            BlobKind::Tree
        };
        blobs.push(IndexBlob {
            id: Id::from_bytes(*id),
            kind,
            offset,
            length,
            uncompressed_length,
        });
        offset = offset.checked_add(length).ok_or(HeaderError::TooLong)?;
        header = rest;
    }
    Ok(blobs)
}

fn take_u32(bytes: &[u8]) -> Result<(u32, &[u8]), HeaderError> {
    let (value, rest) = bytes
        .split_first_chunk::<4>()
        .ok_or(HeaderError::Truncated)?;
    Ok((u32::from_le_bytes(*value), rest))
}

/// Size of the pack that holds exactly `blobs`.
pub(crate) fn pack_size(blobs: &[IndexBlob]) -> u64 {
    let entry = |blob: &IndexBlob| {
        let entry = if blob.uncompressed_length == 0 {
            PLAIN_ENTRY
        } else {
            COMPRESSED_ENTRY
        };
        u64::from(blob.length) + entry as u64
    };
    blobs.iter().map(entry).sum::<u64>() + (OVERHEAD + LENGTH_FIELD) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn blob()(
            id in any::<[u8; 32]>(),
            tree in any::<bool>(),
            length in 0_u32..1 << 20,
            uncompressed_length in 0_u32..1 << 24,
        ) -> IndexBlob {
            let kind = if tree { BlobKind::Tree } else { BlobKind::Data };
            IndexBlob { id: Id::from_bytes(id), kind, offset: 0, length, uncompressed_length }
        }
    }

    proptest! {
        #[test]
        fn headers_are_read_back(mut blobs in proptest::collection::vec(blob(), 0..50)) {
            let mut offset = 0;
            for blob in &mut blobs {
                blob.offset = offset;
                offset += blob.length;
            }
            let header = print_header(&blobs);
            prop_assert_eq!(parse_header(&header).unwrap(), blobs.clone());
            let size = u64::from(offset) + (header.len() + OVERHEAD + LENGTH_FIELD) as u64;
            prop_assert_eq!(pack_size(&blobs), size);
        }

        #[test]
        fn any_bytes_are_a_header_or_an_error(bytes in proptest::collection::vec(0_u8..5, 0..300)) {
            if let Ok(blobs) = parse_header(&bytes) {
                prop_assert_eq!(parse_header(&print_header(&blobs)).unwrap(), blobs);
            }
        }
    }

    #[test]
    fn a_cut_header_is_an_error() {
        let blob = IndexBlob {
            id: Id::of(b"x"),
            kind: BlobKind::Tree,
            offset: 0,
            length: 9,
            uncompressed_length: 4,
        };
        let header = print_header(&[blob]);
        assert_eq!(
            parse_header(&header[..header.len() - 1]),
            Err(HeaderError::Truncated)
        );
        assert_eq!(parse_header(&[9]), Err(HeaderError::UnknownType(9)));
    }
}
