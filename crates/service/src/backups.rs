//! Backups: ask for one, look at them, delete them.

mod browse;
pub mod copies;
mod delete;
pub(crate) mod policy_copies;
pub(crate) mod request;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, Backup, BackupId, DatabaseServer, Label, OperationId, Page, Paged, RepositoryId,
    ResourceId, TenantId,
    operation::Subject,
    principal::Permission,
    query::{BackupField, Filter, Sort},
};
use strongroom_store::Conn;

use crate::{
    Caller, Error, Result, Service,
    operations::NewOperation,
    validate::{Faults, check_version},
};

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
    /// Refuse while another backup of the resource is active.
    pub alone: bool,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// The operation's id, if the client chose it (ZStack's job UUID).
    pub operation_id: Option<OperationId>,
    /// Vendor attributes of the operation.
    pub operation_annotations: Annotations,
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
            alone: false,
            labels: Vec::new(),
            annotations: Annotations::default(),
            operation_id: None,
            operation_annotations: Annotations::default(),
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

/// How a backup is deleted.
#[derive(Debug, Clone, Default)]
pub struct DeleteBackup {
    /// The version that must be the present one, if given.
    pub version: Option<i64>,
    /// The operation's id, if the client chose it.
    pub operation_id: Option<OperationId>,
    /// Vendor attributes of the operation.
    pub operation_annotations: Annotations,
}

impl From<NewOperation> for DeleteBackup {
    fn from(operation: NewOperation) -> Self {
        Self {
            version: None,
            operation_id: operation.id,
            operation_annotations: operation.annotations,
        }
    }
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
    /// One backup that is not deleted.
    pub async fn backup(&self, caller: &Caller, id: BackupId) -> Result<Backup> {
        caller.require(Permission::Read)?;
        find_backup(&mut *self.read().await?, caller.tenant_id, id).await
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
        caller.require(Permission::Read)?;
        Ok(self
            .read()
            .await?
            .list_backups(caller.tenant_id, filter, sort, page)
            .await?)
    }

    /// Changes a backup; `version` must be the one read, if given.
    pub async fn update_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        version: Option<i64>,
        change: UpdateBackup,
    ) -> Result<Backup> {
        caller.require(Permission::Write)?;
        let UpdateBackup {
            name,
            description,
            labels,
            annotations,
            expires_at,
        } = change;
        let mut tx = self.begin().await?;
        let mut backup = find_backup(&mut tx, caller.tenant_id, id).await?;
        check_version("backup", &id, version, backup.version)?;
        let mut faults = Faults::default();
        if let Some(name) = name {
            faults.name("name", &name);
            backup.name = name;
        }
        if let Some(description) = description {
            faults.description(description.as_deref());
            backup.description = description;
        }
        if let Some(labels) = labels {
            faults.labels(&labels);
            backup.labels = labels;
        }
        faults.check()?;
        if let Some(mut annotations) = annotations {
            // What the source told is no client's to change.
            let told = backup.annotations.get(DatabaseServer::KEY);
            annotations.set(DatabaseServer::KEY, told.cloned());
            backup.annotations = annotations;
        }
        if let Some(expires_at) = expires_at {
            backup.expires_at = expires_at;
        }
        backup.updated_at = self.now();
        tx.update_backup(&backup).await?;
        let event = self.event(caller, "backup.changed", Some(Subject::Backup(id)));
        tx.insert_event(&event).await?;
        tx.commit().await?;
        self.changed();
        backup.version += 1;
        Ok(backup)
    }
}

/// The backup, unless it is deleted or another tenant's.
pub(crate) async fn find_backup(conn: &mut Conn, tenant: TenantId, id: BackupId) -> Result<Backup> {
    let found = conn.backup(tenant, id).await?;
    found.ok_or_else(|| Error::not_found("backup", id))
}
