//! Between CBR's words and the core's, without I/O and for every value: a state or kind that is
//! added to the core does not compile until it has a word here.

mod backup;
mod checkpoint;
mod identity;
mod operation_log;
mod policy;
mod protectable;
mod query;
mod text;
mod vault;

use jiff::Timestamp;
use strongroom_domain::ResourceKind;

pub(super) use self::{
    backup::{backup, backup_list, restore_request},
    checkpoint::{checkpoint, checkpoint_request, vault_of},
    identity::{
        LoginAs, catalog, check_scope, domains, login, projects, token, version_document, versions,
    },
    operation_log::{Context, LogQuery, kinds as log_kinds, log, log_query},
    policy::{
        check_query, create_policy, policy, policy_list, policy_of_vault, policy_to_drop,
        policy_to_run, run_by, update_policy,
    },
    protectable::{instance, instance_kind, instance_with_id, instances_wanted},
    query::{BackupQuery, backup_query, being_made},
    text::{check_description, check_name},
    vault::{
        Members, create_vault, members, resources_to_add, resources_to_remove, summary,
        update_vault, vault, vaults_wanted,
    },
};

/// The most resources that a vault takes.
pub(super) const MAX_RESOURCES: usize = 256;

/// The name of the only region, and of its only availability zone.
pub(super) const REGION: &str = "local-1";
pub(super) const AVAILABILITY_ZONE: &str = "local-1a";

/// The project of everything that is in no other.
pub(super) const ENTERPRISE_PROJECT: &str = "0";

/// How CBR sees a kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResourceType {
    /// `OS::…`.
    pub(super) name: &'static str,
    /// The id of what protects it.
    pub(super) provider: &'static str,
    /// The word in vaults' billing and in the paths of protectable resources.
    pub(super) object: &'static str,
    /// The kind in the core.
    pub(super) kind: ResourceKind,
}

const SERVER: ResourceType = ResourceType {
    name: "OS::Nova::Server",
    provider: "0daac4c5-6707-4851-97ba-169e36266b66",
    object: "server",
    kind: ResourceKind::Server,
};
const DISK: ResourceType = ResourceType {
    name: "OS::Cinder::Volume",
    provider: "d1603440-187d-4516-af25-121250c7cc97",
    object: "disk",
    kind: ResourceKind::Volume,
};
const TURBO: ResourceType = ResourceType {
    name: "OS::Sfs::Turbo",
    provider: "3f3c3220-245c-4805-b811-758870015881",
    object: "turbo",
    kind: ResourceKind::Files,
};
const TYPES: [ResourceType; 3] = [SERVER, DISK, TURBO];

impl ResourceType {
    /// How CBR sees the kind. Only the first three ever have this face; any other would be a set
    /// of files.
    pub(super) fn of(kind: ResourceKind) -> Self {
        use ResourceKind as K;
        match kind {
            K::Server => SERVER,
            K::Volume => DISK,
            K::Files | K::Mariadb | K::Postgres | K::Graph | K::Kubernetes | K::Command => TURBO,
        }
    }

    fn find(fits: impl Fn(&Self) -> bool) -> Option<Self> {
        TYPES.into_iter().find(|it| fits(it))
    }
}

/// Bytes in a GB, as CBR counts them.
const GB: u64 = 1 << 30;
/// Bytes in an MB, as CBR counts them.
const MB: u64 = 1 << 20;

/// Whole GB, rounded up: disks come in no smaller unit.
fn gb(bytes: u64) -> u64 {
    bytes.div_ceil(GB)
}

/// Whole MB, rounded up, so that something is never shown as nothing.
fn mb(bytes: u64) -> u64 {
    bytes.div_ceil(MB)
}

/// UTC with microseconds and without a zone.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests;
