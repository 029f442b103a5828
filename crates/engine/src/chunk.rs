//! Cutting content into blobs.

mod gear;
mod polynomial;
mod rabin;
mod segments;

use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use gear::GearTable;
pub(crate) use polynomial::Polynomial;
pub(crate) use rabin::RabinTables;
pub(crate) use segments::{AHEAD, Offer, Segment};

use segments::Segments;

/// Shortest chunk that content makes, except for the last of a file.
pub(crate) const MIN_SIZE: usize = 512 << 10;
/// Longest chunk that content makes.
pub(crate) const MAX_SIZE: usize = 8 << 20;

/// How to cut content into blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chunker {
    /// Where the content says, by the rule that the repository was made with: shifted data is
    /// found again.
    #[default]
    Content,
    /// Every so many bytes (4 KiB to 8 MiB): for databases and volumes that change in place.
    Fixed(u32),
}

/// How a repository finds the ends of chunks in content; fixed when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentRule {
    /// As restic does, so that what restic backs up to the same repository is found again.
    #[default]
    Rabin,
    /// Three times faster. restic reads the repository as any other, but what it backs up there is
    /// stored once more.
    FastCdc,
}

/// Finds the ends of chunks.
#[derive(Debug, Clone)]
pub(crate) enum Cutter {
    Rabin(Arc<RabinTables>),
    Gear(Arc<GearTable>),
    Fixed(usize),
}

impl Cutter {
    /// Length of the first chunk of `data`; `None` if more data is needed to tell. `searched` bytes
    /// are known not to contain its end.
    fn find(&self, data: &[u8], searched: usize) -> Option<usize> {
        match self {
            Self::Rabin(tables) => tables.find_cut(data, searched),
            Self::Gear(table) => table.find_cut(data, searched),
            Self::Fixed(size) => (data.len() >= *size).then_some(*size),
        }
    }

    /// Content of less than this is one chunk.
    fn min_size(&self) -> usize {
        match self {
            Self::Rabin(_) | Self::Gear(_) => MIN_SIZE,
            Self::Fixed(size) => *size,
        }
    }
}

/// How much is read at a time while looking for the end of a chunk.
const READ_STEP: usize = 512 << 10;

/// The chunks of a reader's content.
pub(crate) struct Chunks<'a, R> {
    reader: R,
    cutter: Cutter,
    /// Read but not given out.
    buffer: Vec<u8>,
    searched: usize,
    finished: bool,
    /// Where content comes from if others help.
    segments: Option<Segments<'a>>,
    /// Candidates that they found in what was read last, from the beginning of the buffer on.
    candidates: Option<Vec<usize>>,
}

impl<'a, R: Read> Chunks<'a, R> {
    /// `expected` is how much content there seems to be, so that small files need one small buffer.
    pub(crate) fn new(reader: R, cutter: Cutter, expected: u64) -> Self {
        let capacity = usize::try_from(expected)
            .unwrap_or(usize::MAX)
            .min(cutter.min_size());
        // One byte more, so that the end is noticed without growing.
        let buffer = Vec::with_capacity(capacity + 1);
        Self {
            reader,
            cutter,
            buffer,
            searched: 0,
            finished: false,
            segments: None,
            candidates: None,
        }
    }

    /// Lets others help to find the ends of chunks. The chunks stay the same.
    pub(crate) fn helped(mut self, offer: Offer<'a>) -> Self {
        if let Cutter::Rabin(tables) = &self.cutter {
            self.segments = Some(Segments::new(Arc::clone(tables), offer));
        }
        self
    }

