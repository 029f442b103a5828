//! Reads packs in few large pieces and hands their blobs to the files.

use std::sync::atomic::{AtomicUsize, Ordering};

use strongroom_domain::tree::Phase;

use super::Session;
use super::plan::{Part, Plan};
use super::target::Directories;
use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::index::IndexBlob;
use crate::id::Id;

/// Bytes between two blobs that are rather read than skipped.
const MAX_GAP: u64 = 128 << 10;
/// Bytes read at once, unless one blob is longer.
const MAX_READ: u64 = 8 << 20;

/// Writes all files of the plan.
pub(super) fn run(plan: &mut Plan, session: &Session<'_>) -> Result<()> {
    let packs = std::mem::take(&mut plan.packs);
    let next = AtomicUsize::new(0);
    let open_files = AtomicUsize::new(0);
    let fetcher = Fetcher {
        plan,
        session,
        open_files: &open_files,
    };
    let mut directories = Directories::new(session.target);
    for file in plan.files.iter().filter(|file| file.is_empty()) {
        session.check()?;
        file.create_empty(session, &mut directories);
    }
    std::thread::scope(|scope| {
        for _ in 0..session.context.limits.threads.max(1) {
            scope.spawn(|| {
                let mut directories = Directories::new(session.target);
                while let Some((pack, parts)) = packs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = fetcher.pack(*pack, parts, &mut directories) {
                        session.fatal().get_or_insert(error);
                        return;
                    }
                }
            });
        }
    });
    if session.context.cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    session.fatal().take().map_or(Ok(()), Err)
}

struct Fetcher<'a> {
    plan: &'a Plan,
    session: &'a Session<'a>,
    open_files: &'a AtomicUsize,
}

impl Fetcher<'_> {
    fn pack(&self, pack: Id, parts: &[Part], directories: &mut Directories<'_>) -> Result<()> {
        let mut rest = parts;
        while !rest.is_empty() {
            self.session.check()?;
            let (piece, after) = rest.split_at(piece_length(rest));
            self.piece(pack, piece, directories)?;
            rest = after;
        }
        Ok(())
    }

    /// Reads the parts of one piece of a pack in one go.
    fn piece(&self, pack: Id, parts: &[Part], directories: &mut Directories<'_>) -> Result<()> {
        let start = u64::from(parts[0].blob.offset);
        let end = parts
            .iter()
            .map(|part| part.blob.end())
            .max()
            .unwrap_or(start);
        let handle = Handle::new(FileKind::Pack, pack);
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        let stored = self
            .session
            .repository
            .repository()
            .backend()
            .get_range(handle, start, length);
        // If this fails, each blob is tried by itself: some may be there, or elsewhere too.
        let stored = stored.ok();
        for same_blob in parts.chunk_by(|a, b| a.blob.offset == b.blob.offset) {
            self.session.check()?;
            let blob = &same_blob[0].blob;
            let content = self.blob(pack, blob, start, stored.as_deref());
            let content = match content {
                Ok(content) => Some(content),
                Err(error) if error.is_damage() => {
                    self.report_lost(same_blob, &error);
                    None
                }
                Err(error) => return Err(error),
            };
            for part in same_blob {
                let file = &self.plan.files[part.file];
                file.part(
                    part.at,
                    content.as_deref(),
                    self.session,
                    directories,
                    self.open_files,
                );
            }
        }
        Ok(())
    }

    fn blob(
        &self,
        pack: Id,
        blob: &IndexBlob,
        start: u64,
        stored: Option<&[u8]>,
    ) -> Result<Vec<u8>> {
        let repository = self.session.repository;
        let from = usize::try_from(u64::from(blob.offset) - start).unwrap_or(usize::MAX);
        let stored = stored.and_then(|s| s.get(from..from.checked_add(blob.length as usize)?));
        if let Some(stored) = stored
            && let Ok(content) = repository.repository().decode_blob(pack, blob, stored)
        {
            return Ok(content);
        }
        // Reads it again, and from other packs that have it.
        repository.read_blob(blob.kind, blob.id)
    }

    fn report_lost(&self, parts: &[Part], error: &Error) {
        for part in parts {
            let end = part.at.saturating_add(part.blob.plain_length());
            let message = format!("bytes {} to {end} are lost: {}", part.at, error.chain());
            self.session
                .failed(&self.plan.files[part.file].path, Phase::Fetch, message);
        }
    }
}

/// How many of the parts are read together.
fn piece_length(parts: &[Part]) -> usize {
    let start = u64::from(parts[0].blob.offset);
    let mut end = parts[0].blob.end();
    let close = parts.iter().take_while(|part| {
        let offset = u64::from(part.blob.offset);
        let fits = offset <= end + MAX_GAP && part.blob.end().max(end) - start <= MAX_READ;
        let same = offset == start;
        end = end.max(part.blob.end());
        fits || same
    });
    close.count().max(1)
}
