//! Vaults as clients ask for them.

use std::collections::HashMap;

use strongroom_domain::{Annotations, Label, PolicyId, Resource, ResourceId, vault::Vault};
use strongroom_service::vaults::{CreateVault, UpdateVault};

use super::{EXTRA_INFO, KEPT, Members, OBJECTS, kept};
use crate::cbr::{
    error::{Error, Result},
    map::{GB, MAX_RESOURCES, ResourceType, check_description, check_name},
    page::one_of,
    wire,
};

/// GB that a vault may have.
const SIZES: std::ops::RangeInclusive<i64> = 1..=10_485_760;
/// GB that a new vault must have.
const SMALLEST: i64 = 10;
/// The longest free text of a new vault, in characters.
const LONGEST_DESCRIPTION: usize = 64;
/// The longest begin of backups' names, in characters.
const LONGEST_PREFIX: usize = 32;
/// What backups may be consistent with.
const LEVELS: &[&str] = &["crash_consistent", "app_consistent"];
/// The most tags.
const MAX_TAGS: usize = 20;

/// A vault to create.
pub(in crate::cbr) fn create_vault(
    mut request: wire::CreateVault,
    members: &HashMap<ResourceId, Resource>,
) -> Result<CreateVault> {
    check_name("name", &request.name)?;
    check_description(request.description.as_deref(), LONGEST_DESCRIPTION)?;
    let object = check_billing(&request.billing)?;
    check_threshold(request.threshold)?;
    check_prefix(request.backup_name_prefix.as_deref())?;
    let tags = request.tags.take().unwrap_or_default();
    if tags.len() > MAX_TAGS {
        let reason = format!("there may be at most {MAX_TAGS}");
        return Err(Error::invalid("tags", reason));
    }
    let policy = request.backup_policy_id.take().filter(|it| !it.is_empty());
    let policy_id = policy.map(|it| it.parse::<PolicyId>()).transpose();
    let policy_id = policy_id.map_err(|error| Error::invalid("backup_policy_id", error))?;
    let resources = check_members(&request.resources, Some(object), members)?;
    let annotations = annotations(&mut request);
    Ok(CreateVault {
        name: request.name,
        description: request.description,
        repository_id: None,
        resources,
        policy_id,
        quota_bytes: bytes(request.billing.size),
        locked: request.locked.unwrap_or(false),
        labels: tags.into_iter().map(label).collect(),
        annotations,
    })
}

/// What the core has no use for, taken out of a request.
fn annotations(request: &mut wire::CreateVault) -> Annotations {
    let billing = &mut request.billing;
    let kept = wire::Kept {
        consistent_level: Some(std::mem::take(&mut billing.consistent_level)),
        object_type: Some(std::mem::take(&mut billing.object_type)),
        cloud_type: billing.cloud_type.take(),
        is_multi_az: billing.is_multi_az.unwrap_or(false),
        auto_bind: request.auto_bind.unwrap_or(false),
        bind_rules: request.bind_rules.take().unwrap_or_default(),
        auto_expand: request.auto_expand.unwrap_or(false),
        threshold: request.threshold,
        smn_notify: request.smn_notify,
        backup_name_prefix: request.backup_name_prefix.take(),
        demand_billing: request.demand_billing.unwrap_or(false),
        enterprise_project_id: request.enterprise_project_id.take(),
        availability_zone: request.availability_zone.take(),
        sys_lock_source_service: request.sys_lock_source_service.take(),
    };
    let mut annotations = Annotations::default();
    annotations.set(KEPT, serde_json::to_value(&kept).unwrap_or_default());
    let extra = request.resources.iter().filter_map(|it| {
        let extra = serde_json::to_value(it.extra_info.as_ref()?).ok()?;
        Some((it.id.clone(), extra))
    });
    let extra: serde_json::Map<_, _> = extra.collect();
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

/// A size in GB that was checked before.
fn bytes(size: i64) -> u64 {
    size.unsigned_abs().saturating_mul(GB)
}

/// Checks what a new vault is for; gives the type of resources that fit.
fn check_billing(billing: &wire::BillingRequest) -> Result<ResourceType> {
    one_of("consistent_level", &billing.consistent_level, LEVELS)?;
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

fn check_size(size: i64, least: i64) -> Result<()> {
    if size >= least && SIZES.contains(&size) {
        return Ok(());
    }
    let reason = format!("it must be a number from {least} to {}", SIZES.end());
    Err(Error::invalid("size", reason))
}

fn check_prefix(prefix: Option<&str>) -> Result<()> {
    let Some(prefix) = prefix.filter(|it| !it.is_empty()) else {
        return Ok(());
    };
    if prefix.chars().count() > LONGEST_PREFIX {
        let reason = format!("it must have at most {LONGEST_PREFIX} characters");
        return Err(Error::invalid("backup_name_prefix", reason));
    }
    check_name("backup_name_prefix", prefix)
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
            one_of("consistent_level", &level, LEVELS)?;
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
