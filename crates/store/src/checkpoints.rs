//! Checkpoints.

use strongroom_domain::{CheckpointId, TenantId, VaultId, vault::Checkpoint};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value},
    record::{Record, values},
};

impl Record for Checkpoint {
    const TABLE: &'static str = "checkpoints";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "vault_id",
        "name",
        "description",
        "skipped",
        "annotations",
        "created_at",
    ];
    const UNIQUE: &'static str = "checkpoint";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            vault_id,
            name,
            description,
            skipped,
            annotations,
            created_at,
        } = self;
        values![
            *id,
            *tenant_id,
            *vault_id,
            name.as_deref(),
            description.as_deref(),
            Value::json(skipped),
            Value::json(annotations),
            *created_at,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(CheckpointId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            vault_id: row.id(VaultId::from_uuid)?,
            name: row.text_opt()?,
            description: row.text_opt()?,
            skipped: row.json()?,
            annotations: row.json()?,
            created_at: row.time()?,
        })
    }
}

impl Conn {
    /// One checkpoint, also one whose backups are all deleted.
    pub async fn checkpoint(
        &mut self,
        tenant: TenantId,
        id: CheckpointId,
    ) -> Result<Option<Checkpoint>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The checkpoints of a vault, newest first.
    pub async fn list_checkpoints(
        &mut self,
        tenant: TenantId,
        vault: VaultId,
    ) -> Result<Vec<Checkpoint>> {
        let rest = "WHERE tenant_id = $1 AND vault_id = $2 ORDER BY created_at DESC, id DESC";
        self.find_all(rest, values![tenant, vault]).await
    }
}

impl Tx {
    /// Adds a checkpoint.
    pub async fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.insert(checkpoint).await
    }

    /// Writes a checkpoint; `Conflict` if it is gone.
    pub async fn update_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.update(checkpoint).await
    }
}
