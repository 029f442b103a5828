//! Exact totals and deep offsets of backups without counting them.
//!
//! `backup_ranges` divides the backups of a series (a face, those without one, or all) into
//! ranges of (created_at, id) and keeps the number of rows in each: the sum is the total, and a
//! running sum finds the range that an offset lies in. A range has at most [`RANGE`] × 2 rows, so
//! what is left to skip is short. Transactions append what they change to `backup_changes`
//! instead of updating shared rows; [`fold`] carries that over now and then, and readers take the
//! rest into account. Sum of ranges + sum of changes = number of rows, in every snapshot.

use std::collections::BTreeMap;

use strongroom_domain::{
    Backup, Face, Page, Start, TenantId,
    query::{self, BackupField, Direction, Filter, Op},
};
use uuid::Uuid;

use crate::{
    Conn, Error, Result, Store, Tx,
    backups::VISIBLE,
    cursor,
    db::{Row, sql},
    list::{Column, Conditions, Order},
};

/// Changes after which they are folded.
pub(crate) const FOLD_EVERY: u64 = 512;

/// Rows of a range after it was divided.
const RANGE: i64 = 1024;

/// Rows that are skipped one by one rather than looking for their range.
const NEAR: u64 = 512;

/// PostgreSQL's advisory lock of whoever folds.
const FOLD_LOCK: i64 = 0x5374_726f_6e67_0001;

/// Backups that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    All,
    Of(Option<Face>),
}

impl Series {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Of(Some(face)) => face.as_str(),
            Self::Of(None) => "none",
        }
    }

    fn conditions(self, conn: &Conn, tenant: TenantId) -> Conditions {
        let mut conditions = Conditions::of_tenant(conn, tenant);
        conditions.literal(VISIBLE);
        match self {
            Self::All => {}
            Self::Of(Some(face)) => conditions.add("face = ", face.as_str()),
            Self::Of(None) => conditions.literal("face IS NULL"),
        }
        conditions
    }
}

/// The series that a filter lets through as a whole, if there is one.
pub(crate) fn series_of(filter: &Filter<BackupField>) -> Option<Series> {
    match filter {
        Filter::All(all) => match all.as_slice() {
            [] => Some(Series::All),
            [one] => series_of(one),
            _ => None,
        },
        Filter::Compare(BackupField::Face, Op::Eq, query::Value::Text(face)) => {
            face.parse().ok().map(|face| Series::Of(Some(face)))
        }
        Filter::IsNull(BackupField::Face) => Some(Series::Of(None)),
        _ => None,
    }
}

/// The number of backups in a series.
pub(crate) struct Total {
    pub(crate) all: u64,
    /// How many of them no range may count yet.
    slack: i64,
}

/// A page as places in the order of creation.
#[derive(Debug)]
pub(crate) struct Slice {
    low: u64,
    high: u64,
    total: u64,
    direction: Direction,
}

/// The page's slice, if the order is that of creation and the page begins at an offset.
pub(crate) fn slice(order: &Order, page: &Page, total: u64) -> Option<Slice> {
    let direction = order.keys.first()?.direction;
    if *order != Order::by(Column::CREATED_AT, direction) {
        return None;
    }
    let offset = match page.start {
        Start::First => 0,
        Start::Offset(offset) => offset.min(total),
        Start::Cursor(_) => return None,
    };
    let count = page.limit.min(total - offset);
    let (low, high) = match direction {
        Direction::Ascending => (offset, offset + count),
        Direction::Descending => (total - offset - count, total - offset),
    };
    Some(Slice {
        low,
        high,
        total,
        direction,
    })
}

impl Slice {
    /// The cursor to what follows the slice.
    pub(crate) fn cursor(&self, order: &Order, items: &[Backup]) -> Option<String> {
        let more = match self.direction {
            Direction::Ascending => self.high < self.total,
            Direction::Descending => self.low > 0,
        };
        let last = items.last().filter(|_| more)?;
        let created_at = last.created_at.as_microsecond();
        Some(cursor::of_created(order, created_at, last.id.uuid()))
    }
}

impl Conn {
    /// How many backups a series has.
    pub(crate) async fn backups_in(&mut self, tenant: TenantId, series: Series) -> Result<Total> {
        let text = "SELECT CAST( \
               (SELECT COALESCE(SUM(n), 0) FROM backup_ranges \
                WHERE tenant_id = $1 AND series = $2) \
             + (SELECT COALESCE(SUM(n), 0) FROM backup_changes \
                WHERE tenant_id = $1 AND ($2 = 'all' OR series = $2)) AS BIGINT), \
             CAST((SELECT COALESCE(SUM(n), 0) FROM backup_changes \
                WHERE tenant_id = $1 AND ($2 = 'all' OR series = $2) AND n > 0) AS BIGINT)";
        let statement = sql(text).bind(tenant).bind(series.as_str());
        let row = self.one(statement).await?.ok_or(sqlx::Error::RowNotFound)?;
        let mut row = row.reader("backup_ranges");
        Ok(Total {
            all: row.number()?,
            slack: row.int()?,
        })
    }

