//! Calls that are due once their operation has ended.

use jiff::Timestamp;
use strongroom_domain::{Face, OperationId, TenantId, callback::Callback};

use crate::{
    Conn, Result, Tx,
    db::{Reader, sql},
};

fn read(row: &mut Reader<'_>) -> Result<Callback> {
    Ok(Callback {
        operation_id: row.id(OperationId::from_uuid)?,
        tenant_id: row.id(TenantId::from_uuid)?,
        url: row.text()?,
        attempts: row.number()?,
        next_at: row.time()?,
    })
}

impl Conn {
    /// At most `limit` of a face's calls whose time has come and whose operation has ended, longest
    /// due first.
    pub async fn due_callbacks(
        &mut self,
        face: Face,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Callback>> {
        let text = "SELECT c.operation_id, c.tenant_id, c.url, c.attempts, c.next_at \
             FROM callbacks c JOIN operations o ON o.id = c.operation_id \
             WHERE c.face = $1 AND c.next_at <= $2 \
             AND o.state IN ('succeeded', 'failed', 'cancelled') \
             ORDER BY c.next_at, c.operation_id LIMIT $3";
        let statement = sql(text).bind(face.as_str()).bind(now).bind(limit);
        let rows = self.all(statement).await?;
        rows.iter()
            .map(|row| read(&mut row.reader("callbacks")))
            .collect()
    }
}

impl Tx {
    /// Adds a call for the end of an operation.
    pub async fn insert_callback(&mut self, face: Face, callback: &Callback) -> Result<()> {
        let text = "INSERT INTO callbacks (operation_id, tenant_id, face, url, attempts, next_at) \
             VALUES ($1, $2, $3, $4, $5, $6)";
        let statement = sql(text)
            .bind(callback.operation_id)
            .bind(callback.tenant_id)
            .bind(face.as_str())
            .bind(callback.url.as_str())
            .bind(callback.attempts)
            .bind(callback.next_at);
        self.execute(statement).await.map(drop)
    }

    /// Puts a call off and counts the attempt that is about to be made; `false` if somebody else
    /// has done so since it was read.
    pub async fn claim_callback(
        &mut self,
        callback: &Callback,
        next_at: Timestamp,
    ) -> Result<bool> {
        let text = "UPDATE callbacks SET attempts = attempts + 1, next_at = $3 \
             WHERE operation_id = $1 AND attempts = $2";
        let statement = sql(text)
            .bind(callback.operation_id)
            .bind(callback.attempts)
            .bind(next_at);
        Ok(self.execute(statement).await? > 0)
    }

    /// Has a call that was claimed made again at another time.
    pub async fn put_off_callback(
        &mut self,
        operation: OperationId,
        next_at: Timestamp,
    ) -> Result<()> {
        let text = "UPDATE callbacks SET next_at = $2 WHERE operation_id = $1";
        let statement = sql(text).bind(operation).bind(next_at);
        self.execute(statement).await.map(drop)
    }

    /// Forgets a call that was made or given up.
    pub async fn delete_callback(&mut self, operation: OperationId) -> Result<()> {
        let statement = sql("DELETE FROM callbacks WHERE operation_id = $1").bind(operation);
        self.execute(statement).await.map(drop)
    }
}
