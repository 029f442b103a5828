//! Rows of several inventories beside each other, and conditions that compare their columns.
//! Everything here is in memory: the rows of a statement with such conditions are few enough for
//! it or the statement is refused.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use strongroom_domain::query::{Direction, Filter, Op, Value, fold};

use super::{
    BadZql,
    aggregate::cut,
    ast::{ColumnName, Cond, Join, JoinKind, Operator},
    conditions::Later,
    rows::{MOST_ROWS, Rows, Source, is},
    run::{Run, column, entity},
};
use crate::zstack::{
    error::Error,
    query::{
        Unknown,
        backups::TABLE,
        condition::Where,
        like::Pattern,
        table::{Kind, Row, Selection, SortColumn, Table, compare, page},
        tags::Tagged,
    },
};

/// How often conditions may be looked at to find which rows belong together.
const MOST_PAIRS: usize = 10_000_000;

/// Rows beside each other, by their places in their inventories; the statement's own first.
type Combined = Vec<Option<usize>>;

/// What was found for a statement.
pub(super) struct Joined {
    tables: Tables,
    rows: Vec<Vec<Row>>,
    found: Vec<Combined>,
}

/// The inventories of a statement, its own first.
struct Tables(Vec<&'static Table>);

/// A column of one of the inventories.
#[derive(Clone, Copy)]
struct Cell {
    table: usize,
    column: SortColumn,
}

/// A condition on rows beside each other.
enum Match {
    All(Vec<Self>),
    Any(Vec<Self>),
    /// The row of that inventory is selected.
    Row(usize, Selection),
    Columns(Cell, Operator, Cell),
}

/// Whether columns are compared, so that rows cannot be found by values alone.
pub(super) fn has_columns(condition: &Cond) -> bool {
    match condition {
        Cond::All(all) | Cond::Any(all) => all.iter().any(has_columns),
        Cond::Test { .. } => false,
        Cond::Columns(..) => true,
    }
}

impl Run<'_> {
    /// Finds the rows of a statement together with those of the inventories it joins.
    pub(super) async fn joined(
        &self,
        table: &'static Table,
        joins: &[Join],
        conditions: &[Cond],
    ) -> Result<Joined, Error> {
        let mut tables = Tables(vec![table]);
        let mut all = vec![self.every(table).await?];
        let own = all.first().map_or(0, Vec::len);
        let mut found: Vec<Combined> = (0..own).map(|at| vec![Some(at)]).collect();
        for Join {
            kind,
            entity: name,
            on,
        } in joins
        {
            let joined = entity(name)?;
            tables.0.push(joined);
            all.push(self.every(joined).await?);
            let on = self.matching(on, &tables).await?;
            found = on.join(*kind, found, &all)?;
        }
        let conditions = Match::All(self.matching_all(conditions, &tables).await?);
        // There is nothing to show of a row that is not the statement's own.
        found.retain(|it| it.first().is_some_and(Option::is_some));
        found.retain(|it| conditions.holds(it, &all));
        Ok(Joined {
            tables,
            rows: all,
            found,
        })
    }

    async fn every(&self, table: &'static Table) -> Result<Vec<Row>, Error> {
        let source = Source::Where(Where::All(Vec::new()));
        let rows = Rows {
            table,
            source: &source,
            order: &[],
            offset: 0,
            limit: None,
            members: table.members(),
        };
        self.rows(rows).await
    }

    fn matching_all<'f>(
        &'f self,
        conditions: &'f [Cond],
        tables: &'f Tables,
    ) -> Later<'f, Vec<Match>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for condition in conditions {
                all.push(self.matching(condition, tables).await?);
            }
            Ok(all)
        })
    }

    async fn matching(&self, condition: &Cond, tables: &Tables) -> Result<Match, Error> {
        Ok(match condition {
            // What is about the statement's own rows is found at once.
            own if tables.is_own(own) => {
                let conditions = self.all(std::slice::from_ref(own)).await?;
                Match::Row(0, self.selection(tables.own(), conditions).await?)
            }
            Cond::All(all) => Match::All(self.matching_all(all, tables).await?),
            Cond::Any(any) => Match::Any(self.matching_all(any, tables).await?),
            Cond::Columns(left, operator, right) => {
                Match::Columns(tables.cell(left)?, *operator, tables.cell(right)?)
            }
            Cond::Test {
                field,
                operator,
                operand,
            } => {
                let (at, rest) = tables.of(field);
                let conditions = self.tested(rest, *operator, operand).await?;
                let table = tables.0.get(at).copied().unwrap_or(tables.own());
                Match::Row(at, self.selection(table, conditions).await?)
            }
        })
    }

    /// The rows of a table that meet the conditions.
    async fn selection(
        &self,
        table: &'static Table,
        conditions: Where,
    ) -> Result<Selection, Error> {
        if !is(table, &TABLE) {
            return Ok(table.select(&conditions, &self.tags)?);
        }
        let source = Source::Where(conditions);
        let rows = Rows {
            table,
            source: &source,
            order: &[],
            offset: 0,
            limit: None,
            members: vec!["uuid"],
        };
        let rows = self.rows(rows).await?;
        let uuids = rows.iter().filter_map(|it| it.get("uuid")?.as_str());
        let uuids = uuids.map(str::to_owned).collect::<HashSet<_>>();
        Ok(Selection::Tagged(Tagged::These(uuids)))
    }
}

