//! Checking a repository: structure, and on request every byte.

pub(crate) mod packs;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::pack::pack_size;
use crate::format::tree::Tree;
use crate::id::{Id, IdSet};
use crate::index::Index;
use crate::lock::LockMode;
use crate::packs::PackList;
use crate::repository::{IndexedRepository, Repository};
use crate::snapshots::SnapshotList;
use crate::trees::{self, Pending};

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
    /// About this many packs of a million; another choice for each seed.
    Sample {
        /// How many of a million.
        per_million: u32,
        /// What the choice depends on.
        seed: u64,
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
    /// Packs that a prune found unused and will delete after its grace time.
    pub marked_packs: u64,
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
        let repository = self.with_cancel(context);
        let lock = repository.lock(LockMode::Shared)?;
        let mut check = Check {
            repository: &repository,
            context,
            resized: IdSet::default(),
            report: CheckReport::default(),
        };
        // Before the index, so that it has what a backup that ends meanwhile has stored.
        let snapshots = repository.snapshots()?;
        let mut list = PackList::load(&repository, context)?;
        check.report.errors.append(&mut list.errors);
        check.pack_list(&list)?;
        let indexed = repository.clone().with_index(lock, list.index, Vec::new());
        check.snapshots(snapshots, &indexed)?;
        check.read_packs(&list.packs, options.read_data)?;
        Ok(check.report)
    }
}

struct Check<'a> {
    repository: &'a Repository,
    context: &'a Context,
    /// Packs that are known to have another size than the index says.
    resized: IdSet,
    report: CheckReport,
}

impl Check<'_> {
    /// Compares the packs that are there with those in the index.
    fn pack_list(&mut self, PackList { packs, marked, .. }: &PackList) -> Result<()> {
        let mut there = IdSet::default();
        for listed in self.repository.list(FileKind::Pack)? {
            there.insert(listed.id);
            let Some(blobs) = packs.get(&listed.id) else {
                if marked.contains_key(&listed.id) {
                    self.report.marked_packs += 1;
                } else {
                    self.report.unreferenced_packs.push(listed.id);
                }
                continue;
            };
            let expected = pack_size(blobs);
            if listed.size != expected {
                let handle = Handle::new(FileKind::Pack, listed.id);
                let reason = format!("has {} bytes instead of {expected}", listed.size);
                self.report.errors.push(Error::damaged(handle, reason));
                self.resized.insert(listed.id);
            }
            self.report.packs += 1;
        }
        let missing = packs.keys().filter(|id| !there.contains(*id));
        let missing = missing.map(|id| Error::Missing(Handle::new(FileKind::Pack, *id).into()));
        self.report.errors.extend(missing);
        Ok(())
    }

    /// Reads all directories; each is looked at once, however often it occurs.
    fn snapshots(&mut self, list: SnapshotList, indexed: &IndexedRepository) -> Result<()> {
        self.report.snapshots = list.snapshots.len() as u64;
        self.report.errors.extend(list.damaged);
        let walked = Mutex::new(Walked::default());
        let roots = list.snapshots.iter().map(|snapshot| snapshot.tree);
        let roots = lock(&walked).unseen(roots);
        let context = self.context;
        trees::visit(
            indexed,
            context,
            roots,
            || (),
            |(), (id, ()), tree| {
                let tree = match tree {
                    Ok(tree) => tree,
                    Err(error) if error.is_damage() => {
                        lock(&walked).errors.push(error);
                        return Ok(Vec::new());
                    }
                    Err(error) => return Err(error),
                };
                context.progress.add(0, 1);
                let Findings { errors, missing } = Findings::of(&tree, id, indexed);
                let mut walked = lock(&walked);
                walked.trees += 1;
                walked.errors.extend(errors);
                for id in missing {
                    if walked.missing.insert(id) {
                        let error = Error::Missing(Object::looked_for(BlobKind::Data, id));
                        walked.errors.push(error);
                    }
                }
                let directories = tree.nodes.iter().filter(|node| node.metadata.is_dir());
                Ok(walked.unseen(directories.filter_map(|node| node.subtree)))
            },
        )?;
        let walked = walked.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.report.trees = walked.trees;
        self.report.errors.extend(walked.errors);
        Ok(())
    }
}

/// What all threads have found so far.
#[derive(Default)]
struct Walked {
    seen: IdSet,
    missing: IdSet,
    trees: u64,
    errors: Vec<Error>,
}

fn lock(walked: &Mutex<Walked>) -> MutexGuard<'_, Walked> {
    walked.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Walked {
    fn unseen(&mut self, trees: impl Iterator<Item = Id>) -> Vec<Pending<()>> {
        let new = trees.filter(|id| self.seen.insert(*id));
        new.map(|id| (id, ())).collect()
    }
}

/// What is wrong with one directory.
#[derive(Default)]
struct Findings {
    errors: Vec<Error>,
    /// Data blobs that the index does not have.
    missing: Vec<Id>,
}

impl Findings {
    fn of(tree: &Tree, id: Id, indexed: &IndexedRepository) -> Self {
        let object = Object::looked_for(BlobKind::Tree, id);
        let refused = tree.refused.iter();
        let mut found = Self {
            errors: refused
                .map(|reason| Error::damaged(object, reason))
                .collect(),
            missing: Vec::new(),
        };
        let index = indexed.index();
        for node in tree.nodes.iter().filter(|node| node.metadata.is_file()) {
            found.file(node, object, &index);
        }
        found
    }

    /// Checks that a file's blobs are in the index and as long as the file.
    fn file(&mut self, node: &Node, tree: Object, index: &Index) {
        let mut length = 0_u64;
        let mut complete = true;
        for &id in &node.content {
            if let Some(location) = index.get(BlobKind::Data, id) {
                length = length.saturating_add(location.blob.plain_length());
            } else {
                complete = false;
                self.missing.push(id);
            }
        }
        if complete && length != node.metadata.size {
            let (name, size) = (node.name.escape_ascii(), node.metadata.size);
            let reason = format!("file `{name}` has {length} bytes instead of {size}");
            self.errors.push(Error::damaged(tree, reason));
        }
    }
}
