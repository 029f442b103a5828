//! Inventories that a tenant has few of. Queries on them are answered in memory, over the rows as
//! they go over the wire.
//!
//! To serve one: describe it with a `static TABLE: Table` beside its wire type, write an
//! `async fn rows(&Service, &Caller) -> Result<Vec<WireType>, Error>`, and add a line to
//! `handlers::inventory` and its two routes.

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::Map;
use strongroom_domain::query::{Direction, Filter, Value, fold_ascii};

use super::{
    Query, Unknown, check_members,
    condition::{Condition, Test, Where},
    plan::Column,
    tags::{Tagged, Tags},
    value,
};
use crate::zstack::error::Error;

/// A row as a client sees it.
pub(crate) type Row = Map<String, serde_json::Value>;

/// What an inventory consists of.
#[derive(Debug)]
pub(crate) struct Table {
    /// The vendor's class for a row.
    pub(crate) class: &'static str,
    /// The members that hold one value, or a list of texts.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// The members that hold a list of rows, or one row.
    pub(crate) children: &'static [(&'static str, &'static Table)],
}

/// How the values of a column compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As texts, uuids too; yes and no as `true` and `false`.
    Text,
    /// By value.
    Number,
    /// By the second that the printed time is.
    Time,
    /// Texts, of which some one must pass.
    List,
}

impl Table {
    /// The class without its package, e.g. `BackupStorageInventory`.
    pub(crate) fn name(&self) -> &'static str {
        self.class.rsplit('.').next().unwrap_or(self.class)
    }

    /// The members that a client may ask for by name.
    pub(crate) fn members(&self) -> Vec<&'static str> {
        let columns = self.columns.iter().map(|(name, _)| *name);
        let children = self.children.iter().map(|(name, _)| *name);
        columns.chain(children).collect()
    }

    /// The rows that meet the conditions.
    pub(crate) fn select(&self, conditions: &Where, tags: &Tags) -> Result<Selection, Unknown> {
        let each = |all: &[Where]| {
            all.iter()
                .map(|it| self.select(it, tags))
                .collect::<Result<_, _>>()
        };
        Ok(match conditions {
            Where::All(all) => Selection::All(each(all)?),
            Where::Any(any) => Selection::Any(each(any)?),
            Where::Not(one) => Selection::Not(Box::new(self.select(one, tags)?)),
            Where::Test(one) => self.test(&one.name, (self.class, one), tags)?,
        })
    }

    /// The rows whose field `path`, as seen from here, passes the test of the whole condition,
    /// which begins at a row of class `root`.
    fn test(
        &self,
        path: &str,
        (root, whole): (&'static str, &Condition),
        tags: &Tags,
    ) -> Result<Selection, Unknown> {
        if let Some((member, rest)) = path.split_once('.') {
            let Some((name, child)) = self.children.iter().find(|(it, _)| *it == member) else {
                return Err(Unknown::Expansion {
                    condition: whole.name.clone(),
                    class: root,
                    target: self.class,
                    expanded: member.to_owned(),
                });
            };
            return Ok(Selection::Child(
                name,
                Box::new(child.test(rest, (root, whole), tags)?),
            ));
        }
        if let Some(tagged) = tags.rows(path, &whole.test) {
            return Ok(Selection::Tagged(tagged));
        }
        let column = self.columns.iter().find(|(it, _)| *it == path);
        let Some((name, kind)) = column else {
            return Err(Unknown::Field {
                class: self.class,
                field: path.to_owned(),
            });
        };
        Ok(Selection::Field(name, *kind, kind.filter(&whole.test)))
    }

    /// The column that rows are to be sorted by.
    pub(crate) fn sort_column(&self, name: &str) -> Result<SortColumn, Unknown> {
        match self.columns.iter().find(|(it, _)| *it == name) {
            Some((name, kind)) if *kind != Kind::List => Ok((name, *kind)),
            _ => Err(Unknown::Sort {
                inventory: self.name(),
                field: name.to_owned(),
            }),
        }
    }
}

