//! Proving that a snapshot can be restored: what a backup is put through before it counts.

use strongroom_domain::tree::{Context, EntryPath};

use crate::backend::{FileKind, Handle};
use crate::browse::BrowseNode;
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::id::{Id, IdMap, IdSet, SnapshotId};
use crate::repository::{IndexedRepository, Repository};

/// What a snapshot should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Entries of all kinds, directories included.
    pub entries: u64,
    /// Bytes in files.
    pub bytes: u64,
}

/// What a snapshot has.
#[derive(Debug)]
pub struct Verification {
    /// Entries of all kinds, directories included.
    pub entries: u64,
    /// Bytes in files.
    pub bytes: u64,
    /// Data blobs that were read and proven by their hashes.
    pub blobs_read: u64,
    /// Everything that is wrong; empty if the snapshot is as it should be.
    pub problems: Vec<Error>,
}

impl IndexedRepository {
    /// Reads the snapshot and all its directories from storage; counts entries and bytes; checks
    /// that every blob is in the index and in a pack that is there and long enough; and reads the
    /// `fraction` (0 to 1) of the data blobs.
    ///
    /// To prove the index files as well, call this on a repository that was opened after the
    /// backup.
    pub fn verify_snapshot(
        &self,
        id: SnapshotId,
        expected: Option<Expected>,
        fraction: f64,
        context: &Context,
    ) -> Result<Verification> {
        let snapshot = self.repository().snapshot(id)?;
        let mut verifier = Verifier::new(self, Handle::new(FileKind::Snapshot, id), fraction)?;
        for node in self.reader(&snapshot).walk(&EntryPath::root())? {
            if context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            match node {
                Ok(node) => verifier.node(&node)?,
                Err(error) if error.source.is_damage() => {
                    verifier.found.problems.push(error.source);
                }
                Err(error) => return Err(error.source),
            }
            context.progress.add(0, 1);
        }
        verifier.compare(expected);
        Ok(verifier.found)
    }
}

struct Verifier<'a> {
    repository: &'a IndexedRepository,
    snapshot: Handle,
    pack_sizes: IdMap<u64>,
    seen: IdSet,
    /// Blobs whose id, as a number, is not above this are read.
    threshold: u64,
    read_none: bool,
    found: Verification,
}

impl<'a> Verifier<'a> {
    fn new(repository: &'a IndexedRepository, snapshot: Handle, fraction: f64) -> Result<Self> {
        let listed = repository.repository().list(FileKind::Pack)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a float cast saturates, and a sample need not be exact"
        )]
        let threshold = (fraction.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        Ok(Self {
            repository,
            snapshot,
            pack_sizes: listed
                .into_iter()
                .map(|pack| (pack.id, pack.size))
                .collect(),
            seen: IdSet::default(),
            threshold,
            read_none: fraction <= 0.0,
            found: Verification {
                entries: 0,
                bytes: 0,
                blobs_read: 0,
                problems: Vec::new(),
            },
        })
    }

    fn node(&mut self, node: &BrowseNode) -> Result<()> {
        self.found.entries += 1;
        if !node.metadata.is_file() {
            return Ok(());
        }
        let mut stored = 0_u64;
        for &id in &node.content {
            stored = stored.saturating_add(self.blob(id)?);
        }
        self.found.bytes = self.found.bytes.saturating_add(stored);
        if stored != node.metadata.size {
            let (path, size) = (&node.path, node.metadata.size);
            let reason = format!("`{path}` should have {size} bytes and has {stored}");
            self.found
                .problems
                .push(Error::damaged(self.snapshot, reason));
        }
        Ok(())
    }

    /// Length of a blob, which is looked at the first time it occurs.
    fn blob(&mut self, id: Id) -> Result<u64> {
        let Some(location) = self.repository.index().get(BlobKind::Data, id) else {
            if self.seen.insert(id) {
                let object = Object::Blob {
                    kind: BlobKind::Data,
                    id,
                    pack: None,
                };
                self.found.problems.push(Error::Missing(object));
            }
            return Ok(0);
        };
        if self.seen.insert(id) {
            let problem = match self.pack_sizes.get(&location.pack) {
                None => Err(Error::Missing(
                    Handle::new(FileKind::Pack, location.pack).into(),
                )),
                Some(&size) if size < location.blob.end() => {
                    let handle = Handle::new(FileKind::Pack, location.pack);
                    Err(Error::damaged(handle, "shorter than the index says"))
                }
                Some(_) => self.sample(id),
            };
            match problem {
                Err(error) if !error.is_damage() => return Err(error),
                Err(error) => self.found.problems.push(error),
                Ok(()) => {}
            }
        }
        Ok(location.blob.plain_length())
    }

    fn sample(&mut self, id: Id) -> Result<()> {
        if self.read_none || id.prefix() > self.threshold {
            return Ok(());
        }
        self.repository.read_blob(BlobKind::Data, id)?;
        self.found.blobs_read += 1;
        Ok(())
    }

    fn compare(&mut self, expected: Option<Expected>) {
        let Some(Expected { entries, bytes }) = expected else {
            return;
        };
        let found = &mut self.found;
        if (found.entries, found.bytes) != (entries, bytes) {
            let reason = format!(
                "it has {} entries with {} bytes instead of {entries} with {bytes}",
                found.entries, found.bytes
            );
            found.problems.push(Error::damaged(self.snapshot, reason));
        }
    }
}

/// Numbers about a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RepositoryStats {
    /// Snapshots.
    pub snapshots: u64,
    /// Packs.
    pub packs: u64,
    /// Bytes in packs and index files: nearly all the room it takes.
    pub bytes: u64,
}

impl Repository {
    /// Counts files and sizes; takes no lock and reads no index.
    pub fn stats(&self) -> Result<RepositoryStats> {
        let packs = self.list(FileKind::Pack)?;
        let indexes = self.list(FileKind::Index)?;
        Ok(RepositoryStats {
            snapshots: self.list(FileKind::Snapshot)?.len() as u64,
            packs: packs.len() as u64,
            bytes: packs.iter().chain(&indexes).map(|file| file.size).sum(),
        })
    }
}
