//! Named leases: what one server at a time does, e.g. the scheduler.

use std::time::Duration;

use crate::{Result, Store, Tx, db::sql, jobs::micros};

/// A lease that the caller holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedLease {
    /// Its name.
    pub name: String,
    /// Rises whenever another owner takes it.
    pub fence: i64,
}

impl Store {
    /// Takes or renews a lease in a transaction of its own; see [`Tx::acquire_lease`].
    pub async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        lease_for: Duration,
    ) -> Result<Option<NamedLease>> {
        let mut tx = self.begin().await?;
        let lease = tx.acquire_lease(name, owner, lease_for).await?;
        tx.commit().await?;
        Ok(lease)
    }

    /// Gives up a lease in a transaction of its own.
    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.release_lease(name, owner).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Takes the lease of that name, or renews it, for `lease_for` of the database's clock;
    /// nothing if another owner holds it.
    pub async fn acquire_lease(
        &mut self,
        name: &str,
        owner: &str,
        lease_for: Duration,
    ) -> Result<Option<NamedLease>> {
        let text = format!(
            "INSERT INTO leases AS l (name, owner, fence, lease_until) VALUES ($1, $2, 1, {now} + $3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, \
             fence = CASE WHEN l.owner = excluded.owner THEN l.fence ELSE l.fence + 1 END, \
             lease_until = excluded.lease_until \
             WHERE l.owner = excluded.owner OR l.lease_until <= {now} RETURNING fence",
            now = self.clock()
        );
        let statement = sql(text).bind(name).bind(owner).bind(micros(lease_for));
        let row = self.one(statement).await?;
        row.map(|row| {
            Ok(NamedLease {
                name: name.to_owned(),
                fence: row.reader("leases").int()?,
            })
        })
        .transpose()
    }

    /// Gives up the lease of that name, if `owner` holds it.
    pub async fn release_lease(&mut self, name: &str, owner: &str) -> Result<()> {
        let text = format!(
            "UPDATE leases SET lease_until = {} WHERE name = $1 AND owner = $2",
            self.clock()
        );
        self.execute(sql(text).bind(name).bind(owner))
            .await
            .map(drop)
    }
}
