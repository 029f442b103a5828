//! Work for the workers: pieces of content first, then whole files.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::file::{BlobJob, FileJob};

/// Files that wait per queue; enough for workers never to starve on small ones.
const MAX_FILES: usize = 256;

pub(super) enum Job {
    File(Box<FileJob>),
    Blob(BlobJob),
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
    files: VecDeque<Box<FileJob>>,
    blobs: VecDeque<BlobJob>,
    blob_bytes: usize,
    /// Workers that are at a file and may still put pieces here.
    reading: usize,
    closed: bool,
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
    pub(super) fn push_file(&self, job: Box<FileJob>) {
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
        if state.blob_bytes + job.plain.len() > self.max_blob_bytes {
            return Err(job);
        }
        state.blob_bytes += job.plain.len();
        state.blobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for work; `None` when there is none and will be none.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.blobs.pop_front() {
                state.blob_bytes -= job.plain.len();
                return Some(Job::Blob(job));
            }
            if let Some(job) = state.files.pop_front() {
                state.reading += 1;
                self.room.notify_one();
                return Some(Job::File(job));
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

    /// A worker is done with the file it took.
    pub(super) fn file_done(&self) {
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
