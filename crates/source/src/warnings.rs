//! Entries that were backed up, but not as they should have been.

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_domain::tree::EntryFailure;

/// A list that a source's readers add to while the engine reads them, e.g. the files that changed
/// under the reader. Their content is kept, but the backup is `partial`. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Warnings(Arc<Mutex<Vec<EntryFailure>>>);

impl Warnings {
    /// Adds an entry.
    pub fn push(&self, failure: EntryFailure) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(failure);
    }

    /// Takes what was added so far.
    pub fn take(&self) -> Vec<EntryFailure> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
