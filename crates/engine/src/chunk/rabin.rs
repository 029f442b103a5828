//! restic's chunk boundaries: Rabin fingerprints of 64-byte windows.
//!
//! A chunk may end after any byte whose window's fingerprint has 20 zero bits at its end. The
//! fingerprint depends on the window only, so candidates can be looked for in several places at
//! once; four lanes in one loop hide the latency of the table look-ups.

use super::polynomial::modulo;
use super::{MAX_SIZE, MIN_SIZE, Polynomial};

/// Bytes that a fingerprint is computed from.
pub(super) const WINDOW: usize = 64;
/// Zero bits that make a candidate: one every MiB on average.
const MASK: u64 = (1 << 20) - 1;
/// Places searched at once.
const LANES: usize = 4;
/// Positions per lane in one round.
const STRIDE: usize = 8 << 10;
/// Candidates that are not too many. Where there are more, as in a run of zeros, chunks end soon.
const FEW: usize = 16;
/// Bytes that a lane looks at in one round.
const LANE_BYTES: usize = WINDOW + STRIDE - 1;

/// Tables for one polynomial.
pub(crate) struct RabinTables {
    /// What a byte that leaves the window has contributed.
    out: [u64; 256],
    /// Reduces the eight bits that a shift moves beyond the polynomial's degree.
    reduce: [u64; 256],
    shift: u32,
}

impl RabinTables {
    pub(crate) fn new(polynomial: Polynomial) -> Self {
        let (bits, degree) = (polynomial.bits(), polynomial.degree());
        let mut out = [0; 256];
        let mut reduce = [0; 256];
        for byte in 0..=u8::MAX {
            let after = (0..WINDOW - 1).fold(u64::from(byte), |hash, _| append_zero(hash, bits));
            out[usize::from(byte)] = after;
            let high = u64::from(byte) << degree;
            reduce[usize::from(byte)] = modulo(high, bits) | high;
        }
        Self {
            out,
            reduce,
            shift: degree - 8,
        }
    }

    /// Length of the first chunk of `data`; `None` if `data` ends before the chunk does. The end is
    /// known not to be within the first `searched` bytes.
    pub(crate) fn find_cut(&self, data: &[u8], searched: usize) -> Option<usize> {
        let end = data.len().min(MAX_SIZE);
        // `position` is a possible length of the chunk.
        let mut position = MIN_SIZE.max(searched + 1);
        while position <= end {
            let count = (end - position + 1).min(LANES * STRIDE);
            if let Some(cut) = self.search(data, position, count) {
                return Some(cut);
            }
            position += count;
        }
        (data.len() >= MAX_SIZE).then_some(MAX_SIZE)
    }

    /// All candidates among the lengths of `data`; `None` if there are too many.
    pub(super) fn candidates(&self, data: &[u8]) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        let mut position = WINDOW;
        while position <= data.len() {
            let count = (data.len() - position + 1).min(LANES * STRIDE);
            position = match self.search(data, position, count) {
                Some(_) if found.len() == FEW => return None,
                Some(candidate) => {
                    found.push(candidate);
                    candidate + 1
                }
                None => position + count,
            };
        }
        Some(found)
    }

    /// The first candidate among `count` lengths from `first`.
    fn search(&self, data: &[u8], first: usize, count: usize) -> Option<usize> {
        if count < LANES * STRIDE {
            return self.search_lane(data, first, count);
        }
        let starts: [usize; LANES] = std::array::from_fn(|lane| first + lane * STRIDE);
        let bytes: [&[u8; LANE_BYTES]; LANES] = starts.map(|start| {
            data[start - WINDOW..]
                .first_chunk()
                .expect("the caller counted the bytes")
        });
        let mut hashes = starts.map(|start| self.fingerprint(&data[start - WINDOW..start]));
        let mut found = [usize::MAX; LANES];
        for step in 0..STRIDE {
            if hashes.iter().any(|hash| hash & MASK == 0) {
                for (slot, hash) in found.iter_mut().zip(hashes) {
                    if hash & MASK == 0 && *slot == usize::MAX {
                        *slot = step;
                    }
                }
                // Nothing can come before a candidate of the first lane.
                if found[0] == step {
                    break;
                }
            }
            if step + 1 < STRIDE {
                for lane in 0..LANES {
                    let (leaving, entering) = (bytes[lane][step], bytes[lane][step + WINDOW]);
                    hashes[lane] = self.slide(hashes[lane], leaving, entering);
                }
            }
        }
        let lane = found.iter().position(|&step| step != usize::MAX)?;
        Some(starts[lane] + found[lane])
    }

    fn search_lane(&self, data: &[u8], first: usize, count: usize) -> Option<usize> {
        let mut hash = self.fingerprint(&data[first - WINDOW..first]);
        for length in first..first + count {
            if hash & MASK == 0 {
                return Some(length);
            }
            if length + 1 < first + count {
                hash = self.slide(hash, data[length - WINDOW], data[length]);
            }
        }
        None
    }

    fn fingerprint(&self, window: &[u8]) -> u64 {
        window.iter().fold(0, |hash, &byte| self.append(hash, byte))
    }

    #[inline]
    fn slide(&self, hash: u64, leaving: u8, entering: u8) -> u64 {
        self.append(hash ^ self.out[usize::from(leaving)], entering)
    }

    #[inline]
    fn append(&self, hash: u64, byte: u8) -> u64 {
        let high = (hash >> self.shift) & 0xff;
        let [index, ..] = high.to_le_bytes();
        (hash << 8 | u64::from(byte)) ^ self.reduce[usize::from(index)]
    }
}

impl std::fmt::Debug for RabinTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RabinTables")
    }
}

fn append_zero(hash: u64, polynomial: u64) -> u64 {
    modulo(hash << 8, polynomial)
}

#[cfg(test)]
mod tests {
    use super::super::tests::noise;
    use super::*;
    use proptest::prelude::*;

    /// The definition: bit by bit, window by window.
    fn slow_cut(data: &[u8], polynomial: u64) -> Option<usize> {
        let hash = |window: &[u8]| {
            window
                .iter()
                .fold(0, |hash, &b| modulo(hash << 8 | u64::from(b), polynomial))
        };
        (MIN_SIZE..=data.len().min(MAX_SIZE))
            .find(|&length| length == MAX_SIZE || hash(&data[length - WINDOW..length]) & MASK == 0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn lanes_find_what_the_definition_says(seed in any::<u64>(), extra in 0_usize..200_000) {
            let polynomial = 0x003D_A335_8B4D_C173;
            let mut data = noise(MIN_SIZE + extra, seed);
            // Make candidates likely.
            let zeros = data.len().saturating_sub(extra / 2 + 70);
            data[zeros..zeros + 66].fill(0);
            let tables = RabinTables::new(Polynomial::from_bits(polynomial));
            prop_assert_eq!(tables.find_cut(&data, 0), slow_cut(&data, polynomial));
        }
    }
}
