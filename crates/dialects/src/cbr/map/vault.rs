//! Vaults.

mod request;

use std::collections::{HashMap, HashSet};

use strongroom_domain::{Label, Resource, ResourceId, vault::Vault};
use strongroom_service::vaults::VaultUsage;

pub(in crate::cbr) use self::request::{
    create_vault, resources_to_add, resources_to_remove, update_vault,
};
use super::{ENTERPRISE_PROJECT, ResourceType, SERVER, TURBO, gb, mb, time};
use crate::cbr::{
    error::Result,
    page::{ListVaults, one_of},
    wire,
};

/// Where what the core has no use for is kept.
const KEPT: &str = "cbr.vault";
/// Where what is left out of each resource is kept, by its id.
const EXTRA_INFO: &str = "cbr.resources";
/// What CBR has vaults for.
const OBJECTS: &[&str] = &[
    "server",
    "disk",
    "turbo",
    "workspace",
    "vmware",
    "rds",
    "file",
];
/// Every status that a vault of CBR has.
const STATUSES: &[&str] = &["available", "lock", "frozen", "deleting", "error"];

/// What one vault's page needs to know besides the vault.
#[derive(Debug, Default)]
pub(in crate::cbr) struct Members {
    /// The tenant's resources that this face shows.
    pub(in crate::cbr) resources: HashMap<ResourceId, Resource>,
    /// Those that are being backed up.
    pub(in crate::cbr) protecting: HashSet<ResourceId>,
    /// Those that are being restored.
    pub(in crate::cbr) restoring: HashSet<ResourceId>,
}

/// Collects the resources by id.
pub(in crate::cbr) fn members(resources: Vec<Resource>) -> HashMap<ResourceId, Resource> {
    resources.into_iter().map(|it| (it.id, it)).collect()
}

impl Members {
    pub(super) fn protect_status(&self, id: ResourceId) -> &'static str {
        match (self.restoring.contains(&id), self.protecting.contains(&id)) {
            (true, _) => "restoring",
            (false, true) => "protecting",
            (false, false) => "available",
        }
    }
}

/// One vault.
pub(in crate::cbr) fn vault(usage: &VaultUsage, members: &Members) -> wire::Vault {
    let VaultUsage {
        vault: it,
        used_bytes,
        per_resource,
    } = usage;
    let kept = kept(it);
    let object = object_type(it, &kept, members);
    let extra = extra_info(it);
    let resources = per_resource.iter().filter_map(|(id, count, bytes)| {
        let resource = members.resources.get(id)?;
        Some(resource_in_vault(
            resource,
            (*count, *bytes),
            &extra,
            members,
        ))
    });
    let resources: Vec<_> = resources.collect();
    let billing = billing(it, &kept, &object, *used_bytes, &resources);
    wire::Vault {
        auto_bind: kept.auto_bind,
        auto_expand: kept.auto_expand,
        availability_zone: kept.availability_zone,
        backup_name_prefix: kept.backup_name_prefix,
        billing,
        bind_rules: kept.bind_rules,
        cbc_delete_count: 0,
        created_at: time(it.created_at),
        cross_account: false,
        cross_account_urn: None,
        demand_billing: kept.demand_billing,
        description: it.description.clone(),
        enterprise_project_id: enterprise_project(kept.enterprise_project_id),
        frozen: false,
        id: it.id.to_string(),
        locked: it.locked,
        name: it.name.clone(),
        project_id: it.tenant_id.simple(),
        provider_id: provider(&object),
        resources,
        smn_notify: kept.smn_notify.unwrap_or(true),
        supplier: None,
        sys_lock_source_service: kept.sys_lock_source_service,
        tags: it.labels.iter().map(tag).collect(),
        threshold: kept.threshold.unwrap_or(80),
        user_id: None,
    }
}

fn resource_in_vault(
    resource: &Resource,
    (backup_count, bytes): (u64, u64),
    extra: &HashMap<String, wire::ExtraInfo>,
    members: &Members,
) -> wire::VaultResource {
    let id = resource.id.to_string();
    wire::VaultResource {
        auto_protect: true,
        backup_count,
        backup_size: mb(bytes),
        extra_info: extra.get(&id).cloned().unwrap_or_default(),
        name: resource.name.clone(),
        protect_status: members.protect_status(resource.id),
        size: gb(resource.size_bytes.unwrap_or(0)),
        kind: ResourceType::of(resource.kind).name,
        id,
    }
}

