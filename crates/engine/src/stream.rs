//! A snapshot as a stream of entries with their content: for archives and whoever wants to take
//! it piece by piece.

mod tar;

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};

use strongroom_domain::tree::{Context, EntryFailure, EntryPath, Limits, Patterns, Phase};

use crate::browse::{BrowseNode, SnapshotReader};
use crate::error::{Error, Result};
use crate::format::{BlobKind, MAX_BLOB};
use crate::id::Id;

pub use tar::TarSink;

/// Takes a snapshot, entry after entry in tree order.
pub trait Sink {
    /// The next entry. If it is a file, exactly `metadata.size` bytes of content follow: of a file
    /// of which less is stored than it had, that is what is stored.
    fn entry(&mut self, node: &BrowseNode) -> io::Result<()>;

    /// The next piece of the file's content.
    fn content(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// There is no more.
    fn finish(&mut self) -> io::Result<()>;
}

/// What to stream.
#[derive(Debug, Clone, Default)]
pub struct StreamOptions {
    /// Begin at this directory or file; at the root if empty.
    pub path: EntryPath,
    /// What to take; everything if empty.
    pub include: Patterns,
    /// What to leave out, even if included.
    pub exclude: Patterns,
}

/// What was streamed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamReport {
    /// Entries of all kinds.
    pub entries: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Entries that are missing, or not exactly as they were: bytes that are lost are zeros, and a
    /// file ends where nothing more is stored.
    pub failures: Vec<EntryFailure>,
}

enum Event {
    Entry(Box<BrowseNode>),
    Content(Vec<u8>),
    /// So many bytes cannot be read.
    Lost(u64),
    Failure(EntryFailure),
}

/// Events read and not written yet; pieces of content have 1 MiB on average.
const AHEAD: usize = 8;
/// The longest of them: restic's chunks have up to 8 MiB.
const LONGEST_PIECE: u64 = 8 << 20;

/// How many events may wait, so that their content has room.
fn ahead(limits: Limits) -> usize {
    // One is being read, and one is being written.
    let room = (limits.memory_bytes / LONGEST_PIECE).saturating_sub(2);
    usize::try_from(room).unwrap_or(AHEAD).min(AHEAD)
}

