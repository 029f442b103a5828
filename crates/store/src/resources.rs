//! Resources; removed ones stay as rows.

use strongroom_domain::{
    Face, Page, Paged, Resource, ResourceId, ResourceKind, TenantId, query::Direction,
};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value, sql},
    list::{Column, Conditions, Order},
    record::{Record, values},
};

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter {
    /// Only those that this face shows.
    pub face: Option<Face>,
    /// Only this kind.
    pub kind: Option<ResourceKind>,
    /// Only with exactly this name.
    pub name: Option<String>,
    /// Also those that were removed.
    pub include_deleted: bool,
}

impl Record for Resource {
    const TABLE: &'static str = "resources";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "kind",
        "face",
        "name",
        "settings",
        "size_bytes",
        "labels",
        "annotations",
        "created_at",
        "updated_at",
        "deleted_at",
        "version",
    ];
    const UNIQUE: &'static str = "resource name";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            kind,
            face,
            name,
            settings,
            size_bytes,
            labels,
            annotations,
            created_at,
            updated_at,
            deleted_at,
            version,
        } = self;
        values![
            *id,
            *tenant_id,
            kind.as_str(),
            face.map(Face::as_str),
            name.as_str(),
            Value::json(settings),
            *size_bytes,
            Value::json(labels),
            Value::json(annotations),
            *created_at,
            *updated_at,
            *deleted_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(ResourceId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            kind: row.word()?,
            face: row.word_opt()?,
            name: row.text()?,
            settings: row.json()?,
            size_bytes: row.number_opt()?,
            labels: row.json()?,
            annotations: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            deleted_at: row.time_opt()?,
            version: row.int()?,
        })
    }
}

impl Conn {
    /// One resource, also a removed one (its `deleted_at` tells).
    pub async fn resource(&mut self, tenant: TenantId, id: ResourceId) -> Result<Option<Resource>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The living resource of that name.
    pub async fn resource_named(
        &mut self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<Resource>> {
        let rest = "WHERE tenant_id = $1 AND name = $2 AND deleted_at IS NULL";
        self.find(rest, values![tenant, name]).await
    }

    /// The tenant's resources that match, oldest first.
    pub async fn list_resources(
        &mut self,
        tenant: TenantId,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Paged<Resource>> {
        let mut conditions = Conditions::of_tenant(self, tenant);
        if let Some(face) = filter.face {
            conditions.add("face = ", face.as_str());
        }
        if let Some(kind) = filter.kind {
            conditions.add("kind = ", kind.as_str());
        }
        if let Some(name) = &filter.name {
            conditions.add("name = ", name.as_str());
        }
        if !filter.include_deleted {
            conditions.literal("deleted_at IS NULL");
        }
        let order = Order::by(Column::CREATED_AT, Direction::Ascending);
        self.page_of(conditions, order, page).await
    }
}

impl Tx {
    /// Keeps other transactions that lock the same resource waiting until this one has ended.
    pub async fn lock_resource(&mut self, resource: &Resource) -> Result<()> {
        // SQLite lets one transaction write at a time anyway; PostgreSQL locks the row.
        let text = "UPDATE resources SET version = version WHERE id = $1";
        self.execute(sql(text).bind(resource.id)).await.map(drop)
    }

    /// Adds a resource; `Duplicate` if a living one has its name.
    pub async fn insert_resource(&mut self, resource: &Resource) -> Result<()> {
        self.insert(resource).await
    }

    /// Writes a resource whose row has its version.
    pub async fn update_resource(&mut self, resource: &Resource) -> Result<()> {
        self.update(resource).await
    }
}