fn billing(
    vault: &Vault,
    kept: &wire::Kept,
    object: &str,
    used_bytes: u64,
    resources: &[wire::VaultResource],
) -> wire::Billing {
    let or = |text: &Option<String>, other: &str| text.clone().unwrap_or(other.to_owned());
    wire::Billing {
        allocated: resources.iter().map(|it| it.size).sum(),
        charging_mode: "post_paid",
        cloud_type: or(&kept.cloud_type, "public"),
        consistent_level: or(&kept.consistent_level, "crash_consistent"),
        frozen_scene: None,
        is_double_az: false,
        is_multi_az: kept.is_multi_az,
        object_type: object.to_owned(),
        order_id: None,
        partner_bp_id: None,
        product_id: None,
        protect_type: "backup",
        size: gb(vault.quota_bytes),
        spec_code: match object {
            "disk" => "vault.backup.volume.normal",
            "turbo" => "vault.backup.turbo.normal",
            _ => "vault.backup.server.normal",
        },
        status: "available",
        storage_unit: None,
        used: mb(used_bytes),
    }
}

/// What it was created for, or what is in it if that was not through this face.
fn object_type(vault: &Vault, kept: &wire::Kept, members: &Members) -> String {
    let of_member = || {
        let mut all = vault.resources.iter();
        let found = all.find_map(|it| members.resources.get(it))?;
        Some(ResourceType::of(found.kind).object.to_owned())
    };
    let kept = kept.object_type.clone();
    kept.or_else(of_member).unwrap_or(TURBO.object.to_owned())
}

fn provider(object: &str) -> &'static str {
    ResourceType::find(|it| it.object == object)
        .unwrap_or(SERVER)
        .provider
}

fn kept(vault: &Vault) -> wire::Kept {
    let value = vault.annotations.get(KEPT).cloned();
    value
        .and_then(|it| serde_json::from_value(it).ok())
        .unwrap_or_default()
}

fn extra_info(vault: &Vault) -> HashMap<String, wire::ExtraInfo> {
    let value = vault.annotations.get(EXTRA_INFO).cloned();
    value
        .and_then(|it| serde_json::from_value(it).ok())
        .unwrap_or_default()
}

fn enterprise_project(kept: Option<String>) -> String {
    kept.unwrap_or(ENTERPRISE_PROJECT.to_owned())
}

fn tag(label: &Label) -> wire::Tag {
    wire::Tag {
        key: label.name.clone(),
        value: label.value.clone(),
    }
}

/// The begin of the names of a vault's backups, if it has one of its own.
pub(super) fn name_prefix(vault: &Vault) -> Option<String> {
    kept(vault).backup_name_prefix.filter(|it| !it.is_empty())
}

/// The vaults that a client asked for, and how many there are.
pub(in crate::cbr) fn vaults_wanted(
    vaults: &[VaultUsage],
    members: &Members,
    query: &ListVaults,
) -> Result<(u64, Vec<wire::Vault>)> {
    for (name, value, known) in [
        ("cloud_type", &query.cloud_type, &["public", "hybrid"][..]),
        (
            "protect_type",
            &query.protect_type,
            &["backup", "replication"],
        ),
        ("object_type", &query.object_type, OBJECTS),
        ("status", &query.status, STATUSES),
    ] {
        if let Some(value) = value.as_deref().filter(|it| !it.is_empty()) {
            one_of(name, value, known)?;
        }
    }
    let shown = vaults.iter().map(|it| (it, vault(it, members)));
    let wanted = shown.filter(|(usage, shown)| is_wanted(usage, shown, query));
    let wanted: Vec<_> = wanted.map(|(_, shown)| shown).collect();
    Ok((wanted.len() as u64, wanted))
}

fn is_wanted(usage: &VaultUsage, shown: &wire::Vault, query: &ListVaults) -> bool {
    let is = |wanted: &Option<String>, found: &str| {
        wanted
            .as_deref()
            .is_none_or(|it| it.is_empty() || it == found)
    };
    let ids: Vec<_> = query.id.iter().filter(|it| !it.is_empty()).collect();
    let in_it = |list: &String| {
        let mut wanted = list.split(',').map(str::trim);
        list.is_empty() || wanted.any(|id| shown.resources.iter().any(|it| it.id == id))
    };
    let policy = usage.vault.policy_id.map(|it| it.to_string());
    let enterprise = query.enterprise_project_id.as_deref();
    (ids.is_empty() || ids.iter().any(|it| **it == shown.id))
        && is(&query.name, &shown.name)
        && is(&query.cloud_type, &shown.billing.cloud_type)
        && is(&query.protect_type, shown.billing.protect_type)
        && is(&query.object_type, &shown.billing.object_type)
        && is(&query.status, shown.billing.status)
        && is(&query.policy_id, policy.as_deref().unwrap_or_default())
        && is(
            &query.availability_zone,
            shown.availability_zone.as_deref().unwrap_or_default(),
        )
        && (enterprise == Some("all_granted_eps")
            || is(&query.enterprise_project_id, &shown.enterprise_project_id))
        && query.resource_ids.as_ref().is_none_or(in_it)
}

/// The vaults' capacity together.
pub(in crate::cbr) fn summary(vaults: &[VaultUsage]) -> wire::Summary {
    let used: u64 = vaults.iter().map(|it| it.used_bytes).sum();
    wire::Summary {
        size: vaults.iter().map(|it| gb(it.vault.quota_bytes)).sum(),
        used_size: gb(used),
    }
}