    /// The next chunk; `None` at the end.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(length) = self.find() {
                return Ok(Some(self.split_off(length)));
            }
            self.searched = self.buffer.len();
            if self.finished {
                let rest = std::mem::take(&mut self.buffer);
                self.searched = 0;
                return Ok((!rest.is_empty()).then_some(rest));
            }
            self.fill()?;
        }
    }

    fn find(&self) -> Option<usize> {
        match &self.candidates {
            Some(candidates) => segments::choose(candidates, self.buffer.len()),
            None => self.cutter.find(&self.buffer, self.searched),
        }
    }

    /// Whether the last chunk has been given out for sure. At the end of content that is a whole
    /// number of chunks this is noticed only by asking for one more.
    pub(crate) fn is_at_end(&self) -> bool {
        self.finished && self.buffer.is_empty()
    }

    /// Takes the first `length` bytes; what follows stays.
    fn split_off(&mut self, length: usize) -> Vec<u8> {
        let mut rest = Vec::with_capacity(self.cutter.min_size() + READ_STEP);
        rest.extend_from_slice(&self.buffer[length..]);
        self.buffer.truncate(length);
        self.searched = 0;
        if let Some(candidates) = &mut self.candidates {
            candidates.retain(|end| *end > length);
            for end in candidates {
                *end -= length;
            }
        }
        std::mem::replace(&mut self.buffer, rest)
    }

    /// Reads until the buffer could hold a whole chunk, or more if it did already. Short reads, as
    /// pipes give them, are joined.
    fn fill(&mut self) -> io::Result<()> {
        if let Some(segments) = &mut self.segments {
            if let Some(segment) = segments.next(&mut self.reader)? {
                let start = self.buffer.len();
                self.buffer.extend_from_slice(segment.content());
                let found = segment.search();
                self.candidates = found.map(|ends| ends.iter().map(|end| start + end).collect());
            }
            self.finished = segments.is_at_end();
            return Ok(());
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let wanted = self
            .cutter
            .min_size()
            .saturating_sub(self.buffer.len())
            .max(READ_STEP);
        // A small file's buffer has room for it all: try that before growing it.
        let step = if room > 0 { room.min(wanted) } else { wanted };
        let read = (&mut self.reader)
            .take(step as u64)
            .read_to_end(&mut self.buffer)?;
        self.finished = read < step;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives at most a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.1).min(self.0.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    pub(super) fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        std::iter::repeat_with(&mut next)
            .flatten()
            .take(length)
            .collect()
    }

    fn lengths(data: &[u8], cutter: &Cutter, step: usize, expected: u64) -> Vec<usize> {
        let chunks = Chunks::new(Trickle(data, step), cutter.clone(), expected);
        lengths_of(chunks, data)
    }

    fn lengths_of(mut chunks: Chunks<'_, impl Read>, data: &[u8]) -> Vec<usize> {
        let mut joined = Vec::new();
        let mut lengths = Vec::new();
        while let Some(chunk) = chunks.next_chunk().unwrap() {
            lengths.push(chunk.len());
            joined.extend(chunk);
        }
        assert!(joined == data, "chunks do not join to the content");
        lengths
    }

    fn rabin() -> Cutter {
        Cutter::Rabin(Arc::new(RabinTables::new(Polynomial::from_bits(
            0x003D_A335_8B4D_C173,
        ))))
    }

    fn gear() -> Cutter {
        let secret = Polynomial::from_bits(0x003D_A335_8B4D_C173);
        Cutter::Gear(Arc::new(GearTable::new(secret)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn cuts_do_not_depend_on_how_the_content_is_read(
            length in 0_usize..6 << 20,
            seed in any::<u64>(),
            step in 1_usize << 12..1 << 20,
            expected in 0_u64..6 << 20,
        ) {
            let data = noise(length, seed);
            for cutter in [rabin(), gear(), Cutter::Fixed(64 << 10)] {
                let plain = lengths(&data, &cutter, usize::MAX, data.len() as u64);
                prop_assert_eq!(lengths(&data, &cutter, step, expected), plain);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn help_does_not_change_cuts(
            length in 0_usize..12 << 20,
            seed in any::<u64>(),
            step in 1_usize << 16..2 << 20,
            // Runs that make candidates: one if of 64 zeros, crowds of them if longer.
            zeros in prop::collection::vec((0_usize..12 << 20, 60_usize..90), 0..12),
            crowds in prop::collection::vec((0_usize..12 << 20, 90_usize..100_000), 0..3),
            helpers in 0_usize..3,
        ) {
            let mut data = noise(length, seed);
            for (start, run) in zeros.into_iter().chain(crowds) {
                let start = start.min(length);
                data[start..length.min(start + run)].fill(0);
            }
            for cutter in [rabin(), gear()] {
                let alone = lengths(&data, &cutter, step, 0);
                let chunks = Chunks::new(Trickle(&data, step), cutter, 0);
                let (offered, work) = std::sync::mpsc::channel::<Arc<Segment>>();
                let work = std::sync::Mutex::new(work);
                let helped = std::thread::scope(|scope| {
                    for _ in 0..helpers {
                        scope.spawn(|| while let Ok(it) = { work.lock().unwrap().recv() } {
                            it.search();
                        });
                    }
                    let offer = move |segment| drop(offered.send(segment));
                    lengths_of(chunks.helped(&offer), &data)
                });
                prop_assert_eq!(helped, alone);
            }
        }
    }

    #[test]
    fn content_of_zeros_is_cut_at_the_shortest_length() {
        let zeros = vec![0; 2 * MIN_SIZE + 7];
        assert_eq!(
            lengths(&zeros, &rabin(), usize::MAX, 0),
            [MIN_SIZE, MIN_SIZE, 7]
        );
    }

    #[test]
    fn no_content_has_no_chunks() {
        assert_eq!(lengths(&[], &rabin(), 1, 0), Vec::<usize>::new());
        assert_eq!(
            lengths(&[], &Cutter::Fixed(4096), 1, 0),
            Vec::<usize>::new()
        );
    }

    #[test]
    fn a_reader_that_fails_gives_its_error() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("dump failed"))
            }
        }
        let mut chunks = Chunks::new(Failing, rabin(), 0);
        assert_eq!(chunks.next_chunk().unwrap_err().to_string(), "dump failed");
    }
}
