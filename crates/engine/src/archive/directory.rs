//! Directories that are complete when the last of their entries is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::tree;
use crate::id::Id;

use super::session::Session;

/// A directory some of whose entries are still being worked on.
pub(super) struct Directory {
    /// The directory itself; `None` for the root.
    node: Option<Node>,
    above: Option<Place>,
    /// The tree it had in the parent snapshot.
    before: Option<Id>,
    entries: Mutex<Vec<Option<Node>>>,
    /// Entries not finished, and one more while entries may be added.
    remaining: AtomicUsize,
}

/// The place of an entry in its directory.
#[derive(Clone)]
pub(super) struct Place {
    directory: Arc<Directory>,
    index: usize,
}

impl Directory {
    pub(super) fn root(before: Option<Id>) -> Arc<Self> {
        Arc::new(Self::with(None, None, before))
    }

    /// A directory in `above`.
    pub(super) fn below(above: &Arc<Self>, node: Node, before: Option<Id>) -> Arc<Self> {
        Arc::new(Self::with(Some(node), Some(above.reserve()), before))
    }

    fn with(node: Option<Node>, above: Option<Place>, before: Option<Id>) -> Self {
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
        entries.push(None);
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
            session.count_directory(directory.before, id);
            above.put(Node {
                subtree: Some(id),
                ..node.clone()
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
        let nodes: Vec<Node> = entries.into_iter().flatten().collect();
        session.store.save(BlobKind::Tree, &tree::print(&nodes))
    }
}

impl Place {
    fn put(&self, node: Node) {
        let mut entries = self
            .directory
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        entries[self.index] = Some(node);
    }

    /// Puts a finished entry here, or nothing if it failed.
    pub(super) fn finish(self, node: Option<Node>, session: &Session<'_>) -> Result<()> {
        if let Some(node) = node {
            self.put(node);
        }
        Directory::one_less(self.directory, session)
    }
}