impl Tables {
    fn own(&self) -> &'static Table {
        self.0.first().copied().unwrap_or(&TABLE)
    }

    /// The inventory that a field is of, and its name there.
    fn of<'f>(&self, field: &'f str) -> (usize, &'f str) {
        let Some((name, rest)) = field.split_once('.') else {
            return (0, field);
        };
        match entity(name).ok().and_then(|it| self.place(it)) {
            Some(at) => (at, rest),
            None => (0, field),
        }
    }

    fn place(&self, table: &'static Table) -> Option<usize> {
        self.0.iter().position(|it| is(it, table))
    }

    fn is_own(&self, condition: &Cond) -> bool {
        match condition {
            Cond::All(all) | Cond::Any(all) => all.iter().all(|it| self.is_own(it)),
            Cond::Test { field, .. } => self.of(field) == (0, field.as_str()),
            Cond::Columns(..) => false,
        }
    }

    fn cell(&self, name: &ColumnName) -> Result<Cell, Error> {
        let table = entity(&name.entity)?;
        let column = column(table, &name.field)?;
        let place = self.place(table);
        let table = place.ok_or_else(|| BadZql::Entity(name.entity.clone()))?;
        Ok(Cell { table, column })
    }
}

impl Match {
    fn holds(&self, combined: &[Option<usize>], rows: &[Vec<Row>]) -> bool {
        match self {
            Self::All(all) => all.iter().all(|it| it.holds(combined, rows)),
            Self::Any(any) => any.iter().any(|it| it.holds(combined, rows)),
            Self::Row(table, selection) => {
                row_of(*table, combined, rows).is_some_and(|it| selection.holds(it))
            }
            Self::Columns(left, operator, right) => {
                let left = left.values(combined, rows);
                let right = right.values(combined, rows);
                left.iter()
                    .any(|a| right.iter().any(|b| accepts(*operator, a, b)))
            }
        }
    }

    /// Adds the rows of the last inventory to those that were found before.
    fn join(
        &self,
        kind: JoinKind,
        before: Vec<Combined>,
        rows: &[Vec<Row>],
    ) -> Result<Vec<Combined>, BadZql> {
        let added = rows.len().saturating_sub(1);
        let count = rows.last().map_or(0, Vec::len);
        let every: Vec<usize> = (0..count).collect();
        let by_value = self
            .equal(added)
            .map(|(before, own)| (before, own.index(rows)));
        let (mut found, mut pairs) = (Vec::new(), 0_usize);
        let mut alone: HashSet<usize> = every.iter().copied().collect();
        for combined in before {
            let candidates: Vec<usize> = match &by_value {
                None => every.clone(),
                Some((before, index)) => {
                    let values = before.values(&combined, rows);
                    let places = values.iter().filter_map(|it| index.get(&key(it)));
                    places.flatten().copied().collect()
                }
            };
            pairs = pairs.saturating_add(candidates.len());
            let length = found.len();
            for at in candidates {
                let mut with = combined.clone();
                with.push(Some(at));
                if self.holds(&with, rows) {
                    alone.remove(&at);
                    found.push(with);
                }
            }
            if kind == JoinKind::Left && found.len() == length {
                let mut with = combined;
                with.push(None);
                found.push(with);
            }
            if found.len() > MOST_ROWS || pairs > MOST_PAIRS {
                return Err(BadZql::TooManyRows(MOST_ROWS));
            }
        }
        if kind == JoinKind::Right {
            let mut alone: Vec<_> = alone.into_iter().collect();
            alone.sort_unstable();
            found.extend(alone.into_iter().map(|at| {
                let mut with = vec![None; added];
                with.push(Some(at));
                with
            }));
        }
        Ok(found)
    }

