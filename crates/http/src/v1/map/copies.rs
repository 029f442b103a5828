//! Copies and exports of backups.

use strongroom_domain::{BackupCopy, Export};
use strongroom_service::{backups::copies::CopyBackup, operations::NewOperation};

use crate::{download::export_url, extract::Base, v1::wire};

impl From<BackupCopy> for wire::Copy {
    fn from(copy: BackupCopy) -> Self {
        let BackupCopy {
            id: _,
            tenant_id: _,
            backup_id: _,
            repository_id,
            state,
            snapshot,
            reason,
            created_at,
            updated_at,
            version: _,
        } = copy;
        Self {
            repository_id,
            state,
            reason,
            snapshot,
            created_at,
            updated_at,
        }
    }
}

impl From<wire::CreateCopy> for CopyBackup {
    fn from(body: wire::CreateCopy) -> Self {
        let wire::CreateCopy {
            repository_id,
            from_repository_id,
        } = body;
        Self {
            to: repository_id,
            from: from_repository_id,
            operation: NewOperation::default(),
        }
    }
}

/// An export as a client that reached us at `base` can download it.
pub(in crate::v1) fn export(export: Export, base: &Base) -> wire::Export {
    let url = export_url(base, &export);
    let Export {
        id: _,
        tenant_id: _,
        backup_id: _,
        repository_id,
        file_name,
        created_at,
    } = export;
    wire::Export {
        repository_id,
        file_name,
        url,
        created_at,
    }
}
