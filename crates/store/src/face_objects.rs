//! Things that only one face knows.

use strongroom_domain::{Face, ObjectId, TenantId, object::FaceObject};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value},
    record::{Record, values},
};

impl Record for FaceObject {
    const TABLE: &'static str = "face_objects";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "face",
        "kind",
        "body",
        "created_at",
        "updated_at",
        "version",
    ];
    const UNIQUE: &'static str = "object id";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            face,
            kind,
            body,
            created_at,
            updated_at,
            version,
        } = self;
        values![
            *id,
            *tenant_id,
            face.as_str(),
            kind.as_str(),
            Value::json(body),
            *created_at,
            *updated_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(ObjectId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            face: row.word()?,
            kind: row.text()?,
            body: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            version: row.int()?,
        })
    }
}

impl Conn {
    /// One thing of a face's.
    pub async fn face_object(
        &mut self,
        tenant: TenantId,
        face: Face,
        id: ObjectId,
    ) -> Result<Option<FaceObject>> {
        let rest = "WHERE tenant_id = $1 AND face = $2 AND id = $3";
        self.find(rest, values![tenant, face.as_str(), id]).await
    }

    /// Everything of one kind that a face keeps, oldest first.
    pub async fn list_face_objects(
        &mut self,
        tenant: TenantId,
        face: Face,
        kind: &str,
    ) -> Result<Vec<FaceObject>> {
        let rest = "WHERE tenant_id = $1 AND face = $2 AND kind = $3 ORDER BY created_at, id";
        self.find_all(rest, values![tenant, face.as_str(), kind])
            .await
    }
}

impl Tx {
    /// Adds a thing; `Duplicate` if its id is taken.
    pub async fn insert_face_object(&mut self, object: &FaceObject) -> Result<()> {
        self.insert(object).await
    }

    /// Writes a thing whose row has its version.
    pub async fn update_face_object(&mut self, object: &FaceObject) -> Result<()> {
        self.update(object).await
    }

    /// Deletes a thing whose row has its version.
    pub async fn delete_face_object(&mut self, object: &FaceObject) -> Result<()> {
        self.delete(object).await
    }
}
