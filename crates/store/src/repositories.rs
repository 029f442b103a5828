//! Repositories.

use strongroom_domain::{RepositoryId, TenantId, repository::Repository};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value, sql},
    record::{Record, values},
};

impl Record for Repository {
    const TABLE: &'static str = "repositories";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "name",
        "description",
        "url",
        "enabled",
        "is_default",
        "state",
        "reason",
        "sealed_master_key",
        "stored_bytes",
        "capacity_bytes",
        "annotations",
        "created_at",
        "updated_at",
        "version",
    ];
    const UNIQUE: &'static str = "repository name";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            name,
            description,
            url,
            enabled,
            is_default,
            state,
            reason,
            sealed_master_key,
            stored_bytes,
            capacity_bytes,
            annotations,
            created_at,
            updated_at,
            version,
        } = self;
        values![
            *id,
            *tenant_id,
            name.as_str(),
            description.as_deref(),
            url.as_str(),
            *enabled,
            *is_default,
            state.as_str(),
            reason.as_deref(),
            sealed_master_key.clone(),
            *stored_bytes,
            *capacity_bytes,
            Value::json(annotations),
            *created_at,
            *updated_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(RepositoryId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            name: row.text()?,
            description: row.text_opt()?,
            url: row.text()?,
            enabled: row.bool()?,
            is_default: row.bool()?,
            state: row.word()?,
            reason: row.text_opt()?,
            sealed_master_key: row.bytes()?,
            stored_bytes: row.number()?,
            capacity_bytes: row.number_opt()?,
            annotations: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            version: row.int()?,
        })
    }
}

impl Conn {
    /// One repository.
    pub async fn repository(
        &mut self,
        tenant: TenantId,
        id: RepositoryId,
    ) -> Result<Option<Repository>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The repository of that name.
    pub async fn repository_named(
        &mut self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<Repository>> {
        self.find("WHERE tenant_id = $1 AND name = $2", values![tenant, name])
            .await
    }

    /// The tenant's default repository.
    pub async fn default_repository(&mut self, tenant: TenantId) -> Result<Option<Repository>> {
        self.find("WHERE tenant_id = $1 AND is_default", values![tenant])
            .await
    }

    /// The repositories of the tenant, oldest first.
    pub async fn list_repositories(&mut self, tenant: TenantId) -> Result<Vec<Repository>> {
        self.find_all(
            "WHERE tenant_id = $1 ORDER BY created_at, id",
            values![tenant],
        )
        .await
    }

    /// The repositories of all tenants, oldest first; for maintenance.
    pub async fn all_repositories(&mut self) -> Result<Vec<Repository>> {
        self.find_all("ORDER BY created_at, id", Vec::new()).await
    }
}

impl Tx {
    /// Adds a repository; `Duplicate` if its name is taken. A new default replaces the old one.
    pub async fn insert_repository(&mut self, repository: &Repository) -> Result<()> {
        self.make_room_for_default(repository).await?;
        self.insert(repository).await
    }

    /// Writes a repository whose row has its version. A new default replaces the old one.
    pub async fn update_repository(&mut self, repository: &Repository) -> Result<()> {
        self.make_room_for_default(repository).await?;
        self.update(repository).await
    }

    /// Forgets a repository whose row has its version.
    pub async fn delete_repository(&mut self, repository: &Repository) -> Result<()> {
        self.delete(repository).await
    }

    async fn make_room_for_default(&mut self, repository: &Repository) -> Result<()> {
        if !repository.is_default {
            return Ok(());
        }
        let statement = sql(
            "UPDATE repositories SET is_default = FALSE, version = version + 1 \
             WHERE tenant_id = $1 AND is_default AND id <> $2",
        )
        .bind(repository.tenant_id)
        .bind(repository.id);
        self.execute(statement).await.map(drop)
    }
}
