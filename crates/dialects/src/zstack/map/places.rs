//! Where backups lie: their `backupStorageRefs`.

use std::collections::HashMap;

use jiff::Timestamp;
use strongroom_domain::{Backup, BackupCopy, BackupId, BackupState, Export, RepositoryId};
use strongroom_http::{download::export_url, extract::Base};
use strongroom_service::{Caller, Service};

use super::{INSTALL_PATH, has_copy, status};
use crate::zstack::{
    error::Error,
    wire::{backup::DatabaseBackupStorageRef, timestamp},
};

/// The copies of some backups, and where those that are exported can be downloaded.
#[derive(Debug, Default)]
pub(crate) struct Places {
    copies: HashMap<BackupId, Vec<BackupCopy>>,
    exports: HashMap<(BackupId, RepositoryId), String>,
}

impl Places {
    /// Those of these backups, for a client that reached us at `base`.
    pub(crate) async fn of(
        service: &Service,
        caller: &Caller,
        backups: &[Backup],
        base: &Base,
    ) -> Result<Self, Error> {
        let ids: Vec<_> = backups.iter().map(|it| it.id).collect();
        let copies = service.copies_of(caller, &ids).await?;
        let exports = service.exports_of(caller, &ids).await?;
        Ok(Self::new(copies, &exports, Some(base)))
    }

    pub(crate) fn new(copies: Vec<BackupCopy>, exports: &[Export], base: Option<&Base>) -> Self {
        let mut places = Self::default();
        for copy in copies {
            places.copies.entry(copy.backup_id).or_default().push(copy);
        }
        if let Some(base) = base {
            let key = |it: &Export| (it.backup_id, it.repository_id);
            let exports = exports.iter().map(|it| (key(it), export_url(base, it)));
            places.exports = exports.collect();
        }
        places
    }

    /// Where a backup lies: first in its own storage, then its copies.
    pub(super) fn refs(&self, backup: &Backup) -> Vec<DatabaseBackupStorageRef> {
        let own = has_copy(backup.state).then(|| {
            let times = (backup.created_at, backup.updated_at);
            self.at(backup.id, backup.repository_id, backup.state, times)
        });
        let copies = self.copies.get(&backup.id).into_iter().flatten();
        let copies = copies.filter(|it| has_copy(it.state)).map(|it| {
            let times = (it.created_at, it.updated_at);
            self.at(backup.id, it.repository_id, it.state, times)
        });
        own.into_iter().chain(copies).collect()
    }

    fn at(
        &self,
        backup: BackupId,
        repository: RepositoryId,
        state: BackupState,
        (created, updated): (Timestamp, Timestamp),
    ) -> DatabaseBackupStorageRef {
        let uuid = backup.simple();
        DatabaseBackupStorageRef {
            backup_storage_uuid: repository.simple(),
            install_path: format!("{INSTALL_PATH}{uuid}"),
            database_backup_uuid: uuid,
            export_url: self.exports.get(&(backup, repository)).cloned(),
            status: status(state),
            create_date: timestamp(created),
            last_op_date: timestamp(updated),
        }
    }
}
