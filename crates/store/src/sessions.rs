//! Login sessions.

use jiff::Timestamp;
use strongroom_domain::{PrincipalId, SessionId, TenantId, credential::Session};

use crate::{
    Conn, Owner, Result, Tx,
    credentials::{OWNER_COLUMNS, read_owner},
    db::{Reader, Value, sql},
    record::{Record, values},
};

impl Record for Session {
    const TABLE: &'static str = "sessions";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "lookup",
        "principal_id",
        "created_at",
        "expires_at",
    ];
    const UNIQUE: &'static str = "session";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            lookup,
            tenant_id,
            principal_id,
            created_at,
            expires_at,
        } = self;
        values![
            *id,
            *tenant_id,
            lookup.as_str(),
            *principal_id,
            *created_at,
            *expires_at,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(SessionId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            lookup: row.text()?,
            principal_id: row.id(PrincipalId::from_uuid)?,
            created_at: row.time()?,
            expires_at: row.time()?,
        })
    }
}

impl Conn {
    /// The session whose secret has that hash, with whom it stands for; also one that has ended.
    pub async fn session_owner(&mut self, lookup: &str) -> Result<Option<(Session, Owner)>> {
        let columns: Vec<_> = Session::COLUMNS
            .iter()
            .map(|it| format!("s.{it}"))
            .collect();
        let text = format!(
            "SELECT {}, {OWNER_COLUMNS} FROM sessions s \
             JOIN principals p ON p.id = s.principal_id \
             JOIN tenants t ON t.id = s.tenant_id \
             WHERE s.lookup = $1",
            columns.join(", ")
        );
        let row = self.one(sql(text).bind(lookup)).await?;
        row.map(|row| {
            let mut row = row.reader("sessions");
            Ok((Session::read(&mut row)?, read_owner(&mut row)?))
        })
        .transpose()
    }

    /// How many sessions of a principal have not ended by `now`.
    pub async fn open_sessions(&mut self, principal: PrincipalId, now: Timestamp) -> Result<u64> {
        let text = "SELECT COUNT(*) FROM sessions WHERE principal_id = $1 AND expires_at > $2";
        let count = self.count(sql(text).bind(principal).bind(now)).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

impl Tx {
    /// Opens a session.
    pub async fn insert_session(&mut self, session: &Session) -> Result<()> {
        self.insert(session).await
    }

    /// Moves the end of a session; `false` if there is none.
    pub async fn extend_session(&mut self, id: SessionId, until: Timestamp) -> Result<bool> {
        let statement = sql("UPDATE sessions SET expires_at = $2 WHERE id = $1")
            .bind(id)
            .bind(until);
        Ok(self.execute(statement).await? > 0)
    }

    /// Ends a session; `false` if there was none.
    pub async fn delete_session(&mut self, id: SessionId) -> Result<bool> {
        let statement = sql("DELETE FROM sessions WHERE id = $1").bind(id);
        Ok(self.execute(statement).await? > 0)
    }

    /// Removes the sessions that ended before `before`; gives their number.
    pub async fn purge_sessions(&mut self, before: Timestamp) -> Result<u64> {
        self.execute(sql("DELETE FROM sessions WHERE expires_at < $1").bind(before))
            .await
    }
}