    /// The backups of a slice, in its direction.
    pub(crate) async fn backups_at(
        &mut self,
        tenant: TenantId,
        series: Series,
        total: &Total,
        slice: &Slice,
    ) -> Result<Vec<Backup>> {
        let count = slice.high - slice.low;
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut conditions = series.conditions(self, tenant);
        let after = slice.total - slice.high;
        let (direction, skip) = if slice.low.min(after) <= NEAR {
            if after < slice.low {
                (Direction::Descending, after)
            } else {
                (Direction::Ascending, slice.low)
            }
        } else {
            let (start, skip) = self.seek(tenant, series, slice.low, total.slack).await?;
            let (at, id) = (conditions.bind(start.0), conditions.bind(start.1));
            conditions.push(format!("(created_at, id) >= ({at}, {id})"));
            (Direction::Ascending, skip)
        };
        let order = Order::by(Column::CREATED_AT, direction);
        let mut items: Vec<Backup> = self.slice_of(conditions, &order, skip, count).await?;
        if direction != slice.direction {
            items.reverse();
        }
        Ok(items)
    }

    /// A point at or before the row with that many rows before it, and how many rows lie between.
    async fn seek(
        &mut self,
        tenant: TenantId,
        series: Series,
        rank: u64,
        slack: i64,
    ) -> Result<((i64, Uuid), u64)> {
        let rank = i64::try_from(rank).unwrap_or(i64::MAX);
        // No more than `slack` rows before the point are missing from its running sum.
        let text = "SELECT start_at, start_id, before_it + (SELECT COALESCE(CAST(SUM(c.n) AS BIGINT), 0) \
               FROM backup_changes c WHERE c.tenant_id = $1 AND ($2 = 'all' OR c.series = $2) \
               AND (c.created_at, c.backup_id) < (r.start_at, r.start_id)) \
             FROM (SELECT start_at, start_id, \
               CAST(SUM(n) OVER (ORDER BY start_at, start_id) AS BIGINT) - n AS before_it \
               FROM backup_ranges WHERE tenant_id = $1 AND series = $2) r \
             WHERE before_it <= $3 ORDER BY start_at DESC, start_id DESC LIMIT 1";
        let statement = sql(text)
            .bind(tenant)
            .bind(series.as_str())
            .bind(rank - slack);
        let Some(row) = self.one(statement).await? else {
            return Ok((FIRST, u64::try_from(rank).unwrap_or(0)));
        };
        let mut row = row.reader("backup_ranges");
        let start = (row.int()?, row.id(|id| id)?);
        let before: i64 = row.int()?;
        Ok((start, u64::try_from(rank - before).unwrap_or(0)))
    }
}

/// Before every backup; where the first range of a series begins.
const FIRST: (i64, Uuid) = (i64::MIN, Uuid::nil());

impl Tx {
    /// Notes that a backup came (1) or went (-1).
    pub(crate) async fn count_backup(&mut self, backup: &Backup, n: i64) -> Result<()> {
        let text = "INSERT INTO backup_changes (tenant_id, series, created_at, backup_id, n) \
             VALUES ($1, $2, $3, $4, $5)";
        let statement = sql(text)
            .bind(backup.tenant_id)
            .bind(Series::Of(backup.face).as_str())
            .bind(backup.created_at)
            .bind(backup.id)
            .bind(n);
        self.changes += 1;
        self.execute(statement).await.map(drop)
    }
}

/// Changes of one series by their place.
type Changes = BTreeMap<(i64, Uuid), i64>;

/// Carries the changes over into the ranges. Does nothing if somebody else is at it.
pub(crate) async fn fold(store: &Store) -> Result<()> {
    match try_fold(store).await {
        // Another process folded between our snapshot and our lock.
        Err(error) if error.is_transient() => Ok(()),
        done => done,
    }
}

