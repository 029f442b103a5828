//! Proving that a snapshot can be restored: what a backup is put through before it counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::{Context, EntryPath};

use crate::backend::{FileKind, Handle};
use crate::budget;
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::index::IndexBlob;
use crate::format::node::Node;
use crate::id::{Id, IdMap, IdSet, SnapshotId};
use crate::index::Location;
use crate::parallel;
use crate::pieces::{PackReader, by_place};
use crate::repository::{IndexedRepository, Repository};
use crate::trees;

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
        let verifier = Verifier::new(self, Handle::new(FileKind::Snapshot, id), fraction)?;
        let roots = vec![(snapshot.tree, EntryPath::root())];
        trees::visit(
            self,
            context,
            roots,
            || (),
            |(), (id, path), tree| {
                let (nodes, refused) = match trees::check_depth(&path, id).and(tree) {
                    Ok(tree) => (tree.nodes, tree.refused),
                    Err(error) if error.is_damage() => {
                        verifier.state().found.problems.push(error);
                        return Ok(Vec::new());
                    }
                    Err(error) => return Err(error),
                };
                context.progress.add(0, nodes.len() as u64);
                verifier.directory(&path, &nodes, refused);
                let below = nodes.into_iter().filter(|node| node.metadata.is_dir());
                Ok(below
                    .filter_map(|node| Some((node.subtree?, path.join(&node.name).ok()?)))
                    .collect())
            },
        )?;
        verifier.read_sample(context)?;
        let mut found = verifier.into_found();
        compare(&mut found, Handle::new(FileKind::Snapshot, id), expected);
        Ok(found)
    }
}

struct Verifier<'a> {
    repository: &'a IndexedRepository,
    snapshot: Handle,
    pack_sizes: IdMap<u64>,
    /// Blobs whose id, as a number, is not above this are read.
    threshold: u64,
    read_none: bool,
    state: Mutex<State>,
}

/// What all threads have found so far.
struct State {
    seen: IdSet,
    /// Blobs to be read, by pack.
    sample: IdMap<Vec<IndexBlob>>,
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
            threshold,
            read_none: fraction <= 0.0,
            state: Mutex::new(State {
                seen: IdSet::default(),
                sample: IdMap::default(),
                found: Verification {
                    entries: 0,
                    bytes: 0,
                    blobs_read: 0,
                    problems: Vec::new(),
                },
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_found(self) -> Verification {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).found
    }

    fn directory(&self, path: &EntryPath, nodes: &[Node], refused: Vec<String>) {
        let mut state = self.state();
        let State { found, .. } = &mut *state;
        found.entries += nodes.len() as u64;
        let refused = refused
            .into_iter()
            .map(|reason| Error::damaged(self.snapshot, format!("`{path}`: {reason}")));
        found.problems.extend(refused);
        for node in nodes.iter().filter(|node| node.metadata.is_file()) {
            let mut stored = 0_u64;
            for &id in &node.content {
                stored = stored.saturating_add(self.blob(id, &mut state));
            }
            state.found.bytes = state.found.bytes.saturating_add(stored);
            if stored != node.metadata.size {
                let path = path.join(&node.name).unwrap_or_else(|_| path.clone());
                let size = node.metadata.size;
                let reason = format!("`{path}` should have {size} bytes and has {stored}");
                let problem = Error::damaged(self.snapshot, reason);
                state.found.problems.push(problem);
            }
        }
    }

    /// Length of a blob, which is looked at the first time it occurs.
    fn blob(&self, id: Id, state: &mut State) -> u64 {
        let location = self.repository.index().get(BlobKind::Data, id);
        if !state.seen.insert(id) {
            return location.map_or(0, |location| location.blob.plain_length());
        }
        let Some(Location { pack, blob }) = location else {
            let object = Object::looked_for(BlobKind::Data, id);
            state.found.problems.push(Error::Missing(object));
            return 0;
        };
        let handle = Handle::new(FileKind::Pack, pack);
        match self.pack_sizes.get(&pack) {
            None => state.found.problems.push(Error::Missing(handle.into())),
            Some(&size) if size < blob.end() => {
                let problem = Error::damaged(handle, "shorter than the index says");
                state.found.problems.push(problem);
            }
            Some(_) if self.read_none || id.prefix() > self.threshold => {}
            Some(_) => state.sample.entry(pack).or_default().push(blob),
        }
        blob.plain_length()
    }

    /// Reads the blobs that were chosen, pack by pack.
    fn read_sample(&self, context: &Context) -> Result<()> {
        let sample = std::mem::take(&mut self.state().sample);
        let mut sample: Vec<_> = sample.into_iter().collect();
        for (_, blobs) in &mut sample {
            blobs.sort_by_key(by_place);
        }
        let reader = || PackReader::new(self.repository, context.limits);
        parallel::each(
            context,
            budget::PIECES,
            &sample,
            reader,
            |reader, (pack, blobs)| {
                reader.read(
                    *pack,
                    blobs,
                    |blob| blob,
                    |_, content| {
                        if context.cancel.is_cancelled() {
                            return Err(Error::Cancelled);
                        }
                        let found = &mut self.state().found;
                        match content {
                            Ok(_) => found.blobs_read += 1,
                            Err(error) => found.problems.push(error),
                        }
                        Ok(())
                    },
                )
            },
        )
    }
}

fn compare(found: &mut Verification, snapshot: Handle, expected: Option<Expected>) {
    let Some(Expected { entries, bytes }) = expected else {
        return;
    };
    if (found.entries, found.bytes) != (entries, bytes) {
        let reason = format!(
            "it has {} entries with {} bytes instead of {entries} with {bytes}",
            found.entries, found.bytes
        );
        found.problems.push(Error::damaged(snapshot, reason));
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
