//! Policies: schedule + retention + targets (Astra's schedule, CBR's policy, ZStack's scheduler
//! job).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Face, PolicyId, RepositoryId, ResourceId, TenantId, VaultId,
    annotations::{Annotations, Label},
};

/// What a policy protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum PolicyTarget {
    /// One resource.
    Resource(ResourceId),
    /// Every resource of a vault.
    Vault(VaultId),
}

/// Where a policy's backups are copied to once they are made, and how long the copies stay there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCopy {
    /// Where the copies go.
    pub repository_id: RepositoryId,
    /// Which of them stay; decided apart from the backups that they are of.
    pub retention: crate::retention::Retention,
}

/// Standing intent: what to back up when, and how long to keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Its name, unique within the tenant.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// The face that made it; nothing for the native API.
    pub face: Option<Face>,
    /// A policy that is off neither runs nor removes anything.
    pub enabled: bool,
    /// When it runs; several recurrences are a union.
    pub schedule: crate::schedule::Schedule,
    /// What it keeps.
    pub retention: crate::retention::Retention,
    /// What it protects.
    pub targets: Vec<PolicyTarget>,
    /// Where its backups go, in the order in which a run tries them; the tenant's default
    /// repository if empty.
    pub repositories: Vec<RepositoryId>,
    /// Where its backups are copied to, if anywhere.
    pub copy_to: Option<PolicyCopy>,
    /// The next occurrence.
    pub next_run: Option<Timestamp>,
    /// The last occurrence that was acted on.
    pub last_run: Option<Timestamp>,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes, e.g. a trigger pattern to be returned as it was written.
    pub annotations: Annotations,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}
