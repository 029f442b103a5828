//! Vaults with the resources in them.

use strongroom_domain::{PolicyId, RepositoryId, ResourceId, TenantId, VaultId, vault::Vault};

use crate::{
    Conn, Error, Result, Tx,
    db::{Reader, Value, sql},
    record::{Record, values},
};

/// What the backups of one resource take up in a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The resource.
    pub resource_id: ResourceId,
    /// How many of its backups are not deleted.
    pub backups: u64,
    /// Bytes that they added to the repository.
    pub stored_bytes: u64,
}

impl Record for Vault {
    const TABLE: &'static str = "vaults";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "name",
        "description",
        "repository_id",
        "policy_id",
        "quota_bytes",
        "locked",
        "labels",
        "annotations",
        "created_at",
        "updated_at",
        "version",
    ];
    const UNIQUE: &'static str = "vault";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            name,
            description,
            repository_id,
            resources: _,
            policy_id,
            quota_bytes,
            locked,
            labels,
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
            *repository_id,
            *policy_id,
            *quota_bytes,
            *locked,
            Value::json(labels),
            Value::json(annotations),
            *created_at,
            *updated_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(VaultId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            name: row.text()?,
            description: row.text_opt()?,
            repository_id: row.id(RepositoryId::from_uuid)?,
            resources: Vec::new(),
            policy_id: row.id_opt(PolicyId::from_uuid)?,
            quota_bytes: row.number()?,
            locked: row.bool()?,
            labels: row.json()?,
            annotations: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            version: row.int()?,
        })
    }
}

impl Conn {
    /// One vault.
    pub async fn vault(&mut self, tenant: TenantId, id: VaultId) -> Result<Option<Vault>> {
        let rest = "WHERE tenant_id = $1 AND id = $2";
        self.vaults_where(rest, values![tenant, id])
            .await
            .map(|mut found| found.pop())
    }

    /// The vault that a resource is in.
    pub async fn vault_of(
        &mut self,
        tenant: TenantId,
        resource: ResourceId,
    ) -> Result<Option<Vault>> {
        let rest = "WHERE tenant_id = $1 AND id = \
             (SELECT vault_id FROM vault_resources WHERE resource_id = $2)";
        self.vaults_where(rest, values![tenant, resource])
            .await
            .map(|mut found| found.pop())
    }

    /// The tenant's vaults, newest first.
    pub async fn list_vaults(&mut self, tenant: TenantId) -> Result<Vec<Vault>> {
        let rest = "WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC";
        self.vaults_where(rest, values![tenant]).await
    }

    /// The tenant's vaults that a policy runs, oldest first.
    pub async fn vaults_of_policy(
        &mut self,
        tenant: TenantId,
        policy: PolicyId,
    ) -> Result<Vec<Vault>> {
        let rest = "WHERE tenant_id = $1 AND policy_id = $2 ORDER BY created_at, id";
        self.vaults_where(rest, values![tenant, policy]).await
    }

    /// What the backups in a vault take up, per resource that has any.
    pub async fn vault_usage(&mut self, tenant: TenantId, vault: VaultId) -> Result<Vec<Usage>> {
        let text = "SELECT resource_id, COUNT(*), CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) \
             FROM backups WHERE tenant_id = $1 AND vault_id = $2 AND state <> 'deleted' \
             GROUP BY resource_id ORDER BY resource_id";
        let rows = self.all(sql(text).bind(tenant).bind(vault)).await?;
        let usage = rows.iter().map(|row| {
            let mut row = row.reader("backups");
            Ok(Usage {
                resource_id: row.id(ResourceId::from_uuid)?,
                backups: row.number()?,
                stored_bytes: row.number()?,
            })
        });
        usage.collect()
    }

    async fn vaults_where(&mut self, rest: &str, values: Vec<Value>) -> Result<Vec<Vault>> {
        let mut vaults: Vec<Vault> = self.find_all(rest, values).await?;
        for vault in &mut vaults {
            let text = "SELECT resource_id FROM vault_resources WHERE vault_id = $1 \
                 ORDER BY position";
            for row in self.all(sql(text).bind(vault.id)).await? {
                let mut row = row.reader("vault_resources");
                vault.resources.push(row.id(ResourceId::from_uuid)?);
            }
        }
        Ok(vaults)
    }
}

impl Tx {
    /// Adds a vault; `Duplicate` if one of its resources is in another.
    pub async fn insert_vault(&mut self, vault: &Vault) -> Result<()> {
        self.insert(vault).await?;
        self.insert_members(vault).await
    }

    /// Writes a vault whose row has its version, and the resources in it; `Duplicate` if one of
    /// them is in another vault.
    pub async fn update_vault(&mut self, vault: &Vault) -> Result<()> {
        self.update(vault).await?;
        let statement = sql("DELETE FROM vault_resources WHERE vault_id = $1").bind(vault.id);
        self.execute(statement).await?;
        self.insert_members(vault).await
    }

    /// Deletes a vault whose row has its version; its backups keep its id.
    pub async fn delete_vault(&mut self, vault: &Vault) -> Result<()> {
        self.delete(vault).await
    }

    async fn insert_members(&mut self, vault: &Vault) -> Result<()> {
        for (position, resource) in (0_i64..).zip(&vault.resources) {
            let text = "INSERT INTO vault_resources (resource_id, vault_id, position) \
                 VALUES ($1, $2, $3)";
            let statement = sql(text).bind(*resource).bind(vault.id).bind(position);
            let done = self.execute(statement).await;
            done.map_err(|error| Error::of_write(error, "vault_resources", "vault membership"))?;
        }
        Ok(())
    }
}
