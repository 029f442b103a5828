//! What a source's restore is given: the tree of a snapshot.

use std::error::Error;
use std::io::Read;
use std::path::Path;

use super::{Context, EntryFailure, EntryPath, Metadata, Patterns};

/// One node of a stored tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// Where it is; never the root.
    pub path: EntryPath,
    /// What is known of it. For a file, `size` is the number of bytes stored.
    pub metadata: Metadata,
}

/// Why a stored tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// There is no such entry.
    #[error("no entry `{0}` in the snapshot")]
    NotFound(EntryPath),
    /// The entry has no content.
    #[error("`{0}` is not a file")]
    NotAFile(EntryPath),
    /// Storage failed or is damaged.
    #[error("cannot read the snapshot")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
}

/// What to do with a file that is already at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// Rewrite it unless size and modification time are those of the snapshot.
    #[default]
    IfChanged,
    /// Rewrite it.
    Always,
    /// Leave it.
    Never,
}

/// How to restore to a directory.
#[derive(Debug, Clone, Default)]
pub struct RestoreOptions {
    /// What to restore; everything if empty. Directories on the way are restored with their
    /// attributes.
    pub include: Patterns,
    /// What to leave out, even if included.
    pub exclude: Patterns,
    /// What to do with files that exist.
    pub overwrite: Overwrite,
    /// Leave holes where a file has long runs of zeros.
    pub sparse: bool,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// Files written, links and special files included.
    pub files: u64,
    /// Directories created or updated.
    pub directories: u64,
    /// Bytes of content written.
    pub bytes: u64,
    /// Files left as they were (see [`Overwrite`]).
    pub skipped: u64,
    /// Entries that are missing or not exactly as they were.
    pub failures: Vec<EntryFailure>,
    /// What was left out on purpose and why, one sentence each.
    pub warnings: Vec<String>,
}

/// Read access to the tree of one snapshot.
pub trait TreeReader: Send + Sync {
    /// All nodes in tree order. After a damaged directory, an error that names it, then the rest.
    fn nodes(&self) -> Box<dyn Iterator<Item = Result<TreeNode, TreeError>> + Send + '_>;

    /// The content of the file at `path`. `Ok(0)` means the whole content was delivered.
    fn open(&self, path: &EntryPath) -> Result<Box<dyn Read + Send + '_>, TreeError>;

    /// The same for the directory at `path` alone: its entries, named from there.
    fn subtree(&self, path: &EntryPath) -> Result<Box<dyn TreeReader + '_>, TreeError>;

    /// Restores to the directory `target`, which is created if missing, and goes on over damaged
    /// entries, each of which is in the report. Writes nothing outside `target`.
    fn restore_to(
        &self,
        target: &Path,
        options: &RestoreOptions,
        context: &Context,
    ) -> Result<RestoreReport, TreeError>;
}