async fn try_fold(store: &Store) -> Result<()> {
    let mut tx = store.begin().await?;
    if tx.is_postgres() {
        // Ranges are divided by looking at backups, of which the changes must be the same ones.
        tx.execute(sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            .await?;
        let lock = sql("SELECT pg_try_advisory_xact_lock($1)").bind(FOLD_LOCK);
        let row = tx.one(lock).await?.ok_or(sqlx::Error::RowNotFound)?;
        if !row.reader("lock").bool()? {
            return Ok(());
        }
    }
    let text = "DELETE FROM backup_changes RETURNING tenant_id, series, created_at, backup_id, n";
    let rows = tx.all(sql(text)).await?;
    if rows.is_empty() {
        return Ok(());
    }
    for ((tenant, series), changes) in by_series(&rows)? {
        tx.fold_series(tenant, series, changes).await?;
    }
    tx.commit_only().await
}

fn by_series(rows: &[Row]) -> Result<BTreeMap<(TenantId, &'static str), Changes>> {
    let mut all: BTreeMap<_, Changes> = BTreeMap::new();
    for row in rows {
        let mut row = row.reader("backup_changes");
        let tenant = row.id(TenantId::from_uuid)?;
        let series = row.text()?;
        let place = (row.int()?, row.id(|id| id)?);
        let n = row.int()?;
        let own = Series::Of(series.parse().ok());
        for series in [own, Series::All] {
            let changes = all.entry((tenant, series.as_str())).or_default();
            *changes.entry(place).or_default() += n;
        }
    }
    Ok(all)
}

impl Tx {
    async fn fold_series(
        &mut self,
        tenant: TenantId,
        series: &'static str,
        changes: Changes,
    ) -> Result<()> {
        let text = "INSERT INTO backup_ranges (tenant_id, series, start_at, start_id, n) \
             VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING";
        let first = sql(text)
            .bind(tenant)
            .bind(series)
            .bind(FIRST.0)
            .bind(FIRST.1);
        self.execute(first).await?;
        let Some((oldest, _)) = changes.first_key_value() else {
            return Ok(());
        };
        let ranges = self.ranges_from(tenant, series, *oldest).await?;
        let mut changed: BTreeMap<(i64, Uuid), i64> = BTreeMap::new();
        for (place, n) in &changes {
            let range = ranges.range(..=*place).next_back();
            let (start, _) = range.expect("the first range begins before everything");
            *changed.entry(*start).or_default() += n;
        }
        for (start, change) in changed {
            let n = ranges[&start] + change;
            if n <= 0 && start != FIRST {
                let text = "DELETE FROM backup_ranges \
                     WHERE tenant_id = $1 AND series = $2 AND start_at = $3 AND start_id = $4";
                let gone = sql(text)
                    .bind(tenant)
                    .bind(series)
                    .bind(start.0)
                    .bind(start.1);
                self.execute(gone).await?;
            } else {
                self.set_range(tenant, series, start, n).await?;
                self.divide(tenant, series, start, n).await?;
            }
        }
        Ok(())
    }

    /// The ranges from the one that `place` lies in, with their numbers of rows.
    async fn ranges_from(
        &mut self,
        tenant: TenantId,
        series: &'static str,
        place: (i64, Uuid),
    ) -> Result<BTreeMap<(i64, Uuid), i64>> {
        let text = "SELECT start_at, start_id, n FROM backup_ranges \
             WHERE tenant_id = $1 AND series = $2 AND (start_at, start_id) >= \
               (SELECT start_at, start_id FROM backup_ranges \
                WHERE tenant_id = $1 AND series = $2 AND (start_at, start_id) <= ($3, $4) \
                ORDER BY start_at DESC, start_id DESC LIMIT 1) \
             ORDER BY start_at, start_id";
        let statement = sql(text)
            .bind(tenant)
            .bind(series)
            .bind(place.0)
            .bind(place.1);
        let rows = self.all(statement).await?;
        let ranges = rows.iter().map(|row| {
            let mut row = row.reader("backup_ranges");
            Ok(((row.int()?, row.id(|id| id)?), row.int()?))
        });
        ranges.collect()
    }

    async fn set_range(
        &mut self,
        tenant: TenantId,
        series: &'static str,
        start: (i64, Uuid),
        n: i64,
    ) -> Result<()> {
        let text = "INSERT INTO backup_ranges (tenant_id, series, start_at, start_id, n) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant_id, series, start_at, start_id) DO UPDATE SET n = excluded.n";
        let statement = sql(text)
            .bind(tenant)
            .bind(series)
            .bind(start.0)
            .bind(start.1)
            .bind(n);
        self.execute(statement).await.map(drop)
    }

    /// Cuts a range that has grown too long into pieces of [`RANGE`] rows.
    async fn divide(
        &mut self,
        tenant: TenantId,
        series: &'static str,
        mut start: (i64, Uuid),
        mut n: i64,
    ) -> Result<()> {
        let which = match series {
            "all" => Series::All,
            face => Series::Of(face.parse().ok()),
        };
        while n > 2 * RANGE {
            let mut conditions = which.conditions(self, tenant);
            let (at, id) = (conditions.bind(start.0), conditions.bind(start.1));
            conditions.push(format!("(created_at, id) >= ({at}, {id})"));
            let skip = conditions.bind(RANGE);
            let text = format!(
                "SELECT created_at, id FROM backups {} ORDER BY created_at, id LIMIT 1 OFFSET {skip}",
                conditions.text()
            );
            let row = self.one(sql(text).bind_all(conditions.values)).await?;
            let row = row.ok_or_else(|| Error::CorruptRow {
                table: "backup_ranges",
                column: "n".to_owned(),
                id: tenant.to_string(),
                source: format!("series `{series}` counts more backups than there are").into(),
            })?;
            let mut row = row.reader("backups");
            let next = (row.int()?, row.id(|id| id)?);
            self.set_range(tenant, series, start, RANGE).await?;
            n -= RANGE;
            self.set_range(tenant, series, next, n).await?;
            start = next;
        }
        Ok(())
    }
}
