//! What was answered to requests that carry an idempotency key.

use jiff::Timestamp;
use strongroom_domain::TenantId;

use crate::{
    Conn, Result, Tx,
    db::{Value, sql},
};

/// A request that was carried out, and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Idempotency {
    /// Whose request.
    pub tenant_id: TenantId,
    /// The key that the client chose.
    pub key: String,
    /// A digest of the request: the same key with another request is a mistake.
    pub request_hash: String,
    /// What is needed to answer again, e.g. the ids that were made.
    pub answer: serde_json::Value,
    /// When it was carried out.
    pub created_at: Timestamp,
    /// From when on the key is free again.
    pub expires_at: Timestamp,
}

impl Conn {
    /// The record of that key, unless it has expired.
    pub async fn idempotency(
        &mut self,
        tenant: TenantId,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Idempotency>> {
        let text = "SELECT tenant_id, idempotency_key, request_hash, answer, created_at, \
             expires_at FROM idempotency \
             WHERE tenant_id = $1 AND idempotency_key = $2 AND expires_at > $3";
        let row = self.one(sql(text).bind(tenant).bind(key).bind(now)).await?;
        row.map(|row| {
            let mut row = row.reader("idempotency");
            Ok(Idempotency {
                tenant_id: row.id(TenantId::from_uuid)?,
                key: row.text()?,
                request_hash: row.text()?,
                answer: row.json()?,
                created_at: row.time()?,
                expires_at: row.time()?,
            })
        })
        .transpose()
    }
}

impl Tx {
    /// Keeps a record; `false`, and nothing written, if there is one of that key that has not
    /// expired. On PostgreSQL this waits for another transaction that is writing the same key.
    pub async fn insert_idempotency(&mut self, record: &Idempotency) -> Result<bool> {
        let Idempotency {
            tenant_id,
            key,
            request_hash,
            answer,
            created_at,
            expires_at,
        } = record;
        let text = "INSERT INTO idempotency AS i (tenant_id, idempotency_key, request_hash, \
             answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (tenant_id, idempotency_key) DO UPDATE SET \
             request_hash = excluded.request_hash, answer = excluded.answer, \
             created_at = excluded.created_at, expires_at = excluded.expires_at \
             WHERE i.expires_at <= excluded.created_at";
        let statement = sql(text)
            .bind(*tenant_id)
            .bind(key.as_str())
            .bind(request_hash.as_str())
            .bind(Value::json(answer))
            .bind(*created_at)
            .bind(*expires_at);
        Ok(self.execute(statement).await? > 0)
    }

    /// Removes the records that expired before `before`; gives their number.
    pub async fn purge_idempotency(&mut self, before: Timestamp) -> Result<u64> {
        self.execute(sql("DELETE FROM idempotency WHERE expires_at < $1").bind(before))
            .await
    }
}
