//! Who acts, and what each role may do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{PrincipalId, TenantId, text_enum};

text_enum! {
    /// What a principal may do within its tenant. Each role includes the ones before it.
    #[derive(PartialOrd, Ord)]
    pub enum Role {
        /// Reads everything of the tenant except secrets.
        Viewer = "viewer",
        /// Also creates, runs, restores and deletes.
        Operator = "operator",
        /// Also manages principals, credentials and repositories.
        Owner = "owner",
    }
}

/// A user of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its id, shown as Astra's `createdBy` and Keystone's user id.
    pub id: PrincipalId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Login name, unique within the tenant.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Something a request needs to be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// Look at things.
    Read,
    /// Change what is protected and how, run backups and restores, delete them.
    Write,
    /// Manage principals, credentials and repositories.
    Administer,
}

impl Role {
    /// Whether this role includes `permission`.
    pub fn allows(self, permission: Permission) -> bool {
        match permission {
            Permission::Read => true,
            Permission::Write => self >= Self::Operator,
            Permission::Administer => self >= Self::Owner,
        }
    }
}
