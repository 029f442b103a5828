//! Directories that are complete when the last of their entries is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::tree;
use crate::id::Id;

use super::record::Record;
use super::session::Session;

/// A directory some of whose entries are still being worked on.
pub(super) struct Directory {
    /// The directory itself; `None` for the root.
    node: Option<Node>,
    above: Option<Place>,
    before: Before,
    entries: Mutex<Vec<Slot>>,
    /// Entries not finished, and one more while entries may be added.
    remaining: AtomicUsize,
}

/// A directory in the parent snapshot.
#[derive(Default)]
pub(super) struct Before {
    /// The tree it had there.
    pub(super) tree: Option<Id>,
    /// What was in it, if that could be read.
    pub(super) record: Option<Arc<Record>>,
    /// Its own entry in the record of the directory above, if that is the same now but for the
    /// tree.
    pub(super) same_at: Option<usize>,
}

/// An entry of a directory.
pub(super) enum Slot {
    /// Being worked on, or failed.
    Empty,
    /// The same as the one at this place of the directory's record.
    Same(usize),
    New(Box<Node>),
}

/// The place of an entry in its directory.
#[derive(Clone)]
pub(super) struct Place {
    directory: Arc<Directory>,
    index: usize,
}

impl Directory {
    pub(super) fn root(before: Before) -> Arc<Self> {
        Arc::new(Self::with(None, None, before))
    }

    /// A directory in `above`.
    pub(super) fn below(above: &Arc<Self>, node: Node, before: Before) -> Arc<Self> {
        Arc::new(Self::with(Some(node), Some(above.reserve()), before))
    }

    fn with(node: Option<Node>, above: Option<Place>, before: Before) -> Self {
        let (entries, remaining) = (Mutex::default(), AtomicUsize::new(1));
        Self {
            node,
            above,
            before,
            entries,
            remaining,
        }
    }

    /// A place for the next entry, in the order of names.
    pub(super) fn reserve(self: &Arc<Self>) -> Place {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(Slot::Empty);
        self.remaining.fetch_add(1, Ordering::Relaxed);
        Place {
            directory: Arc::clone(self),
            index: entries.len() - 1,
        }
    }

    /// No more entries will be added.
    pub(super) fn close(self: &Arc<Self>, session: &Session<'_>) -> Result<()> {
        Self::one_less(Arc::clone(self), session)
    }

    /// Stores the directory if it is complete, then those above that this completes.
    fn one_less(mut directory: Arc<Self>, session: &Session<'_>) -> Result<()> {
        while directory.remaining.fetch_sub(1, Ordering::AcqRel) == 1 {
            let id = directory.store(session)?;
            let (Some(above), Some(node)) = (&directory.above, &directory.node) else {
                session.set_root(id);
                return Ok(());
            };
            session.count_directory(directory.before.tree, id);
            above.put(match directory.before.same_at {
                Some(at) if directory.before.tree == Some(id) => Slot::Same(at),
                // Where all but the tree is the same, not all of it was read.
                Some(at) => {
                    let before = above.directory.known(at).ok_or(Error::Internal)?;
                    Slot::New(Box::new(with_tree(before, id)))
                }
                None => Slot::New(Box::new(with_tree(node.clone(), id))),
            });
            directory = Arc::clone(&above.directory);
        }
        Ok(())
    }

    fn store(&self, session: &Session<'_>) -> Result<Id> {
        let entries = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *entries)
        };
        if let Some(record) = &self.before.record {
            let same = entries.iter().filter(|it| matches!(it, Slot::Same(_)));
            let others = entries.iter().any(|it| matches!(it, Slot::New(_)));
            // All that was in the tree is in it still, and nothing else.
            if !others && record.is_all(same.count()) && session.store.has(record.tree()) {
                session.remember(record);
                return Ok(record.tree());
            }
        }
        let mut nodes = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry {
                Slot::Empty => {}
                Slot::Same(at) => nodes.push(self.known(at).ok_or(Error::Internal)?),
                Slot::New(node) => nodes.push(*node),
            }
        }
        let tree = session.store.save(BlobKind::Tree, &tree::print(&nodes))?;
        session.remember_with(|| Record::of_nodes(tree, &nodes));
        Ok(tree)
    }

    fn known(&self, at: usize) -> Option<Node> {
        self.before.record.as_ref()?.node(at)
    }
}

fn with_tree(node: Node, id: Id) -> Node {
    Node {
        subtree: Some(id),
        ..node
    }
}

impl Place {
    fn put(&self, slot: Slot) {
        let mut entries = self
            .directory
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        entries[self.index] = slot;
    }

    /// Puts a finished entry here; an empty one if it failed.
    pub(super) fn finish(self, entry: Slot, session: &Session<'_>) -> Result<()> {
        self.put(entry);
        Directory::one_less(self.directory, session)
    }
}
