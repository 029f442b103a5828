//! zstd with one context per thread, which for small blobs is twice as fast as a new one each.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::WriteBuf;

/// How hard to compress what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// zstd level 3.
    #[default]
    Auto,
    /// Not at all, except for metadata.
    Off,
    /// zstd level 1.
    Fast,
    /// zstd level 12.
    Max,
}

impl Compression {
    fn level(self) -> Option<i32> {
        match self {
            Self::Auto => Some(3),
            Self::Off => None,
            Self::Fast => Some(1),
            Self::Max => Some(12),
        }
    }
}

/// Level of trees, indexes and snapshots whatever is chosen for data.
const METADATA_LEVEL: i32 = 3;

thread_local! {
    static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Blobs from this size on are tried before they are compressed.
const TRIED: usize = 256 << 10;
/// What is tried: so many samples of so many bytes, evenly spread.
const SAMPLES: usize = 8;
const SAMPLE: usize = 4 << 10;

/// Compresses a blob into `packed`; `false` if that is off or would not make it smaller.
pub(crate) fn data(
    plain: &[u8],
    compression: Compression,
    packed: &mut Vec<u8>,
) -> io::Result<bool> {
    let Some(level) = compression.level() else {
        return Ok(false);
    };
    if plain.len() >= TRIED && is_hopeless(plain, level, packed)? {
        return Ok(false);
    }
    compress(plain, level, packed)?;
    Ok(packed.len() < plain.len())
}

/// Whether no sample gets smaller: pictures, archives, what is encrypted.
fn is_hopeless(plain: &[u8], level: i32, packed: &mut Vec<u8>) -> io::Result<bool> {
    for number in 0..SAMPLES {
        let start = (plain.len() - SAMPLE) / (SAMPLES - 1) * number;
        compress(&plain[start..start + SAMPLE], level, packed)?;
        if packed.len() < SAMPLE {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compresses a tree or a file that is not a pack.
pub(crate) fn metadata(plain: &[u8], packed: &mut Vec<u8>) -> io::Result<()> {
    compress(plain, METADATA_LEVEL, packed)
}

/// Replaces what is in `packed` by one frame.
fn compress(plain: &[u8], level: i32, packed: &mut Vec<u8>) -> io::Result<()> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|(made_for, _)| *made_for != level) {
            *slot = Some((level, Compressor::new(level)?));
        }
        let Some((_, compressor)) = slot else {
            return Err(io::Error::other("no compressor"));
        };
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        compressor.compress_to_buffer(plain, packed).map(drop)
    })
}

/// Whether a frame decompresses to exactly `plain`; `space` is where it does so.
pub(crate) fn is_frame_of(packed: &[u8], plain: &[u8], space: &mut Vec<u8>) -> io::Result<bool> {
    decompress_into(space, packed, plain.len())?;
    Ok(space == plain)
}

/// Decompresses one frame of at most `limit` bytes.
#[cfg(test)]
pub(crate) fn decompress(packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    decompress_into(&mut plain, packed, limit)?;
    Ok(plain)
}

/// Room that the content of a frame needs if it has at most `limit` bytes.
pub(crate) fn content_length(packed: &[u8], limit: usize) -> io::Result<usize> {
    // A frame says how long its content is; one that says more than it is worth gets no memory.
    let length = match zstd::zstd_safe::get_frame_content_size(packed) {
        Ok(Some(length)) => usize::try_from(length).unwrap_or(usize::MAX),
        Ok(None) => limit,
        Err(_) => return Err(io::Error::other("not a frame of zstd")),
    };
    if length > limit {
        return Err(io::Error::other("decompressed data is too large"));
    }
    Ok(length)
}

/// Decompresses one frame into `room`; returns its length.
pub(crate) fn decompress_to(
    room: &mut (impl WriteBuf + ?Sized),
    packed: &[u8],
) -> io::Result<usize> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Some(Decompressor::new()?);
        }
        match slot {
            Some(decompressor) => decompressor.decompress_to_buffer(packed, room),
            None => Err(io::Error::other("no decompressor")),
        }
    })
}

/// Replaces what is in `plain` by the content of one frame of at most `limit` bytes.
pub(crate) fn decompress_into(plain: &mut Vec<u8>, packed: &[u8], limit: usize) -> io::Result<()> {
    let length = content_length(packed, limit)?;
    plain.clear();
    plain.reserve(length);
    decompress_to(plain, packed)?;
    // A buffer that was used before may have had more room.
    if plain.len() > limit {
        return Err(io::Error::other("decompressed data is too large"));
    }
    Ok(())
}

/// Decompresses one frame of unknown length, growing the output as it comes.
pub(crate) fn decompress_unknown(packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut plain = Vec::new();
    zstd::stream::read::Decoder::with_buffer(packed)?
        .single_frame()
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)?;
    if plain.len() > limit {
        return Err(io::Error::other("decompressed data is too large"));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incompressible_data_is_left_alone() {
        let mut random = vec![0; 4096];
        crate::crypto::fill_random(&mut random);
        let mut packed = Vec::new();
        assert!(!data(&random, Compression::Auto, &mut packed).unwrap());
        assert!(!data(&[0; 4096], Compression::Off, &mut packed).unwrap());
        assert!(data(&[0; 4096], Compression::Auto, &mut packed).unwrap());
        assert_eq!(decompress(&packed, 4096).unwrap(), [0; 4096]);
        assert!(is_frame_of(&packed, &[0; 4096], &mut random).unwrap());
        assert!(!is_frame_of(&packed, &[1; 4096], &mut random).unwrap());
    }

    #[test]
    fn large_data_is_compressed_if_any_sample_gets_smaller() {
        let mut random = vec![0; 3 * TRIED];
        crate::crypto::fill_random(&mut random);
        let mut packed = Vec::new();
        assert!(!data(&random, Compression::Auto, &mut packed).unwrap());
        random[3 * TRIED - SAMPLE..].fill(0);
        for compression in [Compression::Fast, Compression::Auto, Compression::Max] {
            assert!(data(&random, compression, &mut packed).unwrap());
            assert_eq!(decompress(&packed, random.len()).unwrap(), random);
        }
    }

    #[test]
    fn a_frame_larger_than_announced_is_an_error() {
        let mut packed = Vec::new();
        metadata(&[0; 4096], &mut packed).unwrap();
        assert!(decompress(&packed, 4095).is_err());
        assert!(decompress_unknown(&packed, 4095).is_err());
        assert_eq!(decompress_unknown(&packed, 4096).unwrap(), [0; 4096]);
    }
}
