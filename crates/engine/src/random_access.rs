//! Reading a file of a snapshot anywhere, e.g. for a mounted file system.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_domain::tree::EntryPath;

use crate::browse::SnapshotReader;
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::id::Id;
use crate::repository::IndexedRepository;

/// A file of a snapshot that can be read anywhere. Every blob is proven by its hash; the one that
/// was read last is kept, so that reading on in small steps reads it once.
#[derive(Debug)]
pub struct RandomReader {
    repository: IndexedRepository,
    /// Each blob with the offset of its first byte.
    blobs: Vec<(u64, Id)>,
    length: u64,
    last: Mutex<Option<(usize, Arc<Vec<u8>>)>>,
}

impl SnapshotReader {
    /// The file at `path`, to be read anywhere.
    pub fn open_random(&self, path: &EntryPath) -> Result<RandomReader> {
        let node = self.find(path)?;
        if !node.metadata.is_file() {
            return Err(Error::NotAFile(path.clone()));
        }
        let repository = self.repository().clone();
        let mut length = 0;
        let mut blobs = Vec::with_capacity(node.content.len());
        for id in node.content {
            let found = repository.index().get(BlobKind::Data, id);
            let missing = || Error::Missing(Object::looked_for(BlobKind::Data, id));
            blobs.push((length, id));
            length += found.ok_or_else(missing)?.blob.plain_length();
        }
        Ok(RandomReader {
            repository,
            blobs,
            length,
            last: Mutex::new(None),
        })
    }
}

impl RandomReader {
    /// Bytes in the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads from `offset` on until `buffer` is full or the file ends; gives how much that was.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            let at = offset.saturating_add(read as u64);
            if at >= self.length {
                break;
            }
            let number = self.blobs.partition_point(|(first, _)| *first <= at) - 1;
            let (first, _) = self.blobs[number];
            let blob = self.blob(number)?;
            let within = usize::try_from(at - first).unwrap_or(usize::MAX);
            let rest = blob.get(within..).unwrap_or_default();
            let length = rest.len().min(buffer.len() - read);
            if length == 0 {
                break;
            }
            buffer[read..read + length].copy_from_slice(&rest[..length]);
            read += length;
        }
        Ok(read)
    }

    fn blob(&self, number: usize) -> Result<Arc<Vec<u8>>> {
        let lock = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, blob)) = &*lock()
            && *last == number
        {
            return Ok(Arc::clone(blob));
        }
        // Not under the lock: others may have what they need.
        let (_, id) = self.blobs[number];
        let blob = Arc::new(self.repository.read_blob(BlobKind::Data, id)?);
        *lock() = Some((number, Arc::clone(&blob)));
        Ok(blob)
    }
}
