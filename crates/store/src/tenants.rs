//! Tenants.

use strongroom_domain::{TenantId, tenant::Tenant};

use crate::{
    Conn, Error, Result, Tx,
    db::{Reader, sql},
};

const COLUMNS: &str = "SELECT id, name, created_at FROM tenants";

fn read(row: &mut Reader<'_>) -> Result<Tenant> {
    Ok(Tenant {
        id: row.id(TenantId::from_uuid)?,
        name: row.text()?,
        created_at: row.time()?,
    })
}

/// Reads a tenant from the next columns of a row that joins it.
pub(crate) fn read_joined(row: &mut Reader<'_>) -> Result<Tenant> {
    read(row)
}

impl Conn {
    /// The tenant with that id.
    pub async fn tenant(&mut self, id: TenantId) -> Result<Option<Tenant>> {
        let statement = sql(format!("{COLUMNS} WHERE id = $1")).bind(id);
        let row = self.one(statement).await?;
        row.map(|row| read(&mut row.reader("tenants"))).transpose()
    }

    /// The tenant with that name.
    pub async fn tenant_named(&mut self, name: &str) -> Result<Option<Tenant>> {
        let statement = sql(format!("{COLUMNS} WHERE name = $1")).bind(name);
        let row = self.one(statement).await?;
        row.map(|row| read(&mut row.reader("tenants"))).transpose()
    }

    /// All tenants, oldest first.
    pub async fn list_tenants(&mut self) -> Result<Vec<Tenant>> {
        let rows = self
            .all(sql(format!("{COLUMNS} ORDER BY created_at, id")))
            .await?;
        rows.iter()
            .map(|row| read(&mut row.reader("tenants")))
            .collect()
    }
}

impl Tx {
    /// Adds a tenant; `Duplicate` if its name is taken.
    pub async fn insert_tenant(&mut self, tenant: &Tenant) -> Result<()> {
        let Tenant {
            id,
            name,
            created_at,
        } = tenant;
        let statement = sql("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(*id)
            .bind(name.as_str())
            .bind(*created_at);
        let done = self.execute(statement).await;
        done.map(drop)
            .map_err(|error| Error::of_write(error, "tenants", "tenant name"))
    }
}
