//! One file at the target while its parts come in from several packs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::{EntryPath, Metadata, Phase};

use super::Session;
use super::attributes;
use super::target::{self, Directories};

/// Files kept open because more parts are to come.
const MAX_OPEN: usize = 256;

/// Runs of zeros this long become holes in a sparse restore.
const HOLE: usize = 4096;

/// A file to be restored.
pub(super) struct FilePlan {
    pub(super) path: EntryPath,
    metadata: Metadata,
    parts: usize,
    pub(super) written: AtomicU64,
    state: Mutex<State>,
}

struct State {
    handle: Option<File>,
    created: bool,
    /// Failed at the target; further parts are not tried.
    failed: bool,
    remaining: usize,
}

impl FilePlan {
    pub(super) fn new(path: EntryPath, metadata: Metadata, parts: usize) -> Self {
        let state = State {
            handle: None,
            created: false,
            failed: false,
            remaining: parts,
        };
        Self {
            path,
            metadata,
            parts,
            written: AtomicU64::new(0),
            state: Mutex::new(state),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts == 0
    }

    pub(super) fn created(&self) -> bool {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .created
    }

    /// Creates a file without content.
    pub(super) fn create_empty(&self, session: &Session<'_>, directories: &mut Directories<'_>) {
        let created = self.open(&mut self.lock(), directories).and_then(|file| {
            // What is missing at its end was reported when this was planned.
            file.set_len(self.metadata.size)?;
            attributes::apply(&file, &self.metadata)
        });
        if let Err(error) = created {
            session.target_failed(&self.path, Phase::Create, error);
        }
        session.context.progress.add(0, 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &mut State, directories: &mut Directories<'_>) -> io::Result<File> {
        let (directory, name) = directories.parent_of(&self.path)?;
        if state.created {
            return target::reopen_file(&directory, name);
        }
        let file = target::create_file(&directory, name)?;
        state.created = true;
        if self.parts > 1 {
            file.set_len(self.metadata.size)?;
        }
        Ok(file)
    }

    /// Takes one part: content, or `None` if it could not be read (which was reported). The last
    /// one closes the file.
    pub(super) fn part(
        &self,
        at: u64,
        content: Option<&[u8]>,
        session: &Session<'_>,
        directories: &mut Directories<'_>,
        open_files: &AtomicUsize,
    ) {
        let mut state = self.lock();
        if let Err(error) = self.write(&mut state, at, content, session, directories, open_files) {
            state.failed = true;
            session.target_failed(&self.path, Phase::Write, error);
        }
        state.remaining = state.remaining.saturating_sub(1);
        if state.remaining > 0 {
            return;
        }
        if !state.failed
            && let Err(error) = self.close(&mut state, directories, open_files)
        {
            session.target_failed(&self.path, Phase::Attributes, error);
        }
        drop(take_handle(&mut state, open_files));
        session.context.progress.add(0, 1);
    }

    fn write(
        &self,
        state: &mut State,
        at: u64,
        content: Option<&[u8]>,
        session: &Session<'_>,
        directories: &mut Directories<'_>,
        open_files: &AtomicUsize,
    ) -> io::Result<()> {
        if state.failed {
            return Ok(());
        }
        let file = match take_handle(state, open_files) {
            Some(file) => file,
            None => self.open(state, directories)?,
        };
        if let Some(content) = content {
            if session.options.sparse {
                write_sparse(&file, content, at)
            } else {
                file.write_all_at(content, at)
            }?;
            let length = content.len() as u64;
            self.written.fetch_add(length, Ordering::Relaxed);
            session.context.progress.add(length, 0);
        }
        // The last part closes it right away; otherwise only so many stay open.
        if open_files.fetch_add(1, Ordering::Relaxed) < MAX_OPEN || state.remaining == 1 {
            state.handle = Some(file);
        } else {
            open_files.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn close(
        &self,
        state: &mut State,
        directories: &mut Directories<'_>,
        open_files: &AtomicUsize,
    ) -> io::Result<()> {
        let file = match take_handle(state, open_files) {
            Some(file) => file,
            None => self.open(state, directories)?,
        };
        // A single part with a hole at its end does not reach it.
        if file.metadata()?.len() < self.metadata.size {
            file.set_len(self.metadata.size)?;
        }
        attributes::apply(&file, &self.metadata)
    }
}

fn take_handle(state: &mut State, open_files: &AtomicUsize) -> Option<File> {
    let handle = state.handle.take();
    if handle.is_some() {
        open_files.fetch_sub(1, Ordering::Relaxed);
    }
    handle
}

fn write_sparse(file: &File, content: &[u8], at: u64) -> io::Result<()> {
    let mut offset = at;
    for piece in content.chunks(HOLE) {
        if piece.len() < HOLE || piece.iter().any(|&byte| byte != 0) {
            file.write_all_at(piece, offset)?;
        }
        offset += piece.len() as u64;
    }
    Ok(())
}
