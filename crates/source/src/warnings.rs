//! Entries that were backed up, but not as they should have been.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_domain::tree::{EntryFailure, EntryPath};

/// A list that a source's readers add to while the engine reads them, e.g. the files that changed
/// under the reader. Their content is kept, but the backup is `partial`. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    own: Arc<Mutex<Vec<EntryFailure>>>,
    /// Those of other sources, whose entries are below these directories.
    parts: Arc<[(EntryPath, Warnings)]>,
}

impl Warnings {
    /// All that is added to each of these, with paths below its directory.
    pub(crate) fn of_parts(parts: Vec<(EntryPath, Self)>) -> Self {
        Self {
            parts: parts.into(),
            ..Self::default()
        }
    }

    /// Adds an entry.
    pub fn push(&self, failure: EntryFailure) {
        self.own
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(failure);
    }

    /// Takes what was added so far.
    pub fn take(&self) -> Vec<EntryFailure> {
        let own = std::mem::take(&mut *self.own.lock().unwrap_or_else(PoisonError::into_inner));
        let others = self.parts.iter().flat_map(|(directory, part)| {
            let failures = part.take().into_iter();
            failures.map(|it| EntryFailure {
                path: directory.under(&it.path),
                ..it
            })
        });
        own.into_iter().chain(others).collect()
    }
}
