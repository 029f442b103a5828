//! The blobs that are in a pack which is not durable yet.

use std::sync::{Mutex, MutexGuard};

use super::{lock, slot};
use crate::format::BlobKind;
use crate::id::{Id, IdSet};

/// All workers look here for every blob, and in the index while they do.
const SHARDS: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Pending([[Mutex<IdSet>; SHARDS]; 2]);

impl Pending {
    /// Those among which this blob is or would be.
    pub(super) fn of(&self, kind: BlobKind, id: Id) -> MutexGuard<'_, IdSet> {
        // The last byte: tables go by the first ones.
        let [.., last] = id.as_bytes();
        lock(&self.0[slot(kind)][usize::from(*last) % SHARDS])
    }
}
