//! What differs between two snapshots.

use std::cmp::Ordering;

use strongroom_domain::tree::{Context, EntryPath};

use crate::error::{Error, Result};
use crate::format::node::Node;
use crate::format::snapshot::Snapshot;
use crate::format::tree::Tree;
use crate::id::Id;
use crate::repository::IndexedRepository;
use crate::trees;

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Only the second snapshot has it.
    Added,
    /// Only the first snapshot has it.
    Removed,
    /// It is of another kind.
    Type,
    /// Its content differs, or where a link leads.
    Content,
    /// Only its owner, mode, times or extended attributes differ.
    Metadata,
}

/// One entry that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which one.
    pub path: EntryPath,
    /// Whether it is a directory, in the second snapshot if it is there.
    pub is_dir: bool,
    /// How.
    pub change: Change,
}

/// How much differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffStats {
    /// Entries that only the second snapshot has.
    pub added: u64,
    /// Entries that only the first has.
    pub removed: u64,
    /// Entries that differ.
    pub changed: u64,
    /// Size of files that only the second has, or as they are in it if they differ.
    pub added_bytes: u64,
    /// Size of files that only the first has, or as they were in it if they differ.
    pub removed_bytes: u64,
}

/// A directory still to be compared: its path, and its tree in each snapshot that has it.
type Pair = (EntryPath, [Option<Id>; 2]);

impl IndexedRepository {
    /// Gives `each` what differs between two snapshots, directory by directory. Directories that
    /// are equal are not read. A directory that is damaged is an error.
    pub fn diff(
        &self,
        first: &Snapshot,
        second: &Snapshot,
        context: &Context,
        mut each: impl FnMut(Difference) -> Result<()>,
    ) -> Result<DiffStats> {
        let mut stats = DiffStats::default();
        let mut pending: Vec<Pair> =
            vec![(EntryPath::root(), [Some(first.tree), Some(second.tree)])];
        while let Some((path, trees)) = pending.pop() {
            if context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if trees[0] == trees[1] {
                continue;
            }
            let read = |id: Option<Id>| match id {
                Some(id) => trees::check_depth(&path, id).and_then(|()| self.read_tree(id)),
                None => Ok(Tree::default()),
            };
            let [old, new] = [read(trees[0])?, read(trees[1])?];
            let mut below = Vec::new();
            merge(&old.nodes, &new.nodes, |old, new| {
                let Some(node) = new.or(old) else {
                    return Ok(());
                };
                let path = path.join(&node.name);
                let path = path.expect("names in parsed trees were checked");
                if let Some(change) = compare(old, new) {
                    stats.count(change, old, new);
                    let is_dir = node.metadata.is_dir();
                    each(Difference {
                        path: path.clone(),
                        is_dir,
                        change,
                    })?;
                }
                let subtree = |node: Option<&Node>| node.and_then(|node| node.subtree);
                below.push((path, [subtree(old), subtree(new)]));
                Ok(())
            })?;
            pending.extend(below.into_iter().rev());
        }
        Ok(stats)
    }
}

impl DiffStats {
    fn count(&mut self, change: Change, old: Option<&Node>, new: Option<&Node>) {
        match change {
            Change::Added => self.added += 1,
            Change::Removed => self.removed += 1,
            Change::Type | Change::Content | Change::Metadata => self.changed += 1,
        }
        if change != Change::Metadata {
            let size = |node: Option<&Node>| {
                node.filter(|node| node.metadata.is_file())
                    .map_or(0, |node| node.metadata.size)
            };
            self.removed_bytes = self.removed_bytes.saturating_add(size(old));
            self.added_bytes = self.added_bytes.saturating_add(size(new));
        }
    }
}

/// Gives the nodes of two directories by name, those of the same name together.
fn merge(
    old: &[Node],
    new: &[Node],
    mut each: impl FnMut(Option<&Node>, Option<&Node>) -> Result<()>,
) -> Result<()> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.name.cmp(&new.name),
        };
        let old = if order == Ordering::Greater {
            None
        } else {
            old.next()
        };
        let new = if order == Ordering::Less {
            None
        } else {
            new.next()
        };
        each(old, new)?;
    }
}

fn compare(old: Option<&Node>, new: Option<&Node>) -> Option<Change> {
    let (old, new) = match (old, new) {
        (None, _) => return Some(Change::Added),
        (_, None) => return Some(Change::Removed),
        (Some(old), Some(new)) => (old, new),
    };
    let kinds = (&old.metadata.kind, &new.metadata.kind);
    if std::mem::discriminant(kinds.0) != std::mem::discriminant(kinds.1) {
        Some(Change::Type)
    } else if old.content != new.content || kinds.0 != kinds.1 {
        Some(Change::Content)
    } else {
        (metadata(old) != metadata(new)).then_some(Change::Metadata)
    }
}

/// What restic compares: reading a file changes its access time, and a copy has another inode.
fn metadata(node: &Node) -> impl PartialEq + '_ {
    let it = &node.metadata;
    (
        it.mode, it.mtime, it.uid, it.gid, &it.user, &it.group, &it.xattrs,
    )
}
