//! Rows that meet conditions: of database backups from the catalog, of everything else in memory.

use serde_json::Value as Json;
use strongroom_domain::{Page, page::Start, query::Direction};

use super::{BadZql, aggregate::cut, join::Joined, run::Run};
use crate::zstack::{
    error::Error,
    handlers::{backups::metadata, inventory::rows},
    map::{self, places::Places},
    query::{
        Unknown,
        backups::{Plan, REFS, TABLE},
        condition::Where,
        table::{Row, Table, order, page, row},
    },
};

/// At most this many rows are held in memory for a statement.
pub(super) const MOST_ROWS: usize = 100_000;
/// Rows that are read from the catalog at once.
const PAGE: u64 = 1000;

/// Which rows of a table, in which order.
pub(super) struct Rows<'a> {
    pub(super) table: &'static Table,
    pub(super) source: &'a Source,
    pub(super) order: &'a [(String, Direction)],
    pub(super) offset: u64,
    pub(super) limit: Option<u64>,
    /// The members that rows shall have.
    pub(super) members: Vec<&'static str>,
}

/// Where the rows of a statement are taken from.
pub(super) enum Source {
    /// The inventory's rows that meet the conditions.
    Where(Where),
    /// Those that were found beside rows of other inventories.
    Joined(Joined),
}

impl Run<'_> {
    pub(super) async fn count(&self, table: &'static Table, source: &Source) -> Result<u64, Error> {
        let conditions = match source {
            Source::Where(conditions) => conditions,
            Source::Joined(joined) => return Ok(joined.count()),
        };
        if is(table, &TABLE) {
            let metadata = metadata(self.service, self.caller, conditions).await?;
            let plan = Plan::select(conditions, &[], self.beside(&metadata))?;
            let page = Page::offset(0, 0);
            let found = self
                .service
                .list_backups(self.caller, &plan.filter, &[], &page);
            return Ok(found.await?.total.unwrap_or(0));
        }
        let selection = table.select(conditions, &self.tags)?;
        let rows = self.in_memory(table).await?;
        let count = rows.iter().filter(|it| selection.holds(it)).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    pub(super) async fn rows(&self, wanted: Rows<'_>) -> Result<Vec<Row>, Error> {
        let conditions = match wanted.source {
            Source::Where(conditions) => conditions,
            Source::Joined(joined) => return Ok(joined.rows(&wanted)?),
        };
        let Rows { table, members, .. } = &wanted;
        if is(table, &TABLE) {
            return self.backups(conditions, &wanted).await;
        }
        let selection = table.select(conditions, &self.tags)?;
        let columns = wanted.order.iter();
        let columns = columns.map(|(name, direction)| Ok((table.sort_column(name)?, *direction)));
        let columns = columns.collect::<Result<Vec<_>, Unknown>>()?;
        let mut rows = self.in_memory(table).await?;
        rows.retain(|it| selection.holds(it));
        rows.sort_by(|a, b| order(&columns, a, b));
        let rows = page(rows, wanted.offset, wanted.limit);
        Ok(rows.map(|it| cut(&it, members)).collect())
    }

    /// All rows of an inventory that is not searched by the catalog.
    async fn in_memory(&self, table: &'static Table) -> Result<Vec<Row>, Error> {
        if !is(table, &REFS) {
            return rows(table, self.service, self.caller).await;
        }
        let all = Where::All(Vec::new());
        let wanted = Rows {
            table: &TABLE,
            source: &Source::Where(all.clone()),
            order: &[],
            offset: 0,
            limit: None,
            members: vec!["backupStorageRefs"],
        };
        let backups = self.backups(&all, &wanted).await?.into_iter();
        let lists = backups.filter_map(|mut it| it.remove("backupStorageRefs"));
        let refs = lists.flat_map(|it| match it {
            Json::Array(refs) => refs,
            _ => Vec::new(),
        });
        let rows = refs.filter_map(|it| match it {
            Json::Object(row) => Some(row),
            _ => None,
        });
        Ok(rows.collect())
    }

    async fn backups(&self, conditions: &Where, wanted: &Rows<'_>) -> Result<Vec<Row>, Error> {
        let metadata = metadata(self.service, self.caller, conditions).await?;
        let beside = self.beside(&metadata);
        let Plan { filter, sort } = Plan::select(conditions, wanted.order, beside)?;
        let most = wanted.limit.unwrap_or(u64::MAX);
        let mut found = Vec::new();
        let mut page = Page {
            total: false,
            ..Page::offset(PAGE.min(most), wanted.offset)
        };
        loop {
            let list = self
                .service
                .list_backups(self.caller, &filter, &sort, &page);
            let slice = list.await?;
            let places = Places::of(self.service, self.caller, &slice.items, self.base).await?;
            for backup in &slice.items {
                let row = row(&map::backup(backup, &places))?;
                found.push(cut(&row, &wanted.members));
            }
            if found.len() > MOST_ROWS {
                return Err(BadZql::TooManyRows(MOST_ROWS).into());
            }
            let left = most.saturating_sub(u64::try_from(found.len()).unwrap_or(u64::MAX));
            match slice.next {
                Some(next) if left > 0 => {
                    page.start = Start::Cursor(next);
                    page.limit = PAGE.min(left);
                }
                _ => return Ok(found),
            }
        }
    }
}

/// Whether two tables are one.
pub(super) fn is(a: &'static Table, b: &'static Table) -> bool {
    std::ptr::eq(a, b)
}
