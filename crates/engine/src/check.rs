//! Checking a repository: structure, and on request every byte.

mod packs;

use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::index::{IndexBlob, IndexPack};
use crate::format::node::Node;
use crate::format::pack::pack_size;
use crate::id::{Id, IdMap, IdSet};
use crate::index::load_files;
use crate::lock::LockMode;
use crate::repository::{IndexedRepository, Repository};
use crate::snapshots::SnapshotList;

/// How much of the data to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadData {
    /// Structure only.
    #[default]
    None,
    /// Every pack.
    All,
    /// Part `part` (from 1) of `of` equal parts, by the packs' ids; so `of` checks in a row with
    /// all parts read everything.
    Subset {
        /// Which part.
        part: u32,
        /// How many parts there are, at most 256.
        of: u32,
    },
}

/// How to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOptions {
    /// How much of the data to read.
    pub read_data: ReadData,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Everything that is damaged or missing, each with its name.
    pub errors: Vec<Error>,
    /// Packs that no index names: left by a killed backup, removed by the next prune.
    pub unreferenced_packs: Vec<Id>,
    /// Snapshots looked at.
    pub snapshots: u64,
    /// Directories looked at.
    pub trees: u64,
    /// Packs that are there and in the index.
    pub packs: u64,
    /// Packs read and proven byte for byte.
    pub packs_read: u64,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }
}

impl Repository {
    /// Checks that everything the snapshots refer to is there and that the index is right about
    /// the packs. Finds what it can; only a failure of the storage itself is an `Err`.
    pub fn check(&self, options: &CheckOptions, context: &Context) -> Result<CheckReport> {
        let lock = self.lock(LockMode::Shared)?;
        let mut check = Check {
            repository: self,
            context,
            report: CheckReport::default(),
        };
        // Before the index, so that it has what a backup that ends meanwhile has stored.
        let snapshots = self.snapshots()?;
        let packs = check.indexes()?;
        check.pack_list(&packs)?;
        let indexed = self.clone().load_index(lock, context)?;
        check.snapshots(snapshots, &indexed)?;
        check.read_packs(&packs, options.read_data)?;
        Ok(check.report)
    }
}

struct Check<'a> {
    repository: &'a Repository,
    context: &'a Context,
    report: CheckReport,
}

impl Check<'_> {
    fn cancelled(&self) -> Result<()> {
        if self.context.cancel.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Notes damage; passes other errors on.
    fn note<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_damage() => {
                self.report.errors.push(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The packs that the index knows.
    fn indexes(&mut self) -> Result<IdMap<Vec<IndexBlob>>> {
        let mut packs: IdMap<Vec<IndexBlob>> = IdMap::default();
        let report = &mut self.report;
        load_files(self.repository, self.context, |id, file| match file {
            Ok(file) => {
                for IndexPack {
                    id: pack,
                    mut blobs,
                } in file.packs
                {
                    blobs.sort_by_key(|blob| (blob.offset, blob.id));
                    match packs.get(&pack) {
                        Some(known) if *known != blobs => report.errors.push(Error::damaged(
                            Handle::new(FileKind::Index, id),
                            format!("disagrees with another index about pack {pack}"),
                        )),
                        _ => drop(packs.insert(pack, blobs)),
                    }
                }
            }
            Err(error) => report.errors.push(error),
        })?;
        Ok(packs)
    }

    /// Compares the packs that are there with those in the index.
    fn pack_list(&mut self, packs: &IdMap<Vec<IndexBlob>>) -> Result<()> {
        let mut there = IdSet::default();
        for listed in self.repository.list(FileKind::Pack)? {
            there.insert(listed.id);
            let Some(blobs) = packs.get(&listed.id) else {
                self.report.unreferenced_packs.push(listed.id);
                continue;
            };
            let expected = pack_size(blobs);
            if listed.size != expected {
                let handle = Handle::new(FileKind::Pack, listed.id);
                let reason = format!("has {} bytes instead of {expected}", listed.size);
                self.report.errors.push(Error::damaged(handle, reason));
            }
            self.report.packs += 1;
        }
        let missing = packs.keys().filter(|id| !there.contains(*id));
        let missing = missing.map(|id| Error::Missing(Handle::new(FileKind::Pack, *id).into()));
        self.report.errors.extend(missing);
        Ok(())
    }

    fn snapshots(&mut self, list: SnapshotList, indexed: &IndexedRepository) -> Result<()> {
        self.report.snapshots = list.snapshots.len() as u64;
        self.report.errors.extend(list.damaged);
        let mut seen = IdSet::default();
        let mut to_read: Vec<Id> = list
            .snapshots
            .iter()
            .map(|snapshot| snapshot.tree)
            .collect();
        let mut missing = IdSet::default();
        while let Some(id) = to_read.pop() {
            self.cancelled()?;
            if !seen.insert(id) {
                continue;
            }
            let Some(tree) = self.note(indexed.read_tree(id))? else {
                continue;
            };
            self.report.trees += 1;
            self.context.progress.add(0, 1);
            let object = Object::Blob {
                kind: BlobKind::Tree,
                id,
                pack: None,
            };
            let refused = tree
                .refused
                .into_iter()
                .map(|reason| Error::damaged(object, reason));
            self.report.errors.extend(refused);
            for node in &tree.nodes {
                to_read.extend(node.subtree.filter(|_| node.metadata.is_dir()));
                self.node(indexed, object, node, &mut missing);
            }
        }
        Ok(())
    }

    /// Checks that a file's blobs are in the index and as long as the file.
    fn node(
        &mut self,
        indexed: &IndexedRepository,
        tree: Object,
        node: &Node,
        missing: &mut IdSet,
    ) {
        if !node.metadata.is_file() {
            return;
        }
        let mut length = 0_u64;
        let mut complete = true;
        let index = indexed.index();
        for &id in &node.content {
            if let Some(location) = index.get(BlobKind::Data, id) {
                length = length.saturating_add(location.blob.plain_length());
                continue;
            }
            complete = false;
            if missing.insert(id) {
                let object = Object::Blob {
                    kind: BlobKind::Data,
                    id,
                    pack: None,
                };
                self.report.errors.push(Error::Missing(object));
            }
        }
        if complete && length != node.metadata.size {
            let (name, size) = (node.name.escape_ascii(), node.metadata.size);
            let reason = format!("file `{name}` has {length} bytes instead of {size}");
            self.report.errors.push(Error::damaged(tree, reason));
        }
    }
}
