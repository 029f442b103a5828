//! One file at the target while its parts come in from several packs.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::{EntryPath, Phase};

use super::Session;
use super::attributes::Attributes;
use super::directory::Directory;
use super::target::{self, Directories};

/// Files kept open because more parts are to come.
const MAX_OPEN: usize = 256;

/// Runs of zeros this long become holes in a sparse restore.
const HOLE: usize = 4096;

/// A file to be restored.
#[derive(Debug)]
pub(super) struct FilePlan {
    directory: Arc<Directory>,
    name: Box<[u8]>,
    attributes: Attributes,
    size: u64,
    parts: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    handle: Option<Arc<File>>,
    created: bool,
    /// Failed at the target; further parts are not tried.
    failed: bool,
    done: usize,
}

/// What a thread of the restore needs to write.
pub(super) struct Writer<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) directories: Directories<'a>,
    /// Number of files kept open by all threads.
    pub(super) open_files: &'a AtomicUsize,
}

impl FilePlan {
    pub(super) fn new(
        directory: &Arc<Directory>,
        name: Vec<u8>,
        attributes: Attributes,
        size: u64,
        parts: usize,
    ) -> Self {
        Self {
            directory: Arc::clone(directory),
            name: name.into(),
            attributes,
            size,
            parts,
            state: Mutex::default(),
        }
    }

    pub(super) fn path(&self) -> EntryPath {
        let path = self.directory.path.join(&self.name);
        path.expect("names in parsed trees were checked")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts == 0
    }

    /// Creates a file without content.
    pub(super) fn create_empty(&self, writer: &mut Writer<'_>) {
        // What is missing at its end was reported when this was planned.
        let created = self.create(writer).and_then(|file| {
            if self.size > 0 {
                file.set_len(self.size)?;
            }
            self.finish(&file, writer)
        });
        self.report(created, Phase::Create, writer);
        writer.session.context.progress.add(0, 1);
    }

    /// Takes one part: content, or `None` if it could not be read (which was reported). The last
    /// one closes the file.
    pub(super) fn part(&self, at: u64, content: Option<&[u8]>, writer: &mut Writer<'_>) {
        if self.parts == 1 {
            let written = self.write_whole(content, writer);
            self.report(written, Phase::Write, writer);
            writer.session.context.progress.add(0, 1);
            return;
        }
        let opened = self.take_file(writer);
        let written = opened.and_then(|file| match (&file, content) {
            (Some(file), Some(content)) => write(file, content, at, writer.session),
            _ => Ok(()),
        });
        let mut state = self.lock();
        if let Err(error) = written {
            state.failed = true;
            self.report(Err(error), Phase::Write, writer);
        }
        state.done += 1;
        if state.done == self.parts {
            self.close(&mut state, writer);
        }
    }

    /// The only part: nobody else has this file.
    fn write_whole(&self, content: Option<&[u8]>, writer: &mut Writer<'_>) -> io::Result<()> {
        let file = self.create(writer)?;
        let content = content.unwrap_or_default();
        write(&file, content, 0, writer.session)?;
        let may_end_in_hole = writer.session.options.sparse && content.ends_with(&[0]);
        if may_end_in_hole || self.size > content.len() as u64 {
            file.set_len(self.size.max(content.len() as u64))?;
        }
        self.finish(&file, writer)
    }

    fn create(&self, writer: &mut Writer<'_>) -> io::Result<File> {
        let directory = writer.directories.open(&self.directory.path)?;
        let file = target::create_file(&directory, OsStr::from_bytes(&self.name))?;
        writer.session.files.fetch_add(1, Ordering::Relaxed);
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open file; none if it failed before.
    fn take_file(&self, writer: &mut Writer<'_>) -> io::Result<Option<Arc<File>>> {
        let mut state = self.lock();
        if state.failed {
            return Ok(None);
        }
        if let Some(file) = &state.handle {
            return Ok(Some(Arc::clone(file)));
        }
        let file = Arc::new(self.open(&mut state, writer)?);
        if writer.open_files.fetch_add(1, Ordering::Relaxed) < MAX_OPEN {
            state.handle = Some(Arc::clone(&file));
        } else {
            writer.open_files.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(Some(file))
    }

    fn open(&self, state: &mut State, writer: &mut Writer<'_>) -> io::Result<File> {
        if state.created {
            let directory = writer.directories.open(&self.directory.path)?;
            return target::reopen_file(&directory, OsStr::from_bytes(&self.name));
        }
        let file = self.create(writer)?;
        state.created = true;
        file.set_len(self.size)?;
        Ok(file)
    }

    fn close(&self, state: &mut State, writer: &mut Writer<'_>) {
        let handle = state.handle.take();
        if handle.is_some() {
            writer.open_files.fetch_sub(1, Ordering::Relaxed);
        }
        if !state.failed {
            let closed = match handle {
                Some(file) => self.finish(&file, writer),
                None => self
                    .open(state, writer)
                    .and_then(|file| self.finish(&file, writer)),
            };
            self.report(closed, Phase::Attributes, writer);
        }
        writer.session.context.progress.add(0, 1);
    }

    fn finish(&self, file: &File, writer: &Writer<'_>) -> io::Result<()> {
        let has_owner =
            self.directory.gives_our_owner() && writer.session.target.is_ours(&self.attributes);
        self.attributes.apply(file, !has_owner)
    }

    fn report(&self, result: io::Result<()>, phase: Phase, writer: &Writer<'_>) {
        if let Err(error) = result {
            writer.session.target_failed(&self.path(), phase, error);
        }
    }
}

fn write(file: &File, content: &[u8], at: u64, session: &Session<'_>) -> io::Result<()> {
    if session.options.sparse {
        write_sparse(file, content, at)?;
    } else {
        file.write_all_at(content, at)?;
    }
    let length = content.len() as u64;
    session.bytes.fetch_add(length, Ordering::Relaxed);
    session.context.progress.add(length, 0);
    Ok(())
}

/// Leaves out whole pieces of zeros, and writes what is between them in one go.
fn write_sparse(file: &File, content: &[u8], at: u64) -> io::Result<()> {
    const ZEROS: [u8; HOLE] = [0; HOLE];
    let (mut from, mut to) = (0, 0);
    for piece in content.chunks(HOLE) {
        if piece == ZEROS {
            file.write_all_at(&content[from..to], at + from as u64)?;
            from = to + piece.len();
        }
        to += piece.len();
    }
    file.write_all_at(&content[from..], at + from as u64)
}
