//! Backups.

use jiff::Timestamp;
use strongroom_domain::{
    Backup, BackupId, BackupState, CheckpointId, Face, Page, Paged, PolicyId, PrincipalId,
    RepositoryId, ResourceId, TenantId, VaultId,
    backup::BackupProgress,
    query::{BackupField, Filter, Sort},
};

use crate::{
    Conn, Error, Result, Tx,
    db::{Reader, Value, sql},
    filter,
    list::Conditions,
    ranges,
    record::{Record, insert_text, values},
};

/// Deleted backups are records only; every index of a list leaves them out by this very text.
pub(crate) const VISIBLE: &str = "state <> 'deleted'";

impl Record for Backup {
    const TABLE: &'static str = "backups";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "resource_id",
        "resource_name",
        "kind",
        "face",
        "repository_id",
        "vault_id",
        "checkpoint_id",
        "policy_id",
        "parent_id",
        "name",
        "description",
        "state",
        "trigger_kind",
        "scheduled_for",
        "bytes_done",
        "bytes_total",
        "entries_done",
        "source_bytes",
        "stored_bytes",
        "entries",
        "snapshot",
        "reason",
        "failed_entries",
        "failed_entry_count",
        "created_by",
        "labels",
        "annotations",
        "created_at",
        "updated_at",
        "started_at",
        "finished_at",
        "expires_at",
        "version",
    ];
    const UNIQUE: &'static str = "backup occurrence";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
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
        } = self;
        values![
            *id,
            *tenant_id,
            *resource_id,
            resource_name.as_str(),
            kind.as_str(),
            face.map(Face::as_str),
            *repository_id,
            *vault_id,
            *checkpoint_id,
            *policy_id,
            *parent_id,
            name.as_str(),
            description.as_deref(),
            state.as_str(),
            trigger.as_str(),
            *scheduled_for,
            progress.bytes_done,
            progress.bytes_total,
            progress.entries_done,
            *source_bytes,
            *stored_bytes,
            *entries,
            snapshot.as_deref(),
            reason.as_deref(),
            Value::json(failed_entries),
            *failed_entry_count,
            *created_by,
            Value::json(labels),
            Value::json(annotations),
            *created_at,
            *updated_at,
            *started_at,
            *finished_at,
            *expires_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(BackupId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            resource_id: row.id(ResourceId::from_uuid)?,
            resource_name: row.text()?,
            kind: row.word()?,
            face: row.word_opt()?,
            repository_id: row.id(RepositoryId::from_uuid)?,
            vault_id: row.id_opt(VaultId::from_uuid)?,
            checkpoint_id: row.id_opt(CheckpointId::from_uuid)?,
            policy_id: row.id_opt(PolicyId::from_uuid)?,
            parent_id: row.id_opt(BackupId::from_uuid)?,
            name: row.text()?,
            description: row.text_opt()?,
            state: row.word()?,
            trigger: row.word()?,
            scheduled_for: row.time_opt()?,
            progress: BackupProgress {
                bytes_done: row.number()?,
                bytes_total: row.number_opt()?,
                entries_done: row.number()?,
            },
            source_bytes: row.number_opt()?,
            stored_bytes: row.number_opt()?,
            entries: row.number_opt()?,
            snapshot: row.text_opt()?,
            reason: row.text_opt()?,
            failed_entries: row.json()?,
            failed_entry_count: row.number()?,
            created_by: row.id_opt(PrincipalId::from_uuid)?,
            labels: row.json()?,
            annotations: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            started_at: row.time_opt()?,
            finished_at: row.time_opt()?,
            expires_at: row.time_opt()?,
            version: row.int()?,
        })
    }
}

impl Conn {
    /// One backup that is not deleted.
    pub async fn backup(&mut self, tenant: TenantId, id: BackupId) -> Result<Option<Backup>> {
        let rest = "WHERE tenant_id = $1 AND id = $2 AND state <> 'deleted'";
        self.find(rest, values![tenant, id]).await
    }

    /// One backup, also a deleted one.
    pub async fn backup_record(
        &mut self,
        tenant: TenantId,
        id: BackupId,
    ) -> Result<Option<Backup>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The tenant's backups that are not deleted and match, newest first if no order is asked
    /// for. With no filter but a face, any offset and the total take a few milliseconds, however
    /// many backups there are.
    pub async fn list_backups(
        &mut self,
        tenant: TenantId,
        filter: &Filter<BackupField>,
        sort: &[Sort<BackupField>],
        page: &Page,
    ) -> Result<Paged<Backup>> {
        self.snapshot().await?;
        let order = filter::order(sort);
        let Some(series) = ranges::series_of(filter) else {
            let conditions = self.visible(tenant, filter)?;
            return self.page_of(conditions, order, page).await;
        };
        let total = self.backups_in(tenant, series).await?;
        let wanted = page.total.then_some(total.all);
        if let Some(slice) = ranges::slice(&order, page, total.all) {
            let items = self.backups_at(tenant, series, &total, &slice).await?;
            let next = slice.cursor(&order, &items);
            return Ok(Paged {
                items,
                total: wanted,
                next,
            });
        }
        let conditions = self.visible(tenant, filter)?;
        let (items, next) = self.rows_of(conditions, &order, page).await?;
        Ok(Paged {
            items,
            total: wanted,
            next,
        })
    }

