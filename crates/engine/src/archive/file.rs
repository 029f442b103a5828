//! Files: read, cut and stored by one worker, small ones several at a time, large ones with the help
//! of others.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::{EntryFailure, EntryPath, Opener, Phase};

use super::directory::{Place, Slot};
use super::session::{Change, Session};
use crate::chunk::Chunks;
use crate::error::Result;
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::hash;
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

/// Pieces of a file to be stored, one after the other.
pub(super) struct BlobJob {
    pieces: Vec<Vec<u8>>,
    first: usize,
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
    unfinished: Option<Unfinished>,
}

/// A file's entry until its content is known.
struct Unfinished {
    node: Node,
    change: Change,
    place: Place,
}

/// A file of at most one piece, read.
struct Whole {
    plain: Vec<u8>,
    entry: Unfinished,
}

/// Bytes of pieces that are hashed together, unless one has more.
const GROUP_BYTES: usize = 6 << 20;

fn lock(file: &Mutex<OpenFile>) -> MutexGuard<'_, OpenFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stores files: those of one piece all together, others each on its own.
pub(super) fn run(files: Vec<FileJob>, session: &Session<'_>) -> Result<()> {
    let mut whole = Vec::with_capacity(files.len());
    for file in files {
        whole.extend(file.read(session)?);
    }
    let plain: Vec<&[u8]> = whole.iter().map(|file| &file.plain[..]).collect();
    for (id, Whole { plain, entry }) in hash::all(&plain).into_iter().zip(whole) {
        session.check()?;
        let mut content = Vec::new();
        if !plain.is_empty() {
            session.store.save_with_id(BlobKind::Data, id, &plain)?;
            content.push(id);
        }
        session.context.progress.add(plain.len() as u64, 0);
        entry.finish(content, plain.len() as u64, session)?;
    }
    Ok(())
}

impl FileJob {
    /// Reads the file and gives it back if it is of one piece; otherwise it is stored, or noted as
    /// failed.
    fn read(self, session: &Session<'_>) -> Result<Option<Whole>> {
        session.check()?;
        session.context.progress.current(&self.path);
        let size = self.node.metadata.size;
        let entry = Unfinished {
            node: self.node,
            change: self.change,
            place: self.place,
        };
        let failure = match (self.open)() {
            Ok(reader) => {
                let mut chunks = Chunks::new(reader, session.cutter.clone(), size);
                let offer = |segment| session.queue.push_segment(segment);
                let help = session.help(size);
                if help.is_some() {
                    chunks = chunks.helped(&offer);
                }
                match chunks.next_chunk() {
                    Ok(first) if chunks.is_at_end() => {
                        let plain = first.unwrap_or_default();
                        return Ok(Some(Whole { plain, entry }));
                    }
                    Ok(first) => return store(first, chunks, self.path, entry, session),
                    Err(error) => (Phase::Read, error),
                }
            }
            Err(error) => (Phase::Open, error),
        };
        let (phase, error) = failure;
        session.entry_failed(EntryFailure::new(self.path, phase, error.to_string()))?;
        entry.place.finish(Slot::Empty, session)?;
        Ok(None)
    }
}

/// Stores a file of several pieces, the first of which has been read.
fn store<R: Read>(
    first: Option<Vec<u8>>,
    chunks: Chunks<'_, R>,
    path: EntryPath,
    entry: Unfinished,
    session: &Session<'_>,
) -> Result<Option<Whole>> {
    let file = Arc::new(Mutex::new(OpenFile {
        blobs: Vec::new(),
        length: 0,
        remaining: 1,
        failed: false,
        unfinished: Some(entry),
    }));
    if let Err(error) = hand_out(&file, first, chunks, session)? {
        lock(&file).failed = true;
        session.entry_failed(EntryFailure::new(path, Phase::Read, error.to_string()))?;
    }
    one_less(&file, session)?;
    Ok(None)
}

/// Hands out the content in groups of pieces. The outer error ends the backup, the inner one is the
/// file's own.
fn hand_out<R: Read>(
    file: &Arc<Mutex<OpenFile>>,
    first: Option<Vec<u8>>,
    mut chunks: Chunks<'_, R>,
    session: &Session<'_>,
) -> Result<io::Result<()>> {
    let mut group: Vec<Vec<u8>> = first.into_iter().collect();
    loop {
        session.check()?;
        let more = match chunks.next_chunk() {
            Ok(piece) => piece,
            Err(error) => return Ok(Err(error)),
        };
        let at_end = more.is_none() || chunks.is_at_end();
        group.extend(more);
        let bytes: usize = group.iter().map(Vec::len).sum();
        if !at_end && group.len() < hash::LANES && bytes < GROUP_BYTES {
            continue;
        }
        let job = BlobJob::new(std::mem::take(&mut group), file);
        // The last group, often the only one, is not worth waking another worker for.
        let kept = if at_end {
            Err(job)
        } else {
            session.queue.try_push_blob(job)
        };
        if let Err(job) = kept {
            job.run(session)?;
        }
        if at_end {
            return Ok(Ok(()));
        }
    }
}

impl BlobJob {
    /// The next pieces of a file.
    fn new(pieces: Vec<Vec<u8>>, open: &Arc<Mutex<OpenFile>>) -> Self {
        let mut file = lock(open);
        let first = file.blobs.len();
        file.length += pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        file.blobs.resize(first + pieces.len(), None);
        file.remaining += pieces.len();
        let file = Arc::clone(open);
        Self {
            pieces,
            first,
            file,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    pub(super) fn run(self, session: &Session<'_>) -> Result<()> {
        let pieces: Vec<&[u8]> = self.pieces.iter().map(|piece| &piece[..]).collect();
        let ids = hash::all(&pieces);
        for (index, (piece, id)) in self.pieces.into_iter().zip(ids).enumerate() {
            session.check()?;
            session.store.save_with_id(BlobKind::Data, id, &piece)?;
            session.context.progress.add(piece.len() as u64, 0);
            lock(&self.file).blobs[self.first + index] = Some(id);
            one_less(&self.file, session)?;
        }
        Ok(())
    }
}

/// Finishes the file if that was the last piece.
fn one_less(file: &Mutex<OpenFile>, session: &Session<'_>) -> Result<()> {
    let (content, length, failed, entry) = {
        let mut file = lock(file);
        file.remaining -= 1;
        if file.remaining > 0 {
            return Ok(());
        }
        let Some(entry) = file.unfinished.take() else {
            return Ok(());
        };
        let content = std::mem::take(&mut file.blobs);
        (content, file.length, file.failed, entry)
    };
    if failed {
        return entry.place.finish(Slot::Empty, session);
    }
    entry.finish(content.into_iter().flatten().collect(), length, session)
}

impl Unfinished {
    fn finish(self, content: Vec<Id>, length: u64, session: &Session<'_>) -> Result<()> {
        let Self {
            mut node,
            change,
            place,
        } = self;
        node.content = content;
        node.metadata.size = length;
        session.count_file(change, length);
        session.context.progress.add(0, 1);
        place.finish(Slot::New(Box::new(node)), session)
    }
}
