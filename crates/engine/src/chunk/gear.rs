//! FastCDC's boundaries: a gear hash over the last 64 bytes, and two masks, so that most chunks are
//! near the average size. Three times faster than Rabin, but restic does not cut there.

use super::{MAX_SIZE, MIN_SIZE, Polynomial};

/// Bytes that a hash depends on: each shifts those before it by one bit.
const WINDOW: usize = 64;
/// The size that chunks should have.
const AVERAGE: usize = 1 << 20;
/// Bits that must be zero in a chunk of less than the average, and of more: two more or less than
/// the average alone would ask for, as FastCDC's second level of normalization has it.
const SMALL: u64 = !0 << (64 - 22);
const LARGE: u64 = !0 << (64 - 18);

/// What each byte adds to the hash.
pub(crate) struct GearTable([u64; 256]);

impl GearTable {
    /// A table that only those know who know the repository's polynomial, so that the lengths of
    /// chunks tell others nothing about the content.
    pub(crate) fn new(secret: Polynomial) -> Self {
        let mut state = secret.bits();
        Self(std::array::from_fn(|_| splitmix(&mut state)))
    }

    /// Length of the first chunk of `data`; `None` if `data` ends before the chunk does. The end is
    /// known not to be within the first `searched` bytes.
    pub(crate) fn find_cut(&self, data: &[u8], searched: usize) -> Option<usize> {
        let end = data.len().min(MAX_SIZE);
        let first = MIN_SIZE.max(searched + 1);
        if first <= end {
            let before = &data[first - WINDOW..first - 1];
            let mut hash = before.iter().fold(0, |hash, byte| self.append(hash, *byte));
            for length in first..=end {
                hash = self.append(hash, data[length - 1]);
                let mask = if length < AVERAGE { SMALL } else { LARGE };
                if hash & mask == 0 {
                    return Some(length);
                }
            }
        }
        (data.len() >= MAX_SIZE).then_some(MAX_SIZE)
    }

    #[inline]
    fn append(&self, hash: u64, byte: u8) -> u64 {
        (hash << 1).wrapping_add(self.0[usize::from(byte)])
    }
}

impl std::fmt::Debug for GearTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GearTable")
    }
}

/// The next of a sequence of well-mixed numbers (SplitMix64).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;

    fn cuts(data: &[u8]) -> Vec<usize> {
        let table = GearTable::new(Polynomial::from_bits(0x003D_A335_8B4D_C173));
        let mut rest = data;
        let mut lengths = Vec::new();
        while let Some(length) = table.find_cut(rest, 0) {
            lengths.push(length);
            rest = &rest[length..];
        }
        lengths
    }

    #[test]
    fn chunks_are_about_a_mebibyte_and_found_again_after_an_insertion() {
        let data = noise(48 << 20, 7);
        let lengths = cuts(&data);
        let average = lengths.iter().sum::<usize>() / lengths.len();
        assert!((800_000..1_500_000).contains(&average), "{average}");
        assert!(lengths.iter().all(|it| (MIN_SIZE..=MAX_SIZE).contains(it)));
        let mut longer = data;
        longer.insert(3 << 20, b'x');
        let after = cuts(&longer);
        let common = after.iter().rev().zip(lengths.iter().rev());
        let common = common.take_while(|(a, b)| a == b).count();
        assert!(common + 8 > lengths.len(), "{common} of {}", lengths.len());
    }
}
