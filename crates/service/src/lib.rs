//! The verbs of Strongroom. Every face, the command line and the scheduler call the same ones.
//!
//! A verb authorises its [`Caller`], checks its input, and writes intent, job, event and
//! idempotency record in one transaction; workers (see [`jobs`]) carry the intent out later.
//! May import `store`, `engine`, `source` and `domain`; knows nothing of HTTP or of any vendor.

pub mod backups;
pub mod caller;
pub mod error;
pub mod identity;
pub mod operations;
pub mod policies;
pub mod repositories;
pub mod resources;
pub mod restores;
pub mod tenants;
pub mod vaults;

pub use crate::{
    caller::Caller,
    error::{ConflictKind, Error, Result},
};

/// The application core: cheap to clone, shared by every face and worker.
#[derive(Debug, Clone)]
pub struct Service {}