    /// The tenant's backups that match, the deleted ones too.
    pub async fn list_backup_records(
        &mut self,
        tenant: TenantId,
        filter: &Filter<BackupField>,
        sort: &[Sort<BackupField>],
        page: &Page,
    ) -> Result<Paged<Backup>> {
        let mut conditions = Conditions::of_tenant(self, tenant);
        conditions.filter(filter)?;
        self.page_of(conditions, filter::order(sort), page).await
    }

    fn visible(&self, tenant: TenantId, filter: &Filter<BackupField>) -> Result<Conditions> {
        let mut conditions = Conditions::of_tenant(self, tenant);
        conditions.literal(VISIBLE);
        conditions.filter(filter)?;
        Ok(conditions)
    }

    /// How many of the tenant's backups are not deleted and match.
    pub async fn count_backups(
        &mut self,
        tenant: TenantId,
        filter: &Filter<BackupField>,
    ) -> Result<u64> {
        match ranges::series_of(filter) {
            Some(series) => Ok(self.backups_in(tenant, series).await?.all),
            None => {
                self.count_of::<Backup>(&self.visible(tenant, filter)?)
                    .await
            }
        }
    }

    /// At most `limit` finished backups of all tenants whose time is over at `now`, longest over
    /// first.
    pub async fn expired_backups(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Backup>> {
        let rest = "WHERE expires_at IS NOT NULL AND expires_at <= $1 AND state <> 'deleted' \
             AND state IN ('completed', 'partial', 'failed', 'cancelled', 'removed') \
             ORDER BY expires_at, id LIMIT $2";
        self.find_all(rest, values![now, limit]).await
    }

    /// The newest restorable backup of a resource in a repository: what the next one builds on.
    pub async fn latest_restorable_backup(
        &mut self,
        tenant: TenantId,
        resource: ResourceId,
        repository: RepositoryId,
    ) -> Result<Option<Backup>> {
        let rest = "WHERE tenant_id = $1 AND resource_id = $2 AND repository_id = $3 \
             AND state IN ('completed', 'partial') AND state <> 'deleted' \
             ORDER BY created_at DESC, id DESC LIMIT 1";
        self.find(rest, values![tenant, resource, repository]).await
    }
}

impl Tx {
    /// Adds a backup; `false`, and nothing written, if its policy already made one of the
    /// resource for the same occurrence.
    pub async fn insert_backup(&mut self, backup: &Backup) -> Result<bool> {
        let mut text = insert_text::<Backup>();
        if backup.policy_id.is_some() && backup.scheduled_for.is_some() {
            text += " ON CONFLICT (policy_id, resource_id, scheduled_for) \
                 WHERE policy_id IS NOT NULL AND scheduled_for IS NOT NULL DO NOTHING";
        }
        let done = self.execute(sql(text).bind_all(backup.values())).await;
        let inserted = done.map_err(|error| Error::of_write(error, "backups", "backup id"))? > 0;
        if inserted && backup.state != BackupState::Deleted {
            self.count_backup(backup, 1).await?;
        }
        Ok(inserted)
    }

    /// Writes a backup whose row has its version; the row's is one higher then. Its tenant, face
    /// and time of creation never change, nor does a deleted one come back.
    pub async fn update_backup(&mut self, backup: &Backup) -> Result<()> {
        let was_visible = match backup.state {
            BackupState::Deleted => self.backup(backup.tenant_id, backup.id).await?.is_some(),
            _ => false,
        };
        self.update(backup).await?;
        if was_visible {
            self.count_backup(backup, -1).await?;
        }
        Ok(())
    }

    /// Writes how far a backup is, without counting as a change.
    pub async fn set_backup_progress(
        &mut self,
        id: BackupId,
        progress: &BackupProgress,
    ) -> Result<()> {
        let text = "UPDATE backups SET bytes_done = $2, bytes_total = $3, entries_done = $4 \
             WHERE id = $1";
        let statement = sql(text)
            .bind(id)
            .bind(progress.bytes_done)
            .bind(progress.bytes_total)
            .bind(progress.entries_done);
        self.execute(statement).await.map(drop)
    }
}
