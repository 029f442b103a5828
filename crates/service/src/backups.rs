//! Backups: ask for one, look at them, delete them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, Backup, BackupId, Label, OperationId, Page, Paged, RepositoryId, ResourceId,
    operation::Operation,
    query::{BackupField, Filter, Sort},
};

use crate::{Caller, Result, Service};

/// A backup to make now.
#[derive(Debug, Clone)]
pub struct RequestBackup {
    /// The backup's id, if the client chose it (ZStack's `resourceUuid`).
    pub id: Option<BackupId>,
    /// Of what.
    pub resource_id: ResourceId,
    /// Where it goes; the tenant's default if nothing.
    pub repository_id: Option<RepositoryId>,
    /// Its name; chosen by us if nothing (`<resource>-yyyymmddhhmmss`).
    pub name: Option<String>,
    /// A free text.
    pub description: Option<String>,
    /// When it goes, if fixed.
    pub expires_at: Option<Timestamp>,
    /// Refuse a name that another of the resource's backups has.
    pub unique_name: bool,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// The operation's id, if the client chose it (ZStack's job UUID).
    pub operation_id: Option<OperationId>,
    /// Vendor attributes of the operation.
    pub operation_annotations: Annotations,
    /// A repeated request with the same key gives the first one's answer.
    pub idempotency_key: Option<String>,
}

impl RequestBackup {
    /// A backup of `resource_id` with everything else left to us.
    pub fn of(resource_id: ResourceId) -> Self {
        Self {
            id: None,
            resource_id,
            repository_id: None,
            name: None,
            description: None,
            expires_at: None,
            unique_name: false,
            labels: Vec::new(),
            annotations: Annotations::default(),
            operation_id: None,
            operation_annotations: Annotations::default(),
            idempotency_key: None,
        }
    }
}

/// What may be changed of a backup; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateBackup {
    /// A new name.
    pub name: Option<String>,
    /// A new free text.
    pub description: Option<Option<String>>,
    /// All labels.
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
    /// When it goes.
    pub expires_at: Option<Option<Timestamp>>,
}

/// A file or directory inside a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BrowseEntry {
    /// Path within the backup, `/`-separated; bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// `file`, `directory`, `symlink`, …
    pub kind: String,
    /// Size in bytes of a file.
    pub size: u64,
    /// Unix permission bits.
    pub mode: u32,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// What a symlink points to.
    pub link_target: Option<String>,
}

impl Service {
    /// Starts a backup: its row, operation, job, event and idempotency record are one
    /// transaction. The row is listed when this returns.
    pub async fn request_backup(
        &self,
        caller: &Caller,
        request: RequestBackup,
    ) -> Result<(Backup, Operation)> {
        todo!()
    }

    /// One backup that is not deleted.
    pub async fn backup(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        todo!()
    }

    /// The tenant's backups that are not deleted and match, in the order asked for (newest first
    /// if none).
    pub async fn list_backups(
        &self,
        caller: &Caller,
        filter: &Filter<BackupField>,
        sort: &[Sort<BackupField>],
        page: &Page,
    ) -> Result<Paged<Backup>> {
        todo!()
    }

    /// Changes a backup; `version` must be the one read, if given.
    pub async fn update_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        version: Option<i64>,
        change: UpdateBackup,
    ) -> Result<Backup> {
        todo!()
    }

    /// Deletes a backup from its repository, in the background. An active one is cancelled first.
    /// Refused for an automatic one in a locked vault and while a restore reads it.
    pub async fn delete_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        operation_annotations: Annotations,
        operation_id: Option<OperationId>,
    ) -> Result<Operation> {
        todo!()
    }

    /// Asks an active backup to stop; it becomes `cancelled`.
    pub async fn cancel_backup(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        todo!()
    }

    /// The entries directly below `path` (the root if empty) in a restorable backup.
    pub async fn browse_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        path: &str,
    ) -> Result<Vec<BrowseEntry>> {
        todo!()
    }
}
