//! Backups.

use strongroom_domain::{
    Annotations, Backup, CheckpointId, Face, Page, PolicyId, RepositoryId, ResourceId, Trigger,
    VaultId,
    operation::Operation,
    query::{BackupField as F, Filter, Sort},
};
use strongroom_service::backups::{BrowseEntry, RequestBackup, UpdateBackup};

use super::common::{self, Conditions, each, page, sort};
use crate::{
    problem::Problem,
    v1::wire::{self, CreateBackup, ListBackups},
};

impl From<Backup> for wire::Backup {
    fn from(backup: Backup) -> Self {
        let percent = backup.percent();
        let Backup {
            id,
            tenant_id: _,
            resource_id,
            resource_name,
            kind,
            face,
            repository_id,
            vault_id,
            checkpoint_id,
            policy_id,
            parent_id,
            name,
            description,
            state,
            trigger,
            scheduled_for,
            progress,
            source_bytes,
            stored_bytes,
            entries,
            snapshot,
            reason,
            failed_entries,
            failed_entry_count,
            created_by,
            labels,
            annotations,
            created_at,
            updated_at,
            started_at,
            finished_at,
            expires_at,
            version,
        } = backup;
        Self {
            id,
            name,
            description,
            resource_id,
            resource_name,
            kind,
            face,
            repository_id,
            vault_id,
            checkpoint_id,
            policy_id,
            parent_id,
            state,
            reason,
            trigger,
            scheduled_for,
            progress: common::progress(progress, percent),
            source_bytes,
            stored_bytes,
            entries,
            snapshot,
            failed_entries: each(failed_entries),
            failed_entry_count,
            created_by,
            labels: each(labels),
            annotations: annotations.0,
            created_at,
            updated_at,
            started_at,
            finished_at,
            expires_at,
            version,
        }
    }
}

pub(in crate::v1) fn accepted((backup, operation): (Backup, Operation)) -> wire::BackupAccepted {
    wire::BackupAccepted {
        backup: backup.into(),
        operation: operation.into(),
    }
}

pub(in crate::v1) fn create(body: CreateBackup) -> RequestBackup {
    let CreateBackup {
        resource_id,
        repository_id,
        name,
        description,
        expires_at,
        labels,
        annotations,
    } = body;
    RequestBackup {
        repository_id,
        name,
        description,
        expires_at,
        labels: each(labels),
        annotations: Annotations(annotations),
        ..RequestBackup::of(resource_id)
    }
}

impl From<wire::UpdateBackup> for UpdateBackup {
    fn from(change: wire::UpdateBackup) -> Self {
        let wire::UpdateBackup {
            name,
            description,
            labels,
            annotations,
            expires_at,
        } = change;
        Self {
            name,
            description,
            labels: labels.map(each),
            annotations: annotations.map(Annotations),
            expires_at,
        }
    }
}

/// A list of backups as the core asks for it.
#[derive(Debug)]
pub(in crate::v1) struct Listing {
    pub(in crate::v1) filter: Filter<F>,
    pub(in crate::v1) sort: Vec<Sort<F>>,
    pub(in crate::v1) page: Page,
}

impl TryFrom<ListBackups> for Listing {
    type Error = Problem;

    fn try_from(query: ListBackups) -> Result<Self, Problem> {
        let mut all = Conditions::new();
        all.one_of(F::State, query.state.iter().map(|it| it.as_str()));
        all.one_of(F::Kind, query.kind.iter().map(|it| it.as_str()));
        all.equal(F::Face, query.face.map(Face::as_str));
        all.equal(F::Trigger, query.trigger.map(Trigger::as_str));
        all.equal(F::ResourceId, query.resource_id.map(ResourceId::uuid));
        all.equal(F::RepositoryId, query.repository_id.map(RepositoryId::uuid));
        all.equal(F::VaultId, query.vault_id.map(VaultId::uuid));
        all.equal(F::CheckpointId, query.checkpoint_id.map(CheckpointId::uuid));
        all.equal(F::PolicyId, query.policy_id.map(PolicyId::uuid));
        all.equal(F::Name, query.name);
        all.push(query.name_contains.map(|it| Filter::contains(F::Name, &it)));
        all.between(F::CreatedAt, query.created_from, query.created_before);
        Ok(Self {
            filter: all.all(),
            sort: sort(query.sort)?,
            page: page(query.limit, query.cursor, query.total),
        })
    }
}

impl From<BrowseEntry> for wire::Entry {
    fn from(entry: BrowseEntry) -> Self {
        let BrowseEntry {
            path,
            kind,
            size,
            mode,
            modified_at,
            link_target,
        } = entry;
        Self {
            path,
            kind,
            size,
            mode,
            modified_at,
            link_target,
        }
    }
}
