//! Cutting what is lost out of snapshots, so that the rest can be used without errors.

use strongroom_domain::tree::Context;

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::snapshot::Snapshot;
use crate::format::tree::{self, Tree};
use crate::id::{Id, IdMap, SnapshotId};
use crate::lock::LockMode;
use crate::repository::{IndexedRepository, Repository};
use crate::rewrite::with_store;
use crate::store::BlobStore;

/// What is added to the name of a file that lost a part. restic does the same.
const SUFFIX: &[u8] = b".repaired";

/// Directories within directories that are gone into; each takes room on the stack.
const MAX_DEPTH: usize = 2_000;
/// Room for so many: without optimisation one takes 10 KB.
const STACK: usize = 64 << 20;

/// Does `work` on a thread with a stack that is large enough.
fn on_large_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let started = thread.spawn_scoped(scope, work);
        let started = started.map_err(|source| Error::Storage {
            action: "start",
            object: "a thread".to_owned(),
            source,
        })?;
        started.join().unwrap_or(Err(Error::Internal))
    })
}

/// How to repair snapshots.
#[derive(Debug, Clone, Copy, Default)]
pub struct SnapshotRepair {
    /// Remove the snapshots that were replaced.
    pub forget: bool,
    /// Only find out.
    pub dry_run: bool,
}

/// A snapshot that was damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairedSnapshot {
    /// Which one.
    pub id: SnapshotId,
    /// What replaces it; nothing if nothing of it is left, or if it was only looked at.
    pub replaced_by: Option<SnapshotId>,
    /// Files that lost a part.
    pub files: u64,
    /// Directories that are lost with all that was in them.
    pub directories: u64,
}

impl Repository {
    /// Replaces snapshots that need what is not stored by ones that do without. A snapshot whose
    /// own file is damaged is not touched. Needs the repository alone.
    pub fn repair_snapshots(
        &self,
        ids: &[SnapshotId],
        options: SnapshotRepair,
        context: &Context,
    ) -> Result<Vec<RepairedSnapshot>> {
        let repository = self.with_cancel(context);
        let lock = repository.lock(LockMode::Exclusive)?;
        let snapshots = repository.snapshots()?.snapshots;
        let indexed = repository.clone().load_index(lock, context)?;
        let mut repaired = Vec::new();
        let work = |store: &BlobStore<'_>| {
            let mut repair = Repair {
                repository: &indexed,
                store: (!options.dry_run).then_some(store),
                context,
                known: IdMap::default(),
            };
            let wanted = snapshots
                .iter()
                .filter(|it| ids.is_empty() || ids.contains(&it.id));
            wanted
                .map(|snapshot| Ok((snapshot, repair.tree(snapshot.tree, 0)?)))
                .collect::<Result<Vec<_>>>()
        };
        let (trees, _) = on_large_stack(|| with_store(&indexed, context, work))?;
        for (snapshot, outcome) in trees {
            let tree = match outcome.tree {
                Some(tree) if tree == snapshot.tree && outcome.loses_nothing() => continue,
                tree => tree.filter(|_| !options.dry_run),
            };
            let replaced_by = tree
                .map(|tree| replace(&indexed, snapshot, tree))
                .transpose()?;
            if options.forget && !options.dry_run {
                indexed.held_lock().ensure_held()?;
                repository.delete(Handle::new(FileKind::Snapshot, snapshot.id))?;
            }
            repaired.push(RepairedSnapshot {
                id: snapshot.id,
                replaced_by,
                files: outcome.files,
                directories: outcome.directories,
            });
        }
        Ok(repaired)
    }
}

fn replace(indexed: &IndexedRepository, snapshot: &Snapshot, tree: Id) -> Result<SnapshotId> {
    indexed.held_lock().ensure_held()?;
    let mut new = snapshot.clone();
    new.tree = tree;
    new.original = new.original.or(Some(snapshot.id));
    if !new.tags.iter().any(|tag| tag == "repaired") {
        new.tags.push("repaired".to_owned());
    }
    indexed.repository().write_json(FileKind::Snapshot, &new)
}

/// What becomes of a directory.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    /// Its tree without what is lost; none if it cannot be read at all.
    tree: Option<Id>,
    files: u64,
    directories: u64,
}

impl Outcome {
    fn loses_nothing(&self) -> bool {
        self.files == 0 && self.directories == 0
    }
}

struct Repair<'a> {
    repository: &'a IndexedRepository,
    /// None for a dry run.
    store: Option<&'a BlobStore<'a>>,
    context: &'a Context,
    known: IdMap<Outcome>,
}

impl Repair<'_> {
    fn tree(&mut self, id: Id, depth: usize) -> Result<Outcome> {
        if self.context.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(known) = self.known.get(&id) {
            return Ok(*known);
        }
        if depth > MAX_DEPTH {
            return Err(Error::Invalid(format!("directory {id} is too deep")));
        }
        let outcome = match self.repository.read_tree(id) {
            Ok(tree) => self.nodes(id, tree, depth)?,
            Err(error) if error.is_damage() => Outcome {
                directories: 1,
                ..Outcome::default()
            },
            Err(error) => return Err(error),
        };
        self.context.progress.add(0, 1);
        self.known.insert(id, outcome);
        Ok(outcome)
    }

    fn nodes(&mut self, id: Id, tree: Tree, depth: usize) -> Result<Outcome> {
        // Entries that make no sense go without a trace.
        let mut changed = !tree.refused.is_empty();
        let mut outcome = Outcome {
            files: tree.refused.len() as u64,
            ..Outcome::default()
        };
        let mut nodes = Vec::with_capacity(tree.nodes.len());
        for mut node in tree.nodes {
            if let Some(subtree) = node.subtree.filter(|_| node.metadata.is_dir()) {
                let below = self.tree(subtree, depth + 1)?;
                // A damaged directory counts as often as it occurs, which may be very often.
                outcome.files = outcome.files.saturating_add(below.files);
                outcome.directories = outcome.directories.saturating_add(below.directories);
                changed |= below.tree != Some(subtree);
                match below.tree {
                    Some(tree) => node.subtree = Some(tree),
                    None => node.subtree = Some(self.save(&[])?),
                }
            } else if node.metadata.is_file() && self.cut(&mut node) {
                outcome.files = outcome.files.saturating_add(1);
                changed = true;
            }
            nodes.push(node);
        }
        outcome.tree = Some(if changed {
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
            nodes.dedup_by(|a, b| a.name == b.name);
            self.save(&nodes)?
        } else {
            id
        });
        Ok(outcome)
    }

    /// Takes lost blobs out of a file; whether there were any, or its size was wrong.
    fn cut(&self, node: &mut Node) -> bool {
        let index = self.repository.index();
        let mut length = 0_u64;
        let before = node.content.len();
        node.content.retain(|id| {
            let location = index.get(BlobKind::Data, *id);
            let plain = location.map(|location| location.blob.plain_length());
            length = length.saturating_add(plain.unwrap_or(0));
            plain.is_some()
        });
        if node.content.len() == before && length == node.metadata.size {
            return false;
        }
        node.metadata.size = length;
        node.name.extend_from_slice(SUFFIX);
        true
    }

    fn save(&self, nodes: &[Node]) -> Result<Id> {
        let json = tree::print(nodes);
        match self.store {
            Some(store) => store.save(BlobKind::Tree, &json),
            None => Ok(Id::of(&json)),
        }
    }
}
