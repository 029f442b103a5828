//! Exports.

use strongroom_domain::{BackupId, Export, ExportId, RepositoryId, TenantId};

use crate::{
    Conn, Result, Tx,
    backup_copies::list,
    db::{Reader, Value, sql},
    record::{Record, read_all, select, values},
};

impl Record for Export {
    const TABLE: &'static str = "exports";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "backup_id",
        "repository_id",
        "file_name",
        "created_at",
    ];
    const UNIQUE: &'static str = "export of the backup";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            backup_id,
            repository_id,
            file_name,
            created_at,
        } = self;
        values![
            *id,
            *tenant_id,
            *backup_id,
            *repository_id,
            file_name.as_str(),
            *created_at,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(ExportId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            backup_id: row.id(BackupId::from_uuid)?,
            repository_id: row.id(RepositoryId::from_uuid)?,
            file_name: row.text()?,
            created_at: row.time()?,
        })
    }
}

impl Conn {
    /// All exports of a tenant, oldest first.
    pub async fn list_exports(&mut self, tenant: TenantId) -> Result<Vec<Export>> {
        self.find_all(
            "WHERE tenant_id = $1 ORDER BY created_at, id",
            values![tenant],
        )
        .await
    }

    /// One export, of whatever tenant: who knows its id may use it.
    pub async fn export(&mut self, id: ExportId) -> Result<Option<Export>> {
        self.find("WHERE id = $1", values![id]).await
    }

    /// The exports of these backups, oldest first.
    pub async fn exports_of(
        &mut self,
        tenant: TenantId,
        backups: &[BackupId],
    ) -> Result<Vec<Export>> {
        let mut exports = Vec::new();
        for backups in backups.chunks(500) {
            let (places, values) = list(tenant, backups);
            let rest =
                format!("WHERE tenant_id = $1 AND backup_id IN ({places}) ORDER BY created_at, id");
            let rows = self
                .all(sql(select::<Export>(&rest)).bind_all(values))
                .await?;
            exports.extend(read_all::<Export>(&rows)?);
        }
        Ok(exports)
    }
}

impl Tx {
    /// Adds an export; `Duplicate` if the backup has one from that repository.
    pub async fn insert_export(&mut self, export: &Export) -> Result<()> {
        self.insert(export).await
    }

    /// Ends the exports of a backup, from one repository or from all.
    pub async fn delete_exports(
        &mut self,
        backup: BackupId,
        repository: Option<RepositoryId>,
    ) -> Result<()> {
        let mut text = "DELETE FROM exports WHERE backup_id = $1".to_owned();
        let mut values = values![backup];
        if let Some(repository) = repository {
            text += " AND repository_id = $2";
            values.push(repository.into());
        }
        self.execute(sql(text).bind_all(values)).await.map(drop)
    }
}
