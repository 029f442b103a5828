//! Pages of any noun: conditions, order, offset or cursor, and the exact number of all rows.

use std::borrow::Cow;

use strongroom_domain::{Page, Paged, Start, TenantId, query::Direction};

use crate::{
    Conn, Result, cursor,
    db::{Value, sql},
    record::{Record, select},
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Text,
    Int,
    Time,
}

/// A column that a list can be filtered or ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

impl Column {
    pub(crate) const ID: Self = Self::required("id", Kind::Id);
    pub(crate) const CREATED_AT: Self = Self::required("created_at", Kind::Time);

    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: false,
        }
    }

    pub(crate) const fn nullable(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: true,
        }
    }
}

/// Conditions that all hold, with the values they mention.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    all: Vec<String>,
    pub(crate) values: Vec<Value>,
    /// For the few expressions that the databases write differently.
    pub(crate) postgres: bool,
    /// Within the condition on a further row.
    pub(crate) further: bool,
}

impl Conditions {
    /// Rows of the tenant, in the database of `conn`.
    pub(crate) fn of_tenant(conn: &Conn, tenant: TenantId) -> Self {
        let mut conditions = Self {
            postgres: conn.is_postgres(),
            ..Self::default()
        };
        conditions.add("tenant_id = ", tenant);
        conditions
    }

    /// `left` followed by the value, e.g. `tenant_id = `.
    pub(crate) fn add(&mut self, left: &'static str, value: impl Into<Value>) {
        let place = self.bind(value);
        self.all.push(format!("{left}{place}"));
    }

    pub(crate) fn literal(&mut self, condition: &'static str) {
        self.all.push(condition.to_owned());
    }

    /// A condition whose values were bound with [`bind`](Self::bind).
    pub(crate) fn push(&mut self, condition: String) {
        self.all.push(condition);
    }

    /// Binds a value; gives its placeholder.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    pub(crate) fn text(&self) -> String {
        if self.all.is_empty() {
            return String::new();
        }
        format!("WHERE {}", self.all.join(" AND "))
    }
}

/// What a list is ordered by first, second, ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// What is compared: a column, or an expression of one.
    pub(crate) text: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) direction: Direction,
}

impl Key {
    pub(crate) fn of(column: Column, direction: Direction) -> Self {
        Self {
            text: Cow::Borrowed(column.name),
            kind: column.kind,
            nullable: column.nullable,
            direction,
        }
    }

    pub(crate) fn is(&self, column: Column) -> bool {
        self.text == column.name
    }
}

/// The order of a list; its last key is the id, so that it is total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) keys: Vec<Key>,
}

impl Order {
    pub(crate) fn by(column: Column, direction: Direction) -> Self {
        Self::new([Key::of(column, direction)])
    }

    /// Repeated keys count once; rows that are equal in all of them come by id, in the last key's
    /// direction.
    pub(crate) fn new(wanted: impl IntoIterator<Item = Key>) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        for key in wanted {
            let last = key.is(Column::ID);
            if keys.iter().all(|seen| seen.text != key.text) {
                keys.push(key);
            }
            if last {
                return Self { keys };
            }
        }
        let last = keys.last().map_or(Direction::Ascending, |it| it.direction);
        keys.push(Key::of(Column::ID, last));
        Self { keys }
    }

    /// NULL is smaller than everything, on both databases.
    pub(crate) fn text(&self) -> String {
        let keys = self.keys.iter().map(|key| {
            let (way, nulls) = match key.direction {
                Direction::Ascending => ("", " NULLS FIRST"),
                Direction::Descending => (" DESC", " NULLS LAST"),
            };
            let nulls = if key.nullable { nulls } else { "" };
            format!("{}{way}{nulls}", key.text)
        });
        format!("ORDER BY {}", keys.collect::<Vec<_>>().join(", "))
    }

    fn columns(&self) -> String {
        let texts: Vec<_> = self.keys.iter().map(|key| &*key.text).collect();
        texts.join(", ")
    }
}

impl Conn {
    /// One page of the rows of `R` under `conditions`.
    pub(crate) async fn page_of<R: Record>(
        &mut self,
        conditions: Conditions,
        order: Order,
        page: &Page,
    ) -> Result<Paged<R>> {
        if page.total {
            self.snapshot().await?;
        }
        let total = if page.total {
            Some(self.count_of::<R>(&conditions).await?)
        } else {
            None
        };
        let (items, next) = self.rows_of(conditions, &order, page).await?;
        Ok(Paged { items, total, next })
    }

    /// The number of rows of `R` under `conditions`.
    pub(crate) async fn count_of<R: Record>(&mut self, conditions: &Conditions) -> Result<u64> {
        let text = format!("SELECT COUNT(*) FROM {} {}", R::TABLE, conditions.text());
        let count = self
            .count(sql(text).bind_all(conditions.values.clone()))
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The rows of a page, and the cursor to the next one if there are more.
    pub(crate) async fn rows_of<R: Record>(
        &mut self,
        mut conditions: Conditions,
        order: &Order,
        page: &Page,
    ) -> Result<(Vec<R>, Option<String>)> {
        let offset = match &page.start {
            Start::First => 0,
            Start::Offset(offset) => *offset,
            Start::Cursor(cursor) => {
                cursor::after(&mut conditions, order, cursor)?;
                0
            }
        };
        // One more than wanted tells whether there is a next page.
        let limit = conditions.bind(page.limit.saturating_add(1).min(i64::MAX as u64));
        let offset = conditions.bind(offset.min(i64::MAX as u64));
        let mut columns = R::COLUMNS.join(", ");
        columns = format!("{columns}, {}", order.columns());
        let text = format!(
            "SELECT {columns} FROM {} {} {} LIMIT {limit} OFFSET {offset}",
            R::TABLE,
            conditions.text(),
            order.text()
        );
        let mut rows = self.all(sql(text).bind_all(conditions.values)).await?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let mut items = Vec::with_capacity(rows.len());
        let mut next = None;
        for (at, row) in rows.iter().enumerate() {
            let mut reader = row.reader(R::TABLE);
            items.push(R::read(&mut reader)?);
            if more && at + 1 == limit {
                next = Some(cursor::of(order, &mut reader)?);
            }
        }
        Ok((items, next))
    }

    /// Rows of `R` from one end of an index: after skipping `skip`, at most `limit`.
    pub(crate) async fn slice_of<R: Record>(
        &mut self,
        mut conditions: Conditions,
        order: &Order,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<R>> {
        let (limit, skip) = (conditions.bind(limit), conditions.bind(skip));
        let rest = format!(
            "{} {} LIMIT {limit} OFFSET {skip}",
            conditions.text(),
            order.text()
        );
        let rows = self
            .all(sql(select::<R>(&rest)).bind_all(conditions.values))
            .await?;
        crate::record::read_all(&rows)
    }
}
