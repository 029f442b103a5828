//! Vaults.

use std::collections::{HashMap, HashSet};

use strongroom_domain::{Annotations, Label, PolicyId, Resource, ResourceId, vault::Vault};
use strongroom_service::vaults::{CreateVault, UpdateVault, VaultUsage};

use super::{
    ENTERPRISE_PROJECT, GB, MAX_RESOURCES, ResourceType, SERVER, TURBO, check_description,
    check_name, gb, mb, time,
};
use crate::cbr::{
    error::{Error, Result},
    page::{ListVaults, one_of},
    wire,
};

/// Where what the core has no use for is kept.
const KEPT: &str = "cbr.vault";
/// Where what is left out of each resource is kept, by its id.
const EXTRA_INFO: &str = "cbr.resources";
/// GB that a vault may have.
const SIZES: std::ops::RangeInclusive<i64> = 1..=10_485_760;
/// GB that a new vault must have.
const SMALLEST: i64 = 10;
/// The most tags.
const MAX_TAGS: usize = 20;

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

/// A vault to create.
pub(in crate::cbr) fn create_vault(
    request: wire::CreateVault,
    members: &HashMap<ResourceId, Resource>,
) -> Result<CreateVault> {
    check_name("name", &request.name)?;
    check_description(request.description.as_deref(), 64)?;
    let object = check_billing(&request.billing)?;
    check_threshold(request.threshold)?;
    let tags = request.tags.unwrap_or_default();
    if tags.len() > MAX_TAGS {
        return Err(Error::invalid(
            "tags",
            format!("there may be at most {MAX_TAGS}"),
        ));
    }
    let prefix = request.backup_name_prefix.filter(|it| !it.is_empty());
    if prefix.as_ref().is_some_and(|it| it.chars().count() > 32) {
        return Err(Error::invalid(
            "backup_name_prefix",
            "it must have at most 32 characters",
        ));
    }
    if let Some(prefix) = &prefix {
        check_name("backup_name_prefix", prefix)?;
    }
    let policy = request.backup_policy_id.filter(|it| !it.is_empty());
    let policy_id = policy
        .map(|it| policy_id("backup_policy_id", &it))
        .transpose()?;
    let resources = check_members(&request.resources, Some(object), members)?;
    let billing = request.billing;
    let kept = wire::Kept {
        consistent_level: Some(billing.consistent_level),
        object_type: Some(billing.object_type),
        cloud_type: billing.cloud_type,
        is_multi_az: billing.is_multi_az.unwrap_or(false),
        auto_bind: request.auto_bind.unwrap_or(false),
        bind_rules: request.bind_rules.unwrap_or_default(),
        auto_expand: request.auto_expand.unwrap_or(false),
        threshold: request.threshold,
        smn_notify: request.smn_notify,
        backup_name_prefix: prefix,
        demand_billing: request.demand_billing.unwrap_or(false),
        enterprise_project_id: request.enterprise_project_id,
        availability_zone: request.availability_zone,
        sys_lock_source_service: request.sys_lock_source_service,
    };
    Ok(CreateVault {
        name: request.name,
        description: request.description,
        repository_id: None,
        resources,
        policy_id,
        quota_bytes: bytes(billing.size),
        locked: request.locked.unwrap_or(false),
        labels: tags.into_iter().map(label).collect(),
        annotations: annotations(&kept, &request.resources),
    })
}

fn annotations(kept: &wire::Kept, resources: &[wire::ResourceRef]) -> Annotations {
    let mut annotations = Annotations::default();
    annotations.set(KEPT, serde_json::to_value(kept).unwrap_or_default());
    let extra: serde_json::Map<_, _> = resources
        .iter()
        .filter_map(|it| {
            let extra = serde_json::to_value(it.extra_info.as_ref()?).ok()?;
            Some((it.id.clone(), extra))
        })
        .collect();
    if !extra.is_empty() {
        annotations.set(EXTRA_INFO, extra);
    }
    annotations
}

fn label(tag: wire::Tag) -> Label {
    Label {
        name: tag.key,
        value: tag.value,
    }
}

fn policy_id(field: &str, text: &str) -> Result<PolicyId> {
    text.parse().map_err(|error| Error::invalid(field, error))
}

/// A size in GB that was checked before.
fn bytes(size: i64) -> u64 {
    size.unsigned_abs().saturating_mul(GB)
}

/// Checks what a new vault is for; gives the type of resources that fit.
fn check_billing(billing: &wire::BillingRequest) -> Result<ResourceType> {
    let levels = &["crash_consistent", "app_consistent"];
    one_of("consistent_level", &billing.consistent_level, levels)?;
    one_of("protect_type", &billing.protect_type, &["backup"])?;
    let charging = billing.charging_mode.as_deref().unwrap_or("post_paid");
    one_of("charging_mode", charging, &["post_paid"])?;
    let cloud = billing.cloud_type.as_deref().unwrap_or("public");
    one_of("cloud_type", cloud, &["public", "hybrid"])?;
    check_size(billing.size, SMALLEST)?;
    let wanted = &billing.object_type;
    if let Some(found) = ResourceType::find(|it| it.object == wanted) {
        return Ok(found);
    }
    one_of("object_type", wanted, OBJECTS)?;
    Err(Error::UnsupportedResourceType(wanted.clone()))
}

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