    /// A column of the inventories before and one of that inventory that must be equal.
    fn equal(&self, added: usize) -> Option<(Cell, Cell)> {
        match self {
            Self::All(all) => all.iter().find_map(|it| it.equal(added)),
            Self::Columns(a, Operator::Compare(Op::Eq), b) if a.table != b.table => {
                if b.table == added {
                    Some((*a, *b))
                } else {
                    (a.table == added).then_some((*b, *a))
                }
            }
            _ => None,
        }
    }
}

impl Cell {
    /// What the column holds; of a list, each element. NULL is nothing.
    fn values(&self, combined: &[Option<usize>], rows: &[Vec<Row>]) -> Vec<Value> {
        row_of(self.table, combined, rows)
            .map(|it| self.of(it))
            .unwrap_or_default()
    }

    fn of(&self, row: &Row) -> Vec<Value> {
        let (name, kind) = self.column;
        match row.get(name).and_then(|it| it.as_array()) {
            Some(list) => list
                .iter()
                .filter_map(|it| Kind::Text.cell(Some(it)))
                .collect(),
            None => kind.cell(row.get(name)).into_iter().collect(),
        }
    }

    /// The places of the rows by the value that they have.
    fn index(&self, rows: &[Vec<Row>]) -> HashMap<String, Vec<usize>> {
        let mut index = HashMap::<_, Vec<_>>::new();
        for (at, row) in rows.get(self.table).into_iter().flatten().enumerate() {
            for value in self.of(row) {
                index.entry(key(&value)).or_default().push(at);
            }
        }
        index
    }
}

fn row_of<'r>(table: usize, combined: &[Option<usize>], rows: &'r [Vec<Row>]) -> Option<&'r Row> {
    let at = (*combined.get(table)?)?;
    rows.get(table)?.get(at)
}

/// Values that are equal have the same.
fn key(value: &Value) -> String {
    fold(&value.text_form())
}

/// Whether two columns' values compare so.
fn accepts(operator: Operator, left: &Value, right: &Value) -> bool {
    let like = || {
        let pattern = Pattern::read(&right.text_form()).text();
        let filter = pattern.map(|it| Filter::LikeFolded((), it));
        filter.is_some_and(|it| it.matches(&|()| Some(left.clone())))
    };
    match operator {
        Operator::Compare(op) => op.accepts(if key(left) == key(right) {
            Ordering::Equal
        } else {
            compare(Some(left), Some(right))
        }),
        Operator::Like => like(),
        Operator::NotLike => !like(),
        _ => false,
    }
}

impl Joined {
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.found.len()).unwrap_or(u64::MAX)
    }

    /// The statement's own rows, each as often as it was found.
    pub(super) fn rows(&self, wanted: &Rows<'_>) -> Result<Vec<Row>, Unknown> {
        let keys = wanted.order.iter().map(|(name, direction)| {
            let (table, field) = self.tables.of(name);
            let found = self.tables.0.get(table).copied();
            let column = found.unwrap_or(wanted.table).sort_column(field)?;
            Ok((Cell { table, column }, *direction))
        });
        let keys = keys.collect::<Result<Vec<_>, Unknown>>()?;
        let mut found: Vec<&Combined> = self.found.iter().collect();
        found.sort_by(|a, b| self.order(&keys, a, b));
        let rows = page(found, wanted.offset, wanted.limit)
            .filter_map(|it| row_of(0, it, &self.rows))
            .map(|it| cut(it, &wanted.members));
        Ok(rows.collect())
    }

    fn order(&self, keys: &[(Cell, Direction)], a: &Combined, b: &Combined) -> Ordering {
        let by = |(cell, direction): &(Cell, Direction)| {
            let value = |it: &Combined| cell.values(it, &self.rows).into_iter().next();
            let order = compare(value(a).as_ref(), value(b).as_ref());
            match direction {
                Direction::Ascending => order,
                Direction::Descending => order.reverse(),
            }
        };
        let mut orders = keys.iter().map(by);
        orders.find(|it| it.is_ne()).unwrap_or(Ordering::Equal)
    }
}
