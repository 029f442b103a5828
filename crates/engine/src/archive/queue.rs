//! Work for the workers: segments of the large file at hand first, for its reader waits for them,
//! then pieces of content, then whole files.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::file::{BlobJob, FileJob};
use crate::chunk::{AHEAD, Segment};

/// Files that wait per queue; enough for workers never to starve on small ones.
const MAX_FILES: usize = 256;
/// Files that a worker takes at once, so that it can hash them together.
const BATCH_FILES: usize = 16;
/// Bytes of content that it takes at once, unless the first file alone has more.
const BATCH_BYTES: u64 = 1 << 20;
/// Part of the waiting files that one worker takes at most; the rest is for the others.
const BATCH_SHARE: usize = 8;

pub(super) enum Job {
    Files(Vec<FileJob>),
    Blob(BlobJob),
    Search(Arc<Segment>),
}

/// A bounded queue. Whoever reads a file may put its pieces here for others, and works on them
/// itself if there is no room, so that nobody ever waits for a free worker.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    room: Condvar,
    max_blob_bytes: usize,
}

#[derive(Default)]
struct State {
    files: VecDeque<FileJob>,
    blobs: VecDeque<BlobJob>,
    segments: VecDeque<Arc<Segment>>,
    blob_bytes: usize,
    /// Workers that are at files and may still put pieces here.
    reading: usize,
    closed: bool,
}

impl State {
    /// The next files that are small enough to be taken together.
    fn take_batch(&mut self) -> Vec<FileJob> {
        let most = (self.files.len() / BATCH_SHARE).clamp(1, BATCH_FILES);
        let mut bytes = 0;
        let count = self.files.iter().take(most).take_while(|file| {
            bytes += file.node.metadata.size;
            bytes <= BATCH_BYTES
        });
        let count = count.count().max(1);
        self.files.drain(..count).collect()
    }
}

impl Queue {
    pub(super) fn new(max_blob_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            room: Condvar::new(),
            max_blob_bytes,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a file, waiting for room; drops it if the queue is closed.
    pub(super) fn push_file(&self, job: FileJob) {
        let mut state = self.state();
        while state.files.len() >= MAX_FILES && !state.closed {
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !state.closed {
            state.files.push_back(job);
            self.changed.notify_one();
        }
    }

    /// Adds a piece if there is room, else gives it back.
    pub(super) fn try_push_blob(&self, job: BlobJob) -> Result<(), BlobJob> {
        let mut state = self.state();
        if state.blob_bytes + job.bytes() > self.max_blob_bytes {
            return Err(job);
        }
        state.blob_bytes += job.bytes();
        state.blobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Adds a segment in the place of one whose reader must have searched it by now.
    pub(super) fn push_segment(&self, segment: Arc<Segment>) {
        let mut state = self.state();
        if state.segments.len() >= AHEAD {
            state.segments.pop_front();
        }
        state.segments.push_back(segment);
        self.changed.notify_one();
    }

    /// Waits for work; `None` when there is none and will be none.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(segment) = state.segments.pop_front() {
                return Some(Job::Search(segment));
            }
            if let Some(job) = state.blobs.pop_front() {
                state.blob_bytes -= job.bytes();
                return Some(Job::Blob(job));
            }
            if !state.files.is_empty() {
                state.reading += 1;
                let batch = state.take_batch();
                if state.files.len() <= MAX_FILES / 2 {
                    self.room.notify_one();
                }
                return Some(Job::Files(batch));
            }
            if state.closed && state.reading == 0 {
                self.changed.notify_all();
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A worker is done with the files it took.
    pub(super) fn files_done(&self) {
        let mut state = self.state();
        state.reading -= 1;
        if state.closed && state.reading == 0 {
            self.changed.notify_all();
        }
    }

    /// No more files will come.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
        self.room.notify_all();
    }

    /// Drops all work there is: the backup has failed.
    pub(super) fn abort(&self) {
        let dropped = {
            let mut state = self.state();
            state.closed = true;
            state.blob_bytes = 0;
            (
                std::mem::take(&mut state.files),
                std::mem::take(&mut state.blobs),
            )
        };
        self.changed.notify_all();
        self.room.notify_all();
        // Dropping a file may close a source's reader, which may take its time.
        drop(dropped);
    }
}
