//! The bytes of restic's repository format, version 2: everything that is parsed or printed, and
//! nothing that does I/O.

pub(crate) mod config;
pub(crate) mod index;
pub(crate) mod json;
pub(crate) mod key;
pub(crate) mod lock;
pub(crate) mod mode;
pub(crate) mod node;
pub(crate) mod pack;
pub(crate) mod quote;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::backend::FileKind;

/// What a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobKind {
    /// A piece of a file.
    Data,
    /// A directory.
    Tree,
}

impl fmt::Display for BlobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Tree => "tree",
        })
    }
}

/// Longest plaintext of a blob that is read. restic's data blobs have at most 8 MiB; a directory of
/// a million files makes a tree of about 300 MB.
pub(crate) const MAX_BLOB: usize = 1 << 30;

/// Longest file of this kind that is read, stored or as plaintext. An index of 50,000 blobs has
/// about 10 MB; a snapshot may list many paths; the others are small. Packs have their own size.
pub(crate) fn longest_file(kind: FileKind) -> usize {
    match kind {
        FileKind::Config | FileKind::Key | FileKind::Lock => 1 << 20,
        FileKind::Snapshot => 64 << 20,
        FileKind::Index | FileKind::Pack => 1 << 30,
    }
}