impl SnapshotReader {
    /// Gives the snapshot, or what of it the options choose, to `sink`. Goes on over damage, which
    /// is in the report. Reading and writing happen at the same time.
    pub fn stream(
        &self,
        options: &StreamOptions,
        sink: &mut dyn Sink,
        context: &Context,
    ) -> Result<StreamReport> {
        let mut report = StreamReport::default();
        let (send, receive) = sync_channel(ahead(context.limits));
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || self.read_events(options, &send, context));
            let mut written = Ok(());
            for event in &receive {
                written = handle(event, sink, &mut report, context);
                if written.is_err() {
                    break;
                }
            }
            // A reader that still has something to say finds nobody, and ends.
            drop(receive);
            let read = reader.join().unwrap_or(Err(Error::Internal));
            written?;
            read
        })?;
        sink.finish().map_err(output_failed)?;
        Ok(report)
    }

    fn read_events(
        &self,
        options: &StreamOptions,
        events: &SyncSender<Event>,
        context: &Context,
    ) -> Result<()> {
        if !options.path.is_root() {
            let node = self.find(&options.path)?;
            let is_dir = node.metadata.is_dir();
            self.node_events(node, events, context)?;
            if !is_dir {
                return Ok(());
            }
        }
        let mut walk = self.walk(&options.path)?;
        while let Some(node) = walk.next() {
            go_on(context)?;
            let node = match node {
                Ok(node) => node,
                Err(error) if error.source.is_damage() => {
                    let message = error.source.chain();
                    let failure = EntryFailure::new(error.path, Phase::Fetch, message);
                    send(events, Event::Failure(failure))?;
                    continue;
                }
                Err(error) => return Err(error.source),
            };
            if options.exclude.matches(&node.path) {
                walk.skip_directory();
            } else if options.include.is_empty() || options.include.matches(&node.path) {
                self.node_events(node, events, context)?;
            }
        }
        Ok(())
    }

    fn node_events(
        &self,
        mut node: BrowseNode,
        events: &SyncSender<Event>,
        context: &Context,
    ) -> Result<()> {
        let (path, content) = (node.path.clone(), node.content.clone());
        let lost = self.cut_to_stored(&mut node);
        let mut missing = if node.metadata.is_file() {
            node.metadata.size
        } else {
            0
        };
        send(events, Event::Entry(Box::new(node)))?;
        if lost > 0 {
            let message = format!("{lost} bytes at its end are not stored");
            let failure = EntryFailure::new(path.clone(), Phase::Fetch, message);
            send(events, Event::Failure(failure))?;
        }
        for id in content {
            go_on(context)?;
            let length = match self.repository().read_blob(BlobKind::Data, id) {
                // More than the file is said to have would be taken for the next entry.
                Ok(mut blob) if missing > 0 => {
                    blob.truncate(usize::try_from(missing).unwrap_or(usize::MAX));
                    let length = blob.len() as u64;
                    send(events, Event::Content(blob))?;
                    length
                }
                Ok(_) => 0,
                Err(error) if error.is_damage() => {
                    let length = self.stored_length(id).min(missing);
                    let message = format!("{length} bytes are lost: {}", error.chain());
                    let failure = EntryFailure::new(path.clone(), Phase::Fetch, message);
                    send(events, Event::Failure(failure))?;
                    send(events, Event::Lost(length))?;
                    length
                }
                Err(error) => return Err(error),
            };
            missing -= length;
        }
        if missing > 0 {
            // Its blobs are shorter than the index says.
            let message = format!("{missing} bytes at its end are lost");
            let failure = EntryFailure::new(path, Phase::Fetch, message);
            send(events, Event::Failure(failure))?;
            send(events, Event::Lost(missing))?;
        }
        Ok(())
    }

    /// Makes a file as long as what is stored of it; gives how much longer it was said to be.
    fn cut_to_stored(&self, node: &mut BrowseNode) -> u64 {
        if !node.metadata.is_file() {
            return 0;
        }
        let lengths = node.content.iter().map(|id| self.stored_length(*id));
        let stored = lengths.fold(0, u64::saturating_add);
        let lost = node.metadata.size.saturating_sub(stored);
        node.metadata.size -= lost;
        lost
    }

    /// Length of a blob, 0 if nothing is known of it.
    fn stored_length(&self, id: Id) -> u64 {
        let known = self.repository().index().get(BlobKind::Data, id);
        let length = known.map_or(0, |known| known.blob.plain_length());
        length.min(MAX_BLOB as u64)
    }
}

fn go_on(context: &Context) -> Result<()> {
    if context.cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(())
}

/// Fails if nobody listens any more; why is known there.
fn send(events: &SyncSender<Event>, event: Event) -> Result<()> {
    events.send(event).map_err(|_| Error::Cancelled)
}

fn handle(
    event: Event,
    sink: &mut dyn Sink,
    report: &mut StreamReport,
    context: &Context,
) -> Result<()> {
    match event {
        Event::Entry(node) => {
            report.entries += 1;
            context.progress.add(0, 1);
            sink.entry(&node).map_err(output_failed)
        }
        Event::Content(bytes) => {
            report.bytes += bytes.len() as u64;
            context.progress.add(bytes.len() as u64, 0);
            sink.content(&bytes).map_err(output_failed)
        }
        Event::Lost(mut length) => {
            const ZEROS: [u8; 4096] = [0; 4096];
            while length > 0 {
                go_on(context)?;
                let piece = usize::try_from(length)
                    .unwrap_or(usize::MAX)
                    .min(ZEROS.len());
                sink.content(&ZEROS[..piece]).map_err(output_failed)?;
                length -= piece as u64;
            }
            Ok(())
        }
        Event::Failure(failure) => {
            context.progress.failed(&failure);
            report.failures.push(failure);
            Ok(())
        }
    }
}

fn output_failed(source: io::Error) -> Error {
    let path = "the output".to_owned();
    Error::Target { path, source }
}
