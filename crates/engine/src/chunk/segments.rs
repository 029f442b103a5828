//! Looking for the ends of one file's chunks on several threads: the file is read a few segments
//! ahead, and whoever has time finds all ends that the content of one allows. The reader chooses
//! from them in order, so the chunks are those that it would have cut alone.
//!
//! Only for Rabin. FastCDC's search is as fast as reading, and lengths need no search.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use super::{MAX_SIZE, MIN_SIZE, RabinTables, rabin::WINDOW};

/// Bytes of a segment, but for the last one.
const LENGTH: usize = 1 << 20;
/// Bytes before a segment that its first window needs.
const OVERLAP: usize = WINDOW - 1;
/// Segments that are read ahead. Reading one takes a third of the time that searching it does, so
/// more helpers than that would wait.
pub(crate) const AHEAD: usize = 4;

/// Who is told of segments that can be searched.
pub(crate) type Offer<'a> = &'a dyn Fn(Arc<Segment>);

/// Part of a file.
pub(crate) struct Segment {
    tables: Arc<RabinTables>,
    /// The bytes before, as far as there are any, then its own.
    bytes: Vec<u8>,
    overlap: usize,
    candidates: OnceLock<Option<Vec<usize>>>,
}

impl Segment {
    /// Lengths of the segment after which a chunk may end, `None` if there are too many. The first
    /// who calls this searches, others wait for the result.
    pub(crate) fn search(&self) -> Option<&[usize]> {
        let search = || {
            let mut found = self.tables.candidates(&self.bytes)?;
            for end in &mut found {
                *end -= self.overlap;
            }
            Some(found)
        };
        self.candidates.get_or_init(search).as_deref()
    }

    pub(super) fn content(&self) -> &[u8] {
        &self.bytes[self.overlap..]
    }
}

/// The segments of a reader's content.
pub(super) struct Segments<'a> {
    tables: Arc<RabinTables>,
    offer: Offer<'a>,
    /// Read and offered.
    waiting: VecDeque<Arc<Segment>>,
    /// The last bytes read.
    before: Vec<u8>,
    finished: bool,
}

impl<'a> Segments<'a> {
    pub(super) fn new(tables: Arc<RabinTables>, offer: Offer<'a>) -> Self {
        Self {
            tables,
            offer,
            waiting: VecDeque::with_capacity(AHEAD),
            before: Vec::new(),
            finished: false,
        }
    }

    /// The next segment; `None` at the end.
    pub(super) fn next(&mut self, reader: &mut impl Read) -> io::Result<Option<Arc<Segment>>> {
        while self.waiting.len() < AHEAD && !self.finished {
            let segment = Arc::new(self.read(reader)?);
            (self.offer)(Arc::clone(&segment));
            self.waiting.push_back(segment);
        }
        let next = self.waiting.pop_front();
        // Others begin with the oldest.
        if let (Some(next), Some(newest)) = (&next, self.waiting.back())
            && next.candidates.get().is_none()
        {
            newest.search();
        }
        Ok(next)
    }

    /// Whether the last segment has been given out.
    pub(super) fn is_at_end(&self) -> bool {
        self.finished && self.waiting.is_empty()
    }

    fn read(&mut self, reader: &mut impl Read) -> io::Result<Segment> {
        let overlap = self.before.len();
        let mut bytes = Vec::with_capacity(overlap + LENGTH);
        bytes.append(&mut self.before);
        let read = reader.take(LENGTH as u64).read_to_end(&mut bytes)?;
        self.finished = read < LENGTH;
        let last = bytes.len().saturating_sub(OVERLAP);
        self.before.extend_from_slice(&bytes[last..]);
        Ok(Segment {
            tables: Arc::clone(&self.tables),
            bytes,
            overlap,
            candidates: OnceLock::new(),
        })
    }
}

/// Length of the first chunk of `available` bytes, of which `candidates` are known; `None` if more
/// data is needed to tell.
pub(super) fn choose(candidates: &[usize], available: usize) -> Option<usize> {
    let mut long = candidates.iter().filter(|end| **end >= MIN_SIZE);
    let end = long.next().map_or(MAX_SIZE, |end| MAX_SIZE.min(*end));
    (end <= available).then_some(end)
}
