//! Vaults and checkpoints.

use strongroom_domain::{
    Annotations, VaultId,
    vault::{Checkpoint, SkippedResource, Vault},
};
use strongroom_service::vaults::{
    CheckpointView, CreateVault, RequestCheckpoint, UpdateVault, VaultUsage,
};

use super::common::each;
use crate::v1::wire::{self, CreateCheckpoint, Skipped, VaultResource};

impl From<VaultUsage> for wire::Vault {
    fn from(usage: VaultUsage) -> Self {
        let VaultUsage {
            vault,
            used_bytes,
            per_resource,
        } = usage;
        let Vault {
            id,
            tenant_id: _,
            name,
            description,
            repository_id,
            resources: _,
            policy_id,
            quota_bytes,
            locked,
            labels,
            annotations,
            created_at,
            updated_at,
            version,
        } = vault;
        let resource = |(id, backups, stored_bytes)| VaultResource {
            id,
            backups,
            stored_bytes,
        };
        Self {
            id,
            name,
            description,
            repository_id,
            resources: per_resource.into_iter().map(resource).collect(),
            policy_id,
            quota_bytes,
            used_bytes,
            locked,
            labels: each(labels),
            annotations: annotations.0,
            created_at,
            updated_at,
            version,
        }
    }
}

impl From<wire::CreateVault> for CreateVault {
    fn from(body: wire::CreateVault) -> Self {
        let wire::CreateVault {
            name,
            description,
            repository_id,
            resource_ids,
            policy_id,
            quota_bytes,
            locked,
            labels,
            annotations,
        } = body;
        Self {
            name,
            description,
            repository_id,
            resources: resource_ids,
            policy_id,
            quota_bytes,
            locked,
            labels: each(labels),
            annotations: Annotations(annotations),
        }
    }
}

impl From<wire::UpdateVault> for UpdateVault {
    fn from(change: wire::UpdateVault) -> Self {
        let wire::UpdateVault {
            name,
            description,
            quota_bytes,
            locked,
            policy_id,
            labels,
            annotations,
        } = change;
        Self {
            name,
            description,
            quota_bytes,
            locked,
            policy_id,
            labels: labels.map(each),
            annotations: annotations.map(Annotations),
        }
    }
}

pub(in crate::v1) fn checkpoint(vault_id: VaultId, body: CreateCheckpoint) -> RequestCheckpoint {
    let CreateCheckpoint {
        resource_ids,
        name,
        description,
        expires_at,
        annotations,
    } = body;
    let text = |ids: Vec<_>| ids.iter().map(ToString::to_string).collect();
    RequestCheckpoint {
        vault_id,
        resources: resource_ids.map(text),
        name,
        description,
        expires_at,
        automatic: false,
        policy_id: None,
        annotations: Annotations(annotations),
    }
}

impl From<CheckpointView> for wire::Checkpoint {
    fn from(view: CheckpointView) -> Self {
        let CheckpointView {
            checkpoint,
            backups,
        } = view;
        let Checkpoint {
            id,
            tenant_id: _,
            vault_id,
            name,
            description,
            skipped,
            annotations,
            created_at,
        } = checkpoint;
        Self {
            id,
            vault_id,
            name,
            description,
            skipped: each(skipped),
            backups: each(backups),
            annotations: annotations.0,
            created_at,
        }
    }
}

impl From<SkippedResource> for Skipped {
    fn from(skipped: SkippedResource) -> Self {
        let SkippedResource { id, reason } = skipped;
        Self { id, reason }
    }
}
