//! Restores.

use strongroom_domain::{
    Annotations, BackupId, Page, ResourceId,
    operation::Operation,
    query::{Filter, RestoreField as F, Sort},
    restore::{ConflictPolicy, Restore, RestoreTarget},
};
use strongroom_service::restores::RequestRestore;

use super::common::{self, Conditions, each, page, sort};
use crate::{
    problem::Problem,
    v1::wire::{self, CreateRestore, ListRestores},
};

impl From<Restore> for wire::Restore {
    fn from(restore: Restore) -> Self {
        let percent = restore.percent();
        let Restore {
            id,
            tenant_id: _,
            backup_id,
            resource_id,
            target,
            include,
            conflict,
            rename,
            safety_backup_id,
            state,
            progress,
            reason,
            failed_entries,
            failed_entry_count,
            created_by,
            annotations,
            created_at,
            updated_at,
            started_at,
            finished_at,
            version,
        } = restore;
        Self {
            id,
            backup_id,
            resource_id,
            target: target.into(),
            include,
            conflict,
            rename,
            safety_backup_id,
            state,
            progress: common::progress(progress, percent),
            reason,
            failed_entries: each(failed_entries),
            failed_entry_count,
            created_by,
            annotations: annotations.0,
            created_at,
            updated_at,
            started_at,
            finished_at,
            version,
        }
    }
}

impl From<RestoreTarget> for wire::RestoreTarget {
    fn from(target: RestoreTarget) -> Self {
        match target {
            RestoreTarget::Original => Self::Original,
            RestoreTarget::Directory { path } => Self::Directory { path },
            RestoreTarget::Resource { id } => Self::Resource { id },
        }
    }
}

impl From<wire::RestoreTarget> for RestoreTarget {
    fn from(target: wire::RestoreTarget) -> Self {
        match target {
            wire::RestoreTarget::Original => Self::Original,
            wire::RestoreTarget::Directory { path } => Self::Directory { path },
            wire::RestoreTarget::Resource { id } => Self::Resource { id },
        }
    }
}

pub(in crate::v1) fn create(body: CreateRestore) -> RequestRestore {
    let CreateRestore {
        backup_id,
        target,
        include,
        conflict,
        rename,
        repository_id,
        safety_backup,
        annotations,
    } = body;
    RequestRestore {
        include,
        conflict: conflict.unwrap_or(ConflictPolicy::Replace),
        rename,
        from: repository_id,
        safety_backup,
        annotations: Annotations(annotations),
        ..RequestRestore::of(backup_id, target.into())
    }
}

pub(in crate::v1) fn accepted((restore, operation): (Restore, Operation)) -> wire::RestoreAccepted {
    wire::RestoreAccepted {
        restore: restore.into(),
        operation: operation.into(),
    }
}

/// A list of restores as the core asks for it.
#[derive(Debug)]
pub(in crate::v1) struct Listing {
    pub(in crate::v1) filter: Filter<F>,
    pub(in crate::v1) sort: Vec<Sort<F>>,
    pub(in crate::v1) page: Page,
}

impl TryFrom<ListRestores> for Listing {
    type Error = Problem;

    fn try_from(query: ListRestores) -> Result<Self, Problem> {
        let mut all = Conditions::new();
        all.one_of(F::State, query.state.iter().map(|it| it.as_str()));
        all.equal(F::BackupId, query.backup_id.map(BackupId::uuid));
        all.equal(F::ResourceId, query.resource_id.map(ResourceId::uuid));
        all.between(F::CreatedAt, query.created_from, query.created_before);
        Ok(Self {
            filter: all.all(),
            sort: sort(query.sort)?,
            page: page(query.limit, query.cursor, query.total),
        })
    }
}
