//! Things that only one face knows; see [`FaceObject`].

use serde_json::Value;
use strongroom_domain::{Face, ObjectId, object::FaceObject, principal::Permission};

use crate::{Caller, Error, Result, Service, error::taken, validate::check_version};

impl Service {
    /// Keeps a thing of the caller's face, under an id of its own or one that the client chose.
    pub async fn create_object(
        &self,
        caller: &Caller,
        kind: &str,
        id: Option<ObjectId>,
        body: Value,
    ) -> Result<FaceObject> {
        caller.require(Permission::Write)?;
        let now = self.now();
        let object = FaceObject {
            id: id.unwrap_or_else(|| ObjectId::from_uuid(self.uuid())),
            tenant_id: caller.tenant_id,
            face: face(caller)?,
            kind: kind.to_owned(),
            body,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut tx = self.begin().await?;
        tx.insert_face_object(&object)
            .await
            .map_err(taken("object", &object.id.to_string()))?;
        tx.commit().await?;
        self.changed();
        Ok(object)
    }

    /// One thing of that kind of the caller's face.
    pub async fn object(&self, caller: &Caller, kind: &str, id: ObjectId) -> Result<FaceObject> {
        caller.require(Permission::Read)?;
        let face = face(caller)?;
        let mut read = self.read().await?;
        let found = read.face_object(caller.tenant_id, face, id).await?;
        let found = found.filter(|it| it.kind == kind);
        found.ok_or_else(|| Error::not_found("object", id))
    }

    /// Everything of that kind of the caller's face, oldest first.
    pub async fn list_objects(&self, caller: &Caller, kind: &str) -> Result<Vec<FaceObject>> {
        caller.require(Permission::Read)?;
        let face = face(caller)?;
        let mut read = self.read().await?;
        Ok(read.list_face_objects(caller.tenant_id, face, kind).await?)
    }

    /// Replaces what is kept of a thing that was read.
    pub async fn update_object(
        &self,
        caller: &Caller,
        object: &FaceObject,
        body: Value,
    ) -> Result<FaceObject> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let mut changed = self.own(&mut tx, caller, object).await?;
        changed.body = body;
        changed.updated_at = self.now();
        tx.update_face_object(&changed).await?;
        tx.commit().await?;
        changed.version += 1;
        self.changed();
        Ok(changed)
    }

    /// Forgets a thing that was read.
    pub async fn delete_object(&self, caller: &Caller, object: &FaceObject) -> Result<()> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let object = self.own(&mut tx, caller, object).await?;
        tx.delete_face_object(&object).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// The thing as it is now, if it is still as the caller read it.
    async fn own(
        &self,
        tx: &mut strongroom_store::Tx,
        caller: &Caller,
        object: &FaceObject,
    ) -> Result<FaceObject> {
        let id = object.id;
        let found = tx.face_object(caller.tenant_id, face(caller)?, id).await?;
        let found = found.ok_or_else(|| Error::not_found("object", id))?;
        check_version("object", &id, Some(object.version), found.version)?;
        Ok(found)
    }
}

fn face(caller: &Caller) -> Result<Face> {
    let none = || Error::internal("only a face keeps things of its own");
    caller.face.ok_or_else(none)
}
