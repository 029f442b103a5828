//! The verbs of Strongroom. Every face, the command line and the scheduler call the same ones.
//!
//! A verb authorises its [`Caller`], checks its input, and writes intent, job, event and
//! idempotency record in one transaction; workers (see [`jobs`]) carry the intent out later.
//! May import `store`, `engine`, `source` and `domain`; knows nothing of HTTP or of any vendor.
//!
//! Invariants: another tenant's id is as unknown as one that never was; nothing here reads the
//! wall clock or makes a random id except through [`Parts`]; a backup is `completed` only after it
//! was read back.

pub mod backups;
pub mod callbacks;
pub mod caller;
mod engines;
pub mod error;
pub mod exports;
mod idempotency;
pub mod identity;
pub mod jobs;
mod keyring;
pub mod objects;
pub mod operations;
mod paths;
pub mod policies;
mod records;
pub mod repositories;
pub mod resources;
pub mod restores;
mod scheduler;
mod service;
pub mod tenants;
mod validate;
pub mod vaults;

pub use crate::{
    caller::Caller,
    engines::{OpenBackend, StorageOptionsFor, storage, storage_with},
    error::{ConflictKind, Error, Result},
    idempotency::RequestKey,
    jobs::Workers,
    keyring::{Keyring, Purpose, UnsealError},
    restores::target::RestoreDirectories,
    service::{Parts, Service, ServiceConfig},
};
