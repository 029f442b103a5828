//! The trees that sources deliver and the engine stores: paths, metadata, content, and the traits
//! through which the two sides meet without knowing each other.
//!
//! A source hands the engine an [`EntryStream`]; the engine hands a source's restore a
//! [`TreeReader`]. Nothing here opens or writes anything by itself.

mod context;
mod entry;
mod path;
mod pattern;
mod reader;

pub use context::{Cancel, Context, Limits, NoProgress, Progress};
pub use entry::{Content, Entry, EntryError, EntryKind, EntryStream, Metadata, Opener, Phase};
pub use entry::{DeviceKind, EntryFailure, LateXattrs, Xattr, XattrReader};
pub use path::{EntryPath, PathError};
pub use pattern::{Pattern, PatternError, Patterns};
pub use reader::{Overwrite, RestoreOptions, RestoreReport, TreeError, TreeNode, TreeReader};
