//! Backups as CBR shows them, and restores as it asks for them.

use std::collections::HashSet;

use strongroom_domain::{
    Backup, BackupId, BackupState, ResourceId, ResourceKind, Trigger, restore::RestoreTarget,
};
use strongroom_service::restores::RequestRestore;

use super::{AVAILABILITY_ZONE, ENTERPRISE_PROJECT, ResourceType, gb, time};
use crate::cbr::{
    error::{Error, Result},
    page::Window,
    wire,
};

/// The version of backups' metadata.
const VERSION: u8 = 3;

/// One backup. `restoring` names those that a restore reads now.
pub(in crate::cbr) fn backup(backup: &Backup, restoring: &HashSet<BackupId>) -> wire::Backup {
    let Backup {
        id,
        tenant_id,
        resource_id,
        resource_name,
        kind,
        face: _,
        repository_id: _,
        vault_id,
        checkpoint_id,
        policy_id,
        parent_id,
        name,
        description,
        state,
        trigger,
        scheduled_for: _,
        progress: _,
        source_bytes,
        stored_bytes: _,
        entries: _,
        snapshot: _,
        reason: _,
        failed_entries: _,
        failed_entry_count: _,
        created_by: _,
        labels: _,
        annotations: _,
        created_at,
        updated_at,
        started_at,
        finished_at: _,
        expires_at,
        version: _,
    } = backup;
    let resource = ResourceType::of(*kind);
    wire::Backup {
        checkpoint_id: checkpoint_id.map(|it| it.to_string()),
        // The core backs a server up as one, so there is nothing below.
        children: Vec::new(),
        created_at: time(*created_at),
        description: description.clone(),
        enterprise_project_id: ENTERPRISE_PROJECT,
        expired_at: expires_at.map(time),
        extend_info: extend_info(backup),
        id: id.to_string(),
        image_type: "backup",
        incremental: parent_id.is_some(),
        name: name.clone(),
        parent_id: None,
        project_id: tenant_id.simple(),
        protected_at: started_at.map(time),
        provider_id: resource.provider,
        replication_records: Vec::new(),
        resource_az: AVAILABILITY_ZONE,
        resource_id: resource_id.to_string(),
        resource_name: resource_name.clone(),
        resource_size: gb(source_bytes.unwrap_or(0)),
        resource_type: resource.name,
        scheduled_operation_id: match trigger {
            Trigger::Schedule => policy_id.map(|it| it.to_string()),
            Trigger::Manual => None,
        },
        status: status(*state, restoring.contains(id)),
        updated_at: time(*updated_at),
        vault_id: vault_id.map(|it| it.to_string()),
        version: VERSION,
    }
}

fn extend_info(backup: &Backup) -> wire::ExtendInfo {
    let disk = backup.kind == ResourceKind::Volume;
    wire::ExtendInfo {
        app_consistency: (!disk).then(|| app_consistency(backup)),
        architecture: std::env::consts::ARCH,
        auto_trigger: backup.trigger == Trigger::Schedule,
        bootable: None,
        contain_system_disk: backup.kind == ResourceKind::Server,
        encrypted: false,
        encrypted_algorithm: None,
        is_dec: false,
        is_multi_az: false,
        os_images_data: None,
        progress: match backup.state {
            state if state.is_active() => backup.progress.percent(),
            state if disk && state.is_restorable() => Some(100),
            _ => None,
        },
        snapshot_id: None,
        support_lld: false,
        supported_restore_mode: "backup",
        system_disk: false,
    }
}

/// Nothing of ours is application-consistent in CBR's sense; the message is where a backup says
/// what it lacks.
fn app_consistency(backup: &Backup) -> wire::AppConsistency {
    wire::AppConsistency {
        app_consistency: "0",
        app_consistency_error_code: "0",
        app_consistency_error_message: missing(backup),
        app_consistency_status: "0",
    }
}

/// What is missing from a backup, naming the first of it; empty if nothing is.
pub(super) fn missing(backup: &Backup) -> String {
    let count = backup.failed_entry_count;
    match backup.failed_entries.first() {
        Some(first) => format!(
            "{count} entries are missing, first `{}`: {}",
            first.path, first.message
        ),
        None => match backup.state {
            BackupState::Failed => backup.reason.clone().unwrap_or_default(),
            _ => String::new(),
        },
    }
}

/// The word for a state.
pub(super) fn status(state: BackupState, restoring: bool) -> &'static str {
    use BackupState as S;
    match state {
        S::Pending => "waiting_protect",
        S::Discovering | S::Running => "protecting",
        S::Completed | S::Partial if restoring => "restoring",
        S::Completed | S::Partial => "available",
        S::Failed | S::Cancelled | S::Removed | S::Unknown => "error",
        S::Deleting | S::Deleted => "deleting",
    }
}

/// A page of backups, of `count` in all.
pub(in crate::cbr) fn backup_list(
    backups: &[Backup],
    count: u64,
    window: Window,
    restoring: &HashSet<BackupId>,
) -> wire::BackupList {
    wire::BackupList {
        backups: backups.iter().map(|it| backup(it, restoring)).collect(),
        count,
        limit: window.limit,
        offset: window.offset,
    }
}

/// A restore of a backup. What is in the way is replaced, as CBR does.
pub(in crate::cbr) fn restore_request(
    of: &Backup,
    request: &wire::BackupRestore,
) -> Result<RequestRestore> {
    let target = restore_target(of, request)?;
    Ok(RequestRestore {
        safety_backup: Some(false),
        ..RequestRestore::of(of.id, target)
    })
}

/// Where a restore goes: back to the resource, or into the other one that is named.
fn restore_target(of: &Backup, request: &wire::BackupRestore) -> Result<RestoreTarget> {
    let wire::BackupRestore {
        mappings,
        // Nothing here is stopped for a restore.
        power_on: _,
        server_id,
        volume_id,
        resource_id,
        details,
    } = request;
    if details.is_some() {
        let reason = "restoring into a directory of the resource is not supported";
        return Err(Error::invalid("details", reason));
    }
    check_mappings(of, mappings.as_deref().unwrap_or_default())?;
    let named = match ResourceType::of(of.kind).object {
        "server" => server_id.as_ref().map(|it| ("server_id", it)),
        "disk" => volume_id.as_ref().map(|it| ("volume_id", it)),
        _ => None,
    };
    let named = named.or(resource_id.as_ref().map(|it| ("resource_id", it)));
    let Some((field, text)) = named else {
        return Ok(RestoreTarget::Original);
    };
    match text.parse::<ResourceId>() {
        Ok(id) if id == of.resource_id => Ok(RestoreTarget::Original),
        Ok(id) => Ok(RestoreTarget::Resource { id }),
        Err(error) => Err(Error::invalid(field, error)),
    }
}

/// Every disk of a server goes back to its own place: its backups are not backups of their own,
/// so that a mapping can only name the backup itself.
fn check_mappings(of: &Backup, mappings: &[wire::Mapping]) -> Result<()> {
    let own = of.id.to_string();
    match mappings.iter().find(|it| it.backup_id != own) {
        Some(other) => {
            let reason = format!("`{}` is not a disk's backup", other.backup_id);
            Err(Error::invalid("mappings", reason))
        }
        None => Ok(()),
    }
}
