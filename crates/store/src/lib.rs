//! Everything durable of Strongroom except the backed-up bytes, on SQLite and PostgreSQL.
//!
//! The only crate with SQL for our own data. One text serves both databases; `db` hides which one
//! it is. Each noun has its file. Lookups give `Option`: whether absence is an error is the
//! caller's to say. Whatever names a tenant never sees another's rows.
//!
//! ```no_run
//! # async fn f(backup: &strongroom_domain::Backup) -> strongroom_store::Result<()> {
//! let store = strongroom_store::Store::connect("sqlite:/var/lib/strongroom/catalog.db").await?;
//! let mut tx = store.begin().await?;
//! tx.insert_backup(backup).await?;
//! tx.commit().await?; // dropped instead, it would leave nothing
//! let found = store.read().await?.backup(backup.tenant_id, backup.id).await?;
//! # Ok(()) }
//! ```

mod backup_copies;
mod backups;
mod callbacks;
mod checkpoints;
mod copy;
mod credentials;
mod cursor;
mod db;
mod error;
mod events;
mod exports;
mod face_objects;
mod filter;
mod idempotency;
mod jobs;
mod leases;
mod list;
mod operations;
mod policies;
mod principals;
mod ranges;
mod record;
mod repositories;
mod resources;
mod restores;
mod sessions;
mod store;
mod tenants;
mod vaults;

pub use crate::{
    copy::copy_sqlite,
    credentials::Owner,
    db::Conn,
    error::{Error, Result},
    idempotency::Idempotency,
    jobs::{Outcome, Renewal},
    leases::NamedLease,
    resources::ResourceFilter,
    store::{Read, Store, Tx},
    vaults::Usage,
};
