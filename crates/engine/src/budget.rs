//! Keeping to the memory that a job may use for data in flight.
//!
//! The largest blob that restic makes has 8 MiB. One thread always works, with one blob at a time
//! if need be.

use strongroom_domain::tree::Limits;

/// Most bytes of a pack that are read at once, unless one blob is longer.
const LONGEST_PIECE: u64 = 8 << 20;

/// What the plaintexts take that a thread decodes together.
pub(crate) const PLAINTEXTS: u64 = 8 << 20;

/// What a thread takes that reads a pack in pieces.
pub(crate) const PIECES: u64 = LONGEST_PIECE + PLAINTEXTS;

/// The same if it keeps a copy of what is stored.
pub(crate) const PIECES_AND_COPIES: u64 = PIECES + LONGEST_PIECE;

/// Threads that can work at once if each of them takes so many bytes.
pub(crate) fn threads(limits: Limits, each: u64) -> usize {
    let room = usize::try_from(limits.memory_bytes / each.max(1)).unwrap_or(usize::MAX);
    limits.threads.min(room).max(1)
}

/// Bytes of a pack that each thread reads at once.
pub(crate) fn piece(limits: Limits) -> u64 {
    let share = limits.memory_bytes / threads(limits, PIECES) as u64;
    (share / 2).min(LONGEST_PIECE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_threads_together_stay_within_the_memory_as_long_as_one_can_work() {
        for threads in [0, 1, 2, 8, 64] {
            for megabytes in [0, 1, 15, 16, 40, 128, 4_096] {
                let memory_bytes = megabytes << 20;
                let limits = Limits {
                    threads,
                    memory_bytes,
                };
                let at_once = super::threads(limits, PIECES);
                assert!((1..=threads.max(1)).contains(&at_once));
                let taken = at_once as u64 * PIECES;
                assert!(at_once == 1 || taken <= memory_bytes, "{limits:?}");
                assert!(piece(limits) * 2 * at_once as u64 <= memory_bytes);
            }
        }
        assert_eq!(piece(Limits::default()), LONGEST_PIECE);
    }
}
