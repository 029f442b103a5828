//! What the last backup of a source stored, kept on the machine that is backed up, so that the
//! next one need not read it from the repository.
//!
//! The file holds one [`Record`] per directory, found by the id of its tree, in segments that are
//! sealed with the repository's key. A record is true whatever has happened since: it says what is
//! in a tree, and trees never change. A file that is missing, old, damaged or somebody else's
//! therefore costs time and nothing else.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::crypto::Cipher;
use crate::id::{Id, IdMap};
use crate::repository::Repository;

use super::BackupOptions;
use super::record::Record;

/// Bytes of records after which a segment is sealed.
const SEGMENT: usize = 256 << 10;
/// Opened segments kept at hand: directories near to each other are in the same few.
const KEPT: usize = 8;
/// More than this is not read: no file that this module writes is so large.
const MAX_SEALED: u64 = 1 << 30;
/// Length of a directory in the table: id, segment, start and end.
const PLACE: usize = 32 + 3 * 4;

/// Where the cache of a source is.
pub(super) fn path(directory: &Path, repository: &Repository, options: &BackupOptions) -> PathBuf {
    let mut source = repository.id().as_bytes().to_vec();
    for text in [&options.hostname].into_iter().chain(&options.paths) {
        source.extend_from_slice(text.as_bytes());
        source.push(0);
    }
    directory.join(Id::of(&source).to_hex())
}

/// Where a record is: segment, first byte and end within it.
#[derive(Debug, Clone, Copy)]
struct Place {
    segment: u32,
    start: u32,
    end: u32,
}

/// Finds records.
pub(super) struct Cache {
    file: File,
    repository: Repository,
    directories: IdMap<Place>,
    /// Where segments begin in the file, and where the last one ends.
    bounds: Vec<u64>,
    opened: VecDeque<(u32, Arc<Vec<u8>>)>,
}

impl Cache {
    /// Opens the file; `None` if it is of no use.
    pub(super) fn open(path: &Path, repository: &Repository) -> Option<Self> {
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut last = [0; 8];
        file.read_exact_at(&mut last, length.checked_sub(8)?).ok()?;
        let sealed = u64::from_le_bytes(last);
        let start = (length - 8).checked_sub(sealed)?;
        let table = unseal(&file, repository.cipher(), start, sealed)?;
        let (count, rest) = table.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let (bounds, places) = rest.split_at_checked(count.checked_mul(8)?)?;
        let bounds = bounds.as_chunks::<8>().0.iter();
        let directories = places.as_chunks::<PLACE>().0.iter().map(read_place);
        Some(Self {
            file,
            repository: repository.clone(),
            directories: directories.collect(),
            bounds: bounds.map(|bytes| u64::from_le_bytes(*bytes)).collect(),
            opened: VecDeque::new(),
        })
    }

    /// The record of a tree.
    pub(super) fn get(&mut self, tree: Id) -> Option<Record> {
        let Place {
            segment,
            start,
            end,
        } = *self.directories.get(&tree)?;
        let segment = self.segment(segment)?;
        let bytes = segment.get(start as usize..end as usize)?;
        Record::from_bytes(tree, bytes.to_vec())
    }

    fn segment(&mut self, number: u32) -> Option<Arc<Vec<u8>>> {
        let opened = self.opened.iter().find(|(other, _)| *other == number);
        if let Some((_, opened)) = opened {
            return Some(Arc::clone(opened));
        }
        let at = number as usize;
        let (start, end) = (*self.bounds.get(at)?, *self.bounds.get(at + 1)?);
        let length = end.checked_sub(start)?;
        let plain = Arc::new(unseal(&self.file, self.repository.cipher(), start, length)?);
        self.opened.truncate(KEPT - 1);
        self.opened.push_front((number, Arc::clone(&plain)));
        Some(plain)
    }
}

fn read_place(bytes: &[u8; PLACE]) -> (Id, Place) {
    let mut id = [0; 32];
    id.copy_from_slice(&bytes[..32]);
    let (numbers, _) = bytes[32..].as_chunks::<4>();
    let place = Place {
        segment: u32::from_le_bytes(numbers[0]),
        start: u32::from_le_bytes(numbers[1]),
        end: u32::from_le_bytes(numbers[2]),
    };
    (Id::from_bytes(id), place)
}

fn unseal(file: &File, cipher: &Cipher, start: u64, length: u64) -> Option<Vec<u8>> {
    if length > MAX_SEALED || start.checked_add(length)? > file.metadata().ok()?.len() {
        return None;
    }
    let mut sealed = vec![0; usize::try_from(length).ok()?];
    file.read_exact_at(&mut sealed, start).ok()?;
    cipher.open(&sealed).ok()
}

/// Writes a new cache beside the old one, which it replaces at the end.
pub(super) struct CacheWriter {
    path: PathBuf,
    temporary: PathBuf,
    /// `None` after an error: then there will be no new cache.
    file: Option<File>,
    repository: Repository,
    segment: Vec<u8>,
    bounds: Vec<u64>,
    table: Vec<u8>,
}

impl CacheWriter {
    pub(super) fn create(path: PathBuf, repository: &Repository) -> io::Result<Self> {
        /// Makes temporary names unique within the process.
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        if let Some(directory) = path.parent() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(directory)?;
        }
        let (process, number) = (std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let temporary = path.with_extension(format!("{process}-{number}"));
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600);
        Ok(Self {
            file: Some(file.open(&temporary)?),
            path,
            temporary,
            repository: repository.clone(),
            segment: Vec::new(),
            bounds: vec![0],
            table: Vec::new(),
        })
    }

    /// Adds the record of a tree.
    pub(super) fn add(&mut self, tree: Id, record: &[u8]) {
        let start = self.segment.len();
        let (Ok(from), Ok(to)) = (u32::try_from(start), u32::try_from(start + record.len())) else {
            return;
        };
        let Ok(number) = u32::try_from(self.bounds.len() - 1) else {
            return;
        };
        self.segment.extend_from_slice(record);
        self.table.extend_from_slice(tree.as_bytes());
        for value in [number, from, to] {
            self.table.extend_from_slice(&value.to_le_bytes());
        }
        if self.segment.len() >= SEGMENT && self.flush().is_err() {
            self.file = None;
        }
    }

    /// Seals what has been added.
    fn flush(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let sealed = self.repository.cipher().seal(&self.segment);
        self.segment.clear();
        let end = self.bounds.last().copied().unwrap_or(0) + sealed.len() as u64;
        self.bounds.push(end);
        file.write_all(&sealed)
    }

    /// Puts the new cache in the place of the old one.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let count = u32::try_from(self.bounds.len()).map_err(io::Error::other)?;
        let mut table = count.to_le_bytes().to_vec();
        self.bounds
            .iter()
            .for_each(|bound| table.extend_from_slice(&bound.to_le_bytes()));
        table.append(&mut self.table);
        let sealed = self.repository.cipher().seal(&table);
        file.write_all(&sealed)?;
        file.write_all(&(sealed.len() as u64).to_le_bytes())?;
        fs::rename(&self.temporary, &self.path)
    }
}

impl Drop for CacheWriter {
    /// Removes what was not finished.
    fn drop(&mut self) {
        drop(fs::remove_file(&self.temporary));
    }
}
