//! What the native API reads and writes, field by field. The command line uses the same structs
//! as a client, so each one both serialises and deserialises.
//!
//! Times are RFC 3339 in UTC, sizes are bytes, ids are dashed UUIDs. In a change (`PATCH`), a
//! field that is left out stays as it is and `null` clears it.

mod backups;
mod common;
mod copies;
mod events;
mod operations;
mod policies;
mod repositories;
mod resources;
mod restores;
pub(crate) mod schema;
mod tenants;
mod tokens;
mod vaults;

pub use self::{
    backups::{
        Backup, BackupAccepted, CreateBackup, Entries, EntriesQuery, Entry, FailedEntry,
        ListBackups, Progress, UpdateBackup,
    },
    common::{Annotations, Label, Limit, List, ListQuery, Sorting},
    copies::{Copy, CreateCopy, CreateExport, Export},
    events::{ActiveWork, Event},
    operations::{ListOperations, Operation, OperationError, Subject},
    policies::{
        CreatePolicy, Policy, PolicyCopy, PolicyTarget, Recurrence, Retention, Schedule,
        UpdatePolicy,
    },
    repositories::{CreateRepository, Repository, UpdateRepository},
    resources::{
        CreateResource, DiscoverQuery, Discovered, ListResources, Resource, Settings,
        UpdateResource,
    },
    restores::{CreateRestore, ListRestores, Restore, RestoreAccepted, RestoreTarget},
    tenants::{CreatePrincipal, CreateTenant, Me, NewTenant, Principal, Tenant},
    tokens::{CreateToken, NewToken, Token},
    vaults::{
        Checkpoint, CreateCheckpoint, CreateVault, Skipped, UpdateVault, Vault, VaultMembers,
        VaultResource,
    },
};
