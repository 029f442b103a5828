//! The nouns of Strongroom and the rules that need no I/O: typed ids, state machines,
//! schedules, retention, filters and pages.
//!
//! Imports no other crate of the workspace, does no I/O and knows no async. The wall clock and
//! random ids come in through [`Clock`] and [`Ids`].

pub mod annotations;
pub mod backup;
pub mod callback;
pub mod copy;
pub mod credential;
pub mod error;
pub mod event;
pub mod id;
pub mod job;
pub mod object;
pub mod operation;
pub mod page;
pub mod policy;
pub mod principal;
pub mod query;
pub mod repository;
pub mod resource;
pub mod restore;
pub mod retention;
pub mod schedule;
pub mod secret;
pub mod tenant;
pub mod text;
pub mod time;
pub mod tree;
pub mod vault;

pub use crate::{
    annotations::{Annotations, DatabaseServer, Label},
    backup::{Backup, BackupState, Trigger},
    copy::{BackupCopy, Export},
    error::{FieldError, InvalidTransition},
    id::{
        BackupId, CheckpointId, CopyId, CredentialId, EventId, ExportId, JobId, ObjectId,
        OperationId, PolicyId, PrincipalId, RepositoryId, ResourceId, RestoreId, SessionId,
        TenantId, VaultId,
    },
    page::{Page, Paged, Start},
    principal::{Principal, Role},
    resource::{Face, Resource, ResourceKind},
    secret::Secret,
    time::{Clock, Ids},
};