/// A column with one value.
pub(crate) type SortColumn = (&'static str, Kind);

impl Kind {
    fn filter(self, test: &Test) -> Filter<()> {
        let column = match self {
            Self::Text | Self::List => Column::Text(()),
            Self::Number => Column::Number(()),
            Self::Time => Column::Time(()),
        };
        column.filter(test)
    }

    /// What a member holds; nothing for NULL.
    pub(crate) fn cell(self, member: Option<&serde_json::Value>) -> Option<Value> {
        match (self, member?) {
            (_, serde_json::Value::Null) => None,
            (Self::Time, serde_json::Value::String(text)) => {
                Some(value::time(text).map_or_else(|| text.as_str().into(), |(at, _)| at.into()))
            }
            (_, serde_json::Value::String(text)) => Some(text.as_str().into()),
            (_, serde_json::Value::Bool(yes)) => Some((*yes).into()),
            (_, serde_json::Value::Number(number)) => {
                Some(Value::Int(number.as_i64().unwrap_or(i64::MAX)))
            }
            (_, other) => Some(other.to_string().into()),
        }
    }
}

/// Which rows of a table are meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selection {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Those whose column passes; of a list, some element.
    Field(&'static str, Kind, Filter<()>),
    /// Those with a child that is selected.
    Child(&'static str, Box<Self>),
    Tagged(Tagged),
}

impl Selection {
    /// Whether the row is one of them.
    pub(crate) fn holds(&self, row: &Row) -> bool {
        let list = |name: &str| {
            row.get(name)
                .and_then(|it| it.as_array())
                .into_iter()
                .flatten()
        };
        match self {
            Self::All(all) => all.iter().all(|it| it.holds(row)),
            Self::Any(any) => any.iter().any(|it| it.holds(row)),
            Self::Not(one) => !one.holds(row),
            Self::Field(name, Kind::List, filter) => {
                list(name).any(|it| filter.matches(&|()| Kind::Text.cell(Some(it))))
            }
            Self::Field(name, kind, filter) => filter.matches(&|()| kind.cell(row.get(*name))),
            Self::Child(name, child) => {
                let one = row.get(*name).and_then(|it| it.as_object());
                let rows = list(name).filter_map(|it| it.as_object()).chain(one);
                rows.into_iter().any(|it| child.holds(it))
            }
            Self::Tagged(tagged) => tagged.contains(row.get("uuid").and_then(|it| it.as_str())),
        }
    }
}

/// Answers a query: the rows of the page, and how many match in all. Without an order the rows
/// keep the one they come in.
pub(crate) fn answer<T: Serialize>(
    query: &Query,
    table: &Table,
    rows: Vec<T>,
    tags: &Tags,
) -> Result<(Vec<T>, u64), Error> {
    check_members(query.fields.as_deref(), &table.members())?;
    let selection = table.select(&Where::all(&query.conditions), tags)?;
    let sort = query.sort.as_ref().map(|(name, direction)| {
        let column = table.sort_column(name)?;
        Ok::<_, Unknown>((column, *direction))
    });
    let sort: Vec<_> = sort.transpose()?.into_iter().collect();
    let mut rows: Vec<(Row, T)> = rows
        .into_iter()
        .map(|it| Ok((row(&it)?, it)))
        .collect::<Result<_, serde_json::Error>>()?;
    rows.retain(|(row, _)| selection.holds(row));
    rows.sort_by(|(a, _), (b, _)| order(&sort, a, b));
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let page = page(rows, query.start, Some(query.limit));
    Ok((page.map(|(_, it)| it).collect(), total))
}

/// A row as a client sees it.
pub(crate) fn row(inventory: &impl Serialize) -> Result<Row, serde_json::Error> {
    Ok(match serde_json::to_value(inventory)? {
        serde_json::Value::Object(row) => row,
        _ => Row::new(),
    })
}

/// The part of `rows` that begins after `start` of them; without a limit, all the rest.
pub(crate) fn page<T>(rows: Vec<T>, start: u64, limit: Option<u64>) -> impl Iterator<Item = T> {
    let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    rows.into_iter()
        .skip(at(start))
        .take(limit.map_or(usize::MAX, at))
}

/// How two rows are ordered by these columns.
pub(crate) fn order(sort: &[(SortColumn, Direction)], a: &Row, b: &Row) -> Ordering {
    let by = |((name, kind), direction): &(SortColumn, Direction)| {
        let cell = |row: &Row| kind.cell(row.get(*name));
        let order = compare(cell(a).as_ref(), cell(b).as_ref());
        match direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
    };
    sort.iter()
        .map(by)
        .find(|it| it.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// How two cells are ordered: NULL first, texts without regard to ASCII case and trailing blanks,
/// as in MySQL.
pub(crate) fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Int(a)), Some(Value::Int(b))) => a.cmp(b),
        (Some(Value::Time(a)), Some(Value::Time(b))) => a.cmp(b),
        (Some(a), Some(b)) => fold_ascii(&a.text_form()).cmp(&fold_ascii(&b.text_form())),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

#[cfg(test)]
mod tests;
