//! One file: read, cut and stored by one worker, with the help of others if it is large.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::{EntryFailure, EntryPath, Opener, Phase};

use super::directory::Place;
use super::session::{Change, Session};
use crate::chunk::Chunks;
use crate::error::Result;
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::id::Id;

/// A file to be read.
pub(super) struct FileJob {
    pub(super) path: EntryPath,
    /// Without content; the size is what the source claims.
    pub(super) node: Node,
    pub(super) open: Opener,
    pub(super) change: Change,
    pub(super) place: Place,
}

/// A piece of a file to be stored.
pub(super) struct BlobJob {
    pub(super) plain: Vec<u8>,
    index: usize,
    file: Arc<Mutex<OpenFile>>,
}

/// A file not all of whose pieces are stored.
struct OpenFile {
    blobs: Vec<Option<Id>>,
    length: u64,
    /// Pieces not stored yet, and one more until the file is read.
    remaining: usize,
    failed: bool,
    /// Taken by whoever finishes the file.
    unfinished: Option<(Node, Change, Place)>,
}

fn lock(file: &Mutex<OpenFile>) -> MutexGuard<'_, OpenFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileJob {
    pub(super) fn run(self, session: &Session<'_>) -> Result<()> {
        session.check()?;
        session.context.progress.current(&self.path);
        let size = self.node.metadata.size;
        let file = Arc::new(Mutex::new(OpenFile {
            blobs: Vec::new(),
            length: 0,
            remaining: 1,
            failed: false,
            unfinished: Some((self.node, self.change, self.place)),
        }));
        let (phase, read) = match (self.open)() {
            Ok(reader) => {
                let chunks = Chunks::new(reader, session.cutter.clone(), size);
                (Phase::Read, hand_out(&file, chunks, session)?)
            }
            Err(error) => (Phase::Open, Err(error)),
        };
        if let Err(error) = read {
            lock(&file).failed = true;
            session.entry_failed(EntryFailure::new(self.path, phase, error.to_string()))?;
        }
        one_less(&file, session)
    }
}

/// Hands out the content in pieces. The outer error ends the backup, the inner one is the file's
/// own.
fn hand_out<R: Read>(
    file: &Arc<Mutex<OpenFile>>,
    mut chunks: Chunks<R>,
    session: &Session<'_>,
) -> Result<io::Result<()>> {
    loop {
        session.check()?;
        let plain = match chunks.next_chunk() {
            Ok(Some(plain)) => plain,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let index = {
            let mut file = lock(file);
            file.length += plain.len() as u64;
            file.blobs.push(None);
            file.remaining += 1;
            file.blobs.len() - 1
        };
        // The last piece, often the only one, is not worth waking another worker for.
        let last = chunks.is_at_end();
        let job = BlobJob {
            plain,
            index,
            file: Arc::clone(file),
        };
        let kept = if last {
            Err(job)
        } else {
            session.queue.try_push_blob(job)
        };
        if let Err(job) = kept {
            job.run(session)?;
        }
    }
}

impl BlobJob {
    pub(super) fn run(self, session: &Session<'_>) -> Result<()> {
        session.check()?;
        let id = session.store.save(BlobKind::Data, &self.plain)?;
        session.context.progress.add(self.plain.len() as u64, 0);
        lock(&self.file).blobs[self.index] = Some(id);
        one_less(&self.file, session)
    }
}

/// Finishes the file if that was the last piece.
fn one_less(file: &Mutex<OpenFile>, session: &Session<'_>) -> Result<()> {
    let (content, length, failed, (mut node, change, place)) = {
        let mut file = lock(file);
        file.remaining -= 1;
        if file.remaining > 0 {
            return Ok(());
        }
        let Some(unfinished) = file.unfinished.take() else {
            return Ok(());
        };
        (
            std::mem::take(&mut file.blobs),
            file.length,
            file.failed,
            unfinished,
        )
    };
    if failed {
        return place.finish(None, session);
    }
    node.content = content.into_iter().flatten().collect();
    node.metadata.size = length;
    session.count_file(change, length);
    session.context.progress.add(0, 1);
    place.finish(Some(node), session)
}
