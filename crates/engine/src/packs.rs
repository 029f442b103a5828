//! What the index files say, pack by pack: what check, prune and repair begin with.

use jiff::Timestamp;
use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::index::{IndexBlob, IndexFile, IndexPack, MarkedPack};
use crate::id::{Id, IdMap, IdSet};
use crate::index::{Index, load_files};
use crate::pieces::by_place;
use crate::repository::Repository;

/// Most blobs per index file; restic's limit is 50,000.
const INDEX_BLOBS: usize = 40_000;

/// All index files at once.
#[derive(Debug, Default)]
pub(crate) struct PackList {
    /// The index files that could be read.
    pub(crate) files: Vec<Id>,
    /// Packs with their blobs in the order in which they lie.
    pub(crate) packs: IdMap<Vec<IndexBlob>>,
    /// Packs that a prune found unused, and when. Not in `packs` or `index`.
    pub(crate) marked: IdMap<(Timestamp, Vec<IndexBlob>)>,
    /// Whether any pack is in more than one index file.
    pub(crate) repeated: bool,
    /// Damaged index files, and disagreements between them.
    pub(crate) errors: Vec<Error>,
    /// Packs that index files disagree about.
    pub(crate) disputed: IdSet,
    pub(crate) index: Index,
}

impl PackList {
    pub(crate) fn load(repository: &Repository, context: &Context) -> Result<Self> {
        let mut list = Self::default();
        load_files(repository, context, |id, file| match file {
            Ok(file) => list.add(id, file),
            Err(error) => list.errors.push(error),
        })?;
        Ok(list)
    }

    fn add(&mut self, id: Id, file: IndexFile) {
        self.files.push(id);
        for mut pack in file.packs {
            pack.blobs.sort_by_key(by_place);
            match self.packs.get(&pack.id) {
                Some(known) if *known != pack.blobs => {
                    self.disputed.insert(pack.id);
                    let reason = format!("disagrees with another index about pack {}", pack.id);
                    let handle = Handle::new(FileKind::Index, id);
                    self.errors.push(Error::damaged(handle, reason));
                }
                Some(_) => self.repeated = true,
                None => {
                    self.index.add(&pack);
                    self.packs.insert(pack.id, pack.blobs);
                }
            }
        }
        for MarkedPack { mut pack, time } in file.packs_to_delete {
            pack.blobs.sort_by_key(by_place);
            self.marked.insert(pack.id, (time, pack.blobs));
        }
    }

    /// Puts what is marked to the other packs; gives the times.
    pub(crate) fn take_marked(&mut self) -> IdMap<Timestamp> {
        let mut times = IdMap::default();
        for (id, (time, blobs)) in std::mem::take(&mut self.marked) {
            if self.packs.contains_key(&id) {
                // An index that a killed prune did not get to remove still has it.
                continue;
            }
            let pack = IndexPack { id, blobs };
            self.index.add(&pack);
            self.packs.insert(id, pack.blobs);
            times.insert(id, time);
        }
        times
    }
}

/// Writes index files for these packs and gives their ids.
pub(crate) fn write_index(
    repository: &Repository,
    packs: Vec<IndexPack>,
    marked: Vec<MarkedPack>,
) -> Result<Vec<Id>> {
    let mut written = Vec::new();
    if !marked.is_empty() {
        let file = IndexFile {
            packs_to_delete: marked,
            ..IndexFile::default()
        };
        written.push(repository.write_json(FileKind::Index, &file)?);
    }
    let mut packs = packs.into_iter().peekable();
    while packs.peek().is_some() {
        let mut file = IndexFile::default();
        let mut blobs = 0;
        while let Some(pack) = packs.next_if(|_| blobs < INDEX_BLOBS) {
            blobs += pack.blobs.len();
            file.packs.push(pack);
        }
        written.push(repository.write_json(FileKind::Index, &file)?);
    }
    Ok(written)
}
