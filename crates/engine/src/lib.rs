//! Strongroom's engine: a reader and writer of restic repositories, format version 2.
//!
//! A library of its own: it works on threads, and knows nothing of the service around it. Only the
//! storage on S3 has an async runtime inside, which nobody else sees. Stock restic reads what it writes and the other way round; both may work on one
//! repository at the same time, because restic's lock files are written and respected.
//!
//! ```
//! use std::sync::Arc;
//! use strongroom_domain::tree::{Content, Context, Entry, EntryKind, EntryPath, Metadata};
//! use strongroom_engine::{
//!     BackupOptions, InitOptions, KdfCost, MemoryBackend, Repository,
//! };
//! # #[derive(Debug)] struct Epoch;
//! # impl strongroom_domain::Clock for Epoch {
//! #     fn now(&self) -> jiff::Timestamp { jiff::Timestamp::UNIX_EPOCH }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = InitOptions { kdf: KdfCost::MACHINE, ..InitOptions::new("secret") };
//! let repository = Repository::init(Arc::new(MemoryBackend::new()), Arc::new(Epoch), &options)?;
//!
//! let context = Context::default();
//! let repository = repository.into_indexed(&context)?;
//! let metadata = Metadata::synthetic(EntryKind::File, 0o600, jiff::Timestamp::UNIX_EPOCH);
//! let path = EntryPath::try_from("dump.sql")?;
//! let entries = vec![Ok(Entry::stream(path.clone(), metadata, Content::from_bytes("select 1;")))];
//! let outcome =
//!     repository.backup(Box::new(entries.into_iter()), &BackupOptions::default(), &context)?;
//!
//! let mut content = Vec::new();
//! repository.reader(&outcome.snapshot).dump(&path, &mut content, &context)?;
//! assert_eq!(content, b"select 1;");
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//!
//! * Packs are durable before an index names them, the index before the snapshot is written.
//! * Every piece of data read is proven by its hash; what is damaged is named.
//! * No input makes it panic, and a restore writes nothing outside its target.

pub mod backend;

mod ahead;
mod archive;
mod browse;
mod budget;
mod check;
mod chunk;
mod compress;
mod copy;
mod crypto;
mod diff;
mod error;
mod format;
mod hash;
mod id;
mod index;
mod keys;
mod lock;
mod packs;
mod parallel;
mod pieces;
mod prune;
mod random_access;
mod read;
mod repair;
mod repository;
mod restore;
mod rewrite;
mod snapshots;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod trees;
mod verify;

pub use archive::{BackupOptions, BackupOutcome, Parent};
pub use backend::{Backend, LocalBackend, MemoryBackend, StorageOptions, open_backend};
pub use browse::{BrowseNode, FileReader, SnapshotReader, Walk, WalkError};
pub use check::{CheckOptions, CheckReport, ReadData};
pub use chunk::{Chunker, ContentRule};
pub use compress::Compression;
pub use copy::Copied;
pub use crypto::MasterKey;
pub use crypto::kdf::KdfCost;
pub use diff::{Change, DiffStats, Difference};
pub use error::{Error, ErrorKind, Object, Result};
pub use format::BlobKind;
pub use format::snapshot::{Snapshot, Summary};
pub use id::{Id, InvalidId, SnapshotId};
pub use keys::KeyInfo;
pub use prune::{PruneOptions, PrunePlan, PruneReport, Tolerance};
pub use random_access::RandomReader;
pub use repair::{IndexRepair, PackRepair, RepairedSnapshot, SnapshotRepair};
pub use repository::{Credential, IndexedRepository, InitOptions, Repository};
pub use snapshots::SnapshotList;
pub use stream::{Sink, StreamOptions, StreamReport, TarSink};
pub use verify::{Expected, RepositoryStats, Verification};
