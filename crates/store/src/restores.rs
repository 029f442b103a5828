//! Restores.

use strongroom_domain::{
    BackupId, Page, Paged, PrincipalId, ResourceId, RestoreId, TenantId,
    backup::BackupProgress,
    query::{Filter, RestoreField, Sort},
    restore::Restore,
};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value, sql},
    filter,
    list::Conditions,
    record::{Record, values},
};

impl Record for Restore {
    const TABLE: &'static str = "restores";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "backup_id",
        "resource_id",
        "target",
        "include",
        "conflict",
        "rename",
        "safety_backup_id",
        "state",
        "bytes_done",
        "bytes_total",
        "entries_done",
        "reason",
        "failed_entries",
        "failed_entry_count",
        "created_by",
        "annotations",
        "created_at",
        "updated_at",
        "started_at",
        "finished_at",
        "version",
    ];
    const UNIQUE: &'static str = "restore";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
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
        } = self;
        values![
            *id,
            *tenant_id,
            *backup_id,
            *resource_id,
            Value::json(target),
            Value::json(include),
            conflict.as_str(),
            Value::json(rename),
            *safety_backup_id,
            state.as_str(),
            progress.bytes_done,
            progress.bytes_total,
            progress.entries_done,
            reason.as_deref(),
            Value::json(failed_entries),
            *failed_entry_count,
            *created_by,
            Value::json(annotations),
            *created_at,
            *updated_at,
            *started_at,
            *finished_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(RestoreId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            backup_id: row.id(BackupId::from_uuid)?,
            resource_id: row.id(ResourceId::from_uuid)?,
            target: row.json()?,
            include: row.json()?,
            conflict: row.word()?,
            rename: row.json()?,
            safety_backup_id: row.id_opt(BackupId::from_uuid)?,
            state: row.word()?,
            progress: BackupProgress {
                bytes_done: row.number()?,
                bytes_total: row.number_opt()?,
                entries_done: row.number()?,
            },
            reason: row.text_opt()?,
            failed_entries: row.json()?,
            failed_entry_count: row.number()?,
            created_by: row.id_opt(PrincipalId::from_uuid)?,
            annotations: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            started_at: row.time_opt()?,
            finished_at: row.time_opt()?,
            version: row.int()?,
        })
    }
}

impl Conn {
    /// One restore.
    pub async fn restore(&mut self, tenant: TenantId, id: RestoreId) -> Result<Option<Restore>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The tenant's restores that match, newest first if no order is asked for.
    pub async fn list_restores(
        &mut self,
        tenant: TenantId,
        filter: &Filter<RestoreField>,
        sort: &[Sort<RestoreField>],
        page: &Page,
    ) -> Result<Paged<Restore>> {
        let mut conditions = Conditions::of_tenant(self, tenant);
        conditions.filter(filter)?;
        self.page_of(conditions, filter::order(sort), page).await
    }

    /// The restores of a backup that have not ended, oldest first.
    pub async fn active_restores_of_backup(
        &mut self,
        tenant: TenantId,
        backup: BackupId,
    ) -> Result<Vec<Restore>> {
        let rest = "WHERE tenant_id = $1 AND backup_id = $2 \
             AND state IN ('pending', 'running') ORDER BY created_at, id";
        self.find_all(rest, values![tenant, backup]).await
    }

    /// The restores of a resource's backups that have not ended, oldest first.
    pub async fn active_restores_of_resource(
        &mut self,
        tenant: TenantId,
        resource: ResourceId,
    ) -> Result<Vec<Restore>> {
        let rest = "WHERE tenant_id = $1 AND resource_id = $2 \
             AND state IN ('pending', 'running') ORDER BY created_at, id";
        self.find_all(rest, values![tenant, resource]).await
    }
}

impl Tx {
    /// Adds a restore.
    pub async fn insert_restore(&mut self, restore: &Restore) -> Result<()> {
        self.insert(restore).await
    }

    /// Writes a restore whose row has its version.
    pub async fn update_restore(&mut self, restore: &Restore) -> Result<()> {
        self.update(restore).await
    }

    /// Writes how far a restore is, without counting as a change.
    pub async fn set_restore_progress(
        &mut self,
        id: RestoreId,
        progress: &BackupProgress,
    ) -> Result<()> {
        let text = "UPDATE restores SET bytes_done = $2, bytes_total = $3, entries_done = $4 \
             WHERE id = $1";
        let statement = sql(text)
            .bind(id)
            .bind(progress.bytes_done)
            .bind(progress.bytes_total)
            .bind(progress.entries_done);
        self.execute(statement).await.map(drop)
    }
}
