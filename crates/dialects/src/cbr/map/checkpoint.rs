//! Checkpoints.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    Annotations, BackupState, PolicyId, VaultId,
    vault::{Checkpoint, SkippedResource},
};
use strongroom_service::vaults::{CheckpointView, RequestCheckpoint, VaultUsage};

use super::{
    MAX_RESOURCES, Members, ResourceType, check_description, check_name, gb, mb, time,
    vault::name_prefix,
};
use crate::cbr::{
    error::{Error, Result},
    wire,
};

/// Where the retention that was asked for is kept, in days.
const RETENTION: &str = "cbr.retention_duration";
/// The longest retention in days.
const MAX_DAYS: i64 = 36_500;

/// A checkpoint to make, asked for at `now`.
pub(in crate::cbr) fn checkpoint_request(
    request: wire::CreateCheckpoint,
    now: Timestamp,
    vault: &VaultUsage,
) -> Result<RequestCheckpoint> {
    let parameters = request.parameters.unwrap_or_default();
    let automatic = parameters.auto_trigger.unwrap_or(false);
    if let Some(name) = &parameters.name {
        check_name("name", name)?;
    }
    check_description(parameters.description.as_deref(), 255)?;
    let days = parameters.retention_duration_days.unwrap_or(-1);
    let mut annotations = Annotations::default();
    annotations.set(RETENTION, days);
    let policy = parameters.policy_id.filter(|it| !it.is_empty());
    let policy_id = policy.map(|it| it.parse::<PolicyId>()).transpose();
    let policy_id = policy_id.map_err(|error| Error::invalid("policy_id", error))?;
    if policy_id.is_some() && !automatic {
        let reason = "it goes with auto_trigger only";
        return Err(Error::invalid("policy_id", reason));
    }
    let details = parameters.resource_details.unwrap_or_default();
    let details = details.into_iter().map(|it| it.id).collect::<Vec<_>>();
    let listed = parameters.resources.filter(|it| !it.is_empty());
    let resources = listed.or((!details.is_empty()).then_some(details));
    if resources
        .as_ref()
        .is_some_and(|it| it.len() > MAX_RESOURCES)
    {
        return Err(Error::TooManyResources);
    }
    let name = parameters.name;
    Ok(RequestCheckpoint {
        vault_id: vault.vault.id,
        resources,
        name: Some(name.unwrap_or_else(|| default_name(vault, automatic, now))),
        description: parameters.description,
        expires_at: expiry(days, now)?,
        automatic,
        policy_id,
        annotations,
    })
}

/// The vault that a request names.
pub(in crate::cbr) fn vault_of(request: &wire::CreateCheckpoint) -> Result<VaultId> {
    let id = request.vault_id.parse();
    id.map_err(|error| Error::invalid("vault_id", error))
}

/// `manualbk_1a2b`, with the vault's prefix if it has one.
fn default_name(vault: &VaultUsage, automatic: bool, now: Timestamp) -> String {
    let usual = if automatic { "autobk" } else { "manualbk" };
    let prefix = name_prefix(&vault.vault).unwrap_or(usual.to_owned());
    format!("{prefix}_{:04x}", now.as_microsecond() & 0xffff)
}

fn expiry(days: i64, now: Timestamp) -> Result<Option<Timestamp>> {
    match days {
        -1 => Ok(None),
        1..=MAX_DAYS => Ok(now.checked_add(SignedDuration::from_hours(24 * days)).ok()),
        _ => {
            let reason = format!("it must be -1 or a number from 1 to {MAX_DAYS}");
            Err(Error::invalid("retention_duration_days", reason))
        }
    }
}

/// A checkpoint. The vault may be gone since.
pub(in crate::cbr) fn checkpoint(
    view: &CheckpointView,
    vault: Option<&VaultUsage>,
    members: &Members,
) -> wire::Checkpoint {
    let Checkpoint {
        id,
        tenant_id,
        vault_id,
        name,
        description,
        skipped,
        annotations,
        created_at,
    } = &view.checkpoint;
    let retention = annotations
        .get(RETENTION)
        .and_then(serde_json::Value::as_i64);
    wire::Checkpoint {
        created_at: time(*created_at),
        extra_info: wire::CheckpointExtra {
            description: description.clone(),
            name: name.clone(),
            retention_duration: retention.unwrap_or(-1),
        },
        id: id.to_string(),
        project_id: tenant_id.simple(),
        status: status(view),
        vault: wire::CheckpointVault {
            id: vault_id.to_string(),
            name: vault.map(|it| it.vault.name.clone()).unwrap_or_default(),
            resources: resources(view, vault, members),
            skipped_resources: skipped.iter().map(|it| left_out(it, members)).collect(),
        },
    }
}

fn resources(
    view: &CheckpointView,
    vault: Option<&VaultUsage>,
    members: &Members,
) -> Vec<wire::CheckpointResource> {
    let usage = vault
        .map(|it| it.per_resource.as_slice())
        .unwrap_or_default();
    let usage: HashMap<_, _> = usage
        .iter()
        .map(|(id, n, bytes)| (*id, (*n, *bytes)))
        .collect();
    let resources = view.backups.iter().map(|backup| {
        let id = backup.resource_id;
        let (count, bytes) = usage.get(&id).copied().unwrap_or_default();
        let size = members.resources.get(&id).and_then(|it| it.size_bytes);
        let size = size.or(backup.source_bytes).unwrap_or(0);
        wire::CheckpointResource {
            auto_protect: "True",
            backup_count: count.to_string(),
            backup_size: mb(bytes).to_string(),
            extra_info: "{}",
            id: id.to_string(),
            name: backup.resource_name.clone(),
            protect_status: protect_status(backup.state, members.protect_status(id)),
            resource_size: gb(size).to_string(),
            kind: ResourceType::of(backup.kind).name,
        }
    });
    resources.collect()
}

/// The resource's state, or the backup's where that says more.
fn protect_status(state: BackupState, of_resource: &'static str) -> &'static str {
    use BackupState as S;
    match state {
        S::Pending | S::Discovering | S::Running => "protecting",
        S::Failed | S::Cancelled | S::Removed | S::Unknown => "error",
        S::Deleting | S::Deleted => "removing",
        S::Completed | S::Partial => of_resource,
    }
}

fn left_out(it: &SkippedResource, members: &Members) -> wire::SkippedResource {
    let id = it.id.parse().ok();
    let resource = id.and_then(|id| members.resources.get(&id));
    wire::SkippedResource {
        code: "BackupService.6135",
        id: it.id.clone(),
        name: resource.map(|it| it.name.clone()).unwrap_or_default(),
        reason: it.reason.clone(),
        kind: resource.map_or("", |it| ResourceType::of(it.kind).name),
    }
}

/// What its backups' states come to together.
fn status(view: &CheckpointView) -> &'static str {
    use BackupState as S;
    let any = |states: &[S]| view.backups.iter().any(|it| states.contains(&it.state));
    if any(&[S::Pending, S::Discovering, S::Running]) {
        "protecting"
    } else if any(&[S::Deleting, S::Deleted]) {
        "deleting"
    } else if any(&[S::Failed, S::Cancelled, S::Removed, S::Unknown]) {
        "error"
    } else {
        "available"
    }
}