fn check_size(size: i64, least: i64) -> Result<()> {
    if size >= least && SIZES.contains(&size) {
        return Ok(());
    }
    let reason = format!("it must be a number from {least} to {}", SIZES.end());
    Err(Error::invalid("size", reason))
}

fn check_threshold(threshold: Option<i64>) -> Result<()> {
    match threshold {
        Some(it) if !(1..=100).contains(&it) => Err(Error::invalid(
            "threshold",
            "it must be a number from 1 to 100",
        )),
        _ => Ok(()),
    }
}

/// The resources that a client names for a vault, which takes only one type if `object` is given.
fn check_members(
    wanted: &[wire::ResourceRef],
    object: Option<ResourceType>,
    known: &HashMap<ResourceId, Resource>,
) -> Result<Vec<ResourceId>> {
    if wanted.len() > MAX_RESOURCES {
        return Err(Error::TooManyResources);
    }
    let mut ids = Vec::new();
    for it in wanted {
        let id = it.id.parse::<ResourceId>().ok();
        let found = id.and_then(|id| known.get(&id));
        let found =
            found.ok_or_else(|| strongroom_service::Error::not_found("resource", &it.id))?;
        if ids.contains(&found.id) {
            return Err(Error::DuplicateResource(it.id.clone()));
        }
        let kind = ResourceType::of(found.kind);
        if kind.name != it.kind {
            return Err(Error::WrongResourceType(it.id.clone()));
        }
        if object.is_some_and(|object| object != kind) {
            return Err(Error::WrongVaultType(it.id.clone()));
        }
        ids.push(found.id);
    }
    Ok(ids)
}

/// The resources to put into a vault. All must be of the type that it was created for.
pub(in crate::cbr) fn resources_to_add(
    vault: &Vault,
    request: &wire::AddResources,
    members: &Members,
) -> Result<Vec<ResourceId>> {
    let wanted = &request.resources;
    if wanted.is_empty() {
        return Err(Error::invalid("resources", "there must be at least one"));
    }
    if vault.resources.len() + wanted.len() > MAX_RESOURCES {
        return Err(Error::TooManyResources);
    }
    let object = kept(vault).object_type;
    let object = object.and_then(|object| ResourceType::find(|it| it.object == object));
    check_members(wanted, object, &members.resources)
}

/// The resources to take out of a vault.
pub(in crate::cbr) fn resources_to_remove(
    vault: &Vault,
    request: &wire::RemoveResources,
) -> Result<Vec<ResourceId>> {
    let wanted = &request.resource_ids;
    if !(1..=MAX_RESOURCES).contains(&wanted.len()) {
        let reason = format!("there must be 1 to {MAX_RESOURCES}");
        return Err(Error::invalid("resource_ids", reason));
    }
    let ids = wanted.iter().map(|text| {
        let id = text.parse::<ResourceId>().ok();
        let id = id.filter(|id| vault.resources.contains(id));
        id.ok_or_else(|| Error::NotInVault(text.clone()))
    });
    ids.collect()
}

/// A change of a vault.
pub(in crate::cbr) fn update_vault(
    vault: &Vault,
    change: wire::UpdateVault,
) -> Result<UpdateVault> {
    let wire::UpdateVault {
        name,
        billing,
        auto_bind,
        bind_rules,
        auto_expand,
        smn_notify,
        threshold,
        locked,
    } = change;
    if let Some(name) = &name {
        check_name("name", name)?;
    }
    check_threshold(threshold)?;
    let mut kept = kept(vault);
    let mut quota_bytes = None;
    if let Some(wire::BillingUpdate {
        consistent_level,
        size,
    }) = billing
    {
        if let Some(size) = size {
            check_size(size, *SIZES.start())?;
            quota_bytes = Some(bytes(size));
        }
        if let Some(level) = consistent_level {
            one_of(
                "consistent_level",
                &level,
                &["crash_consistent", "app_consistent"],
            )?;
            kept.consistent_level = Some(level);
        }
    }
    kept.auto_bind = auto_bind.unwrap_or(kept.auto_bind);
    kept.bind_rules = bind_rules.unwrap_or(kept.bind_rules);
    kept.auto_expand = auto_expand.unwrap_or(kept.auto_expand);
    kept.smn_notify = smn_notify.or(kept.smn_notify);
    kept.threshold = threshold.or(kept.threshold);
    let mut annotations = vault.annotations.clone();
    annotations.set(KEPT, serde_json::to_value(&kept).unwrap_or_default());
    Ok(UpdateVault {
        name,
        description: None,
        quota_bytes,
        // CBR's clients send `false` for a vault that is to stay as it is.
        locked: locked.filter(|it| *it || vault.locked),
        policy_id: None,
        labels: None,
        annotations: Some(annotations),
    })
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
