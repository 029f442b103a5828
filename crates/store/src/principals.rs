//! Principals and their password hashes.

use strongroom_domain::{Principal, PrincipalId, TenantId};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value, sql},
    record::{Record, values},
};

impl Record for Principal {
    const TABLE: &'static str = "principals";
    const COLUMNS: &'static [&'static str] = &["id", "tenant_id", "name", "role", "created_at"];
    const UNIQUE: &'static str = "principal name";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            name,
            role,
            created_at,
        } = self;
        values![*id, *tenant_id, name.as_str(), role.as_str(), *created_at]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(PrincipalId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            name: row.text()?,
            role: row.word()?,
            created_at: row.time()?,
        })
    }
}

impl Conn {
    /// The principal with that id.
    pub async fn principal(
        &mut self,
        tenant: TenantId,
        id: PrincipalId,
    ) -> Result<Option<Principal>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The principal of the tenant with that login name.
    pub async fn principal_named(
        &mut self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<Principal>> {
        self.find("WHERE tenant_id = $1 AND name = $2", values![tenant, name])
            .await
    }

    /// The principals of all tenants with that login name; for logins that name no tenant.
    pub async fn principals_named(&mut self, name: &str) -> Result<Vec<Principal>> {
        self.find_all("WHERE name = $1 ORDER BY created_at, id", values![name])
            .await
    }

    /// The principals of the tenant, oldest first.
    pub async fn list_principals(&mut self, tenant: TenantId) -> Result<Vec<Principal>> {
        self.find_all(
            "WHERE tenant_id = $1 ORDER BY created_at, id",
            values![tenant],
        )
        .await
    }

    /// The hash of a principal's password, if it has one.
    pub async fn password_hash(&mut self, id: PrincipalId) -> Result<Option<String>> {
        let statement = sql("SELECT password_hash FROM principals WHERE id = $1").bind(id);
        match self.one(statement).await? {
            Some(row) => row.reader("principals").text_opt(),
            None => Ok(None),
        }
    }
}

impl Tx {
    /// Adds a principal without a password; `Duplicate` if the tenant has one of that name.
    pub async fn insert_principal(&mut self, principal: &Principal) -> Result<()> {
        self.insert(principal).await
    }

    /// Sets or takes away the hash of a principal's password.
    pub async fn set_password_hash(&mut self, id: PrincipalId, hash: Option<&str>) -> Result<()> {
        let statement = sql("UPDATE principals SET password_hash = $2 WHERE id = $1")
            .bind(id)
            .bind(hash);
        self.execute(statement).await.map(drop)
    }

    /// Writes a principal's name and role; `Conflict` if it is gone.
    pub async fn update_principal(&mut self, principal: &Principal) -> Result<()> {
        self.update(principal).await
    }

    /// Removes a principal with its credentials and sessions; `false` if there was none.
    pub async fn delete_principal(&mut self, tenant: TenantId, id: PrincipalId) -> Result<bool> {
        let statement = sql("DELETE FROM principals WHERE tenant_id = $1 AND id = $2")
            .bind(tenant)
            .bind(id);
        Ok(self.execute(statement).await? > 0)
    }
}
