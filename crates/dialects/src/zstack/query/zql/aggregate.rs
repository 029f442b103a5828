//! Groups of rows, and what is counted and summed in them.

use std::collections::{HashMap, HashSet};

use serde_json::{Number, Value as Json};
use strongroom_domain::query::{Value, fold};

use super::ast::Fold;
use crate::zstack::query::{
    table::{Kind, Row, SortColumn, compare},
    value,
};

/// Rows whose values in some columns are the same.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    /// The values; those that are NULL are left out.
    pub(crate) key: Row,
    pub(crate) rows: Vec<Row>,
}

/// Groups rows by the values of columns, which are compared as MySQL does. Groups stand in the
/// order of their first rows; without a column all rows are one group.
pub(crate) fn groups(by: &[SortColumn], rows: Vec<Row>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    if by.is_empty() {
        let key = Row::new();
        return vec![Group { key, rows }];
    }
    let members: Vec<_> = by.iter().map(|it| it.0).collect();
    for row in rows {
        let cells = by.iter().map(|(name, kind)| kind.cell(row.get(*name)));
        let values = cells.map(|it| it.map(|it| fold(&it.text_form()))).collect();
        let place = *places.entry(values).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                key: cut(&row, &members),
                rows: vec![row],
            }),
        }
    }
    groups
}

/// The row with these members only.
pub(crate) fn cut(row: &Row, members: &[&str]) -> Row {
    let member = |name: &&str| Some(((*name).to_owned(), row.get(*name)?.clone()));
    members.iter().filter_map(member).collect()
}

/// The first of all rows that are the same.
pub(crate) fn distinct(mut rows: Vec<Row>) -> Vec<Row> {
    let mut seen = HashSet::new();
    rows.retain(|row| seen.insert(Json::Object(row.clone()).to_string()));
    rows
}

/// The sum of a column's values; NULL if it has none.
pub(crate) fn sum(rows: &[Row], column: SortColumn) -> Json {
    let sum = numbers(rows, column).reduce(i128::saturating_add);
    sum.map_or(Json::Null, |it| {
        Number::from_i128(it).map_or_else(|| Json::String(it.to_string()), Json::Number)
    })
}

/// The greatest, smallest or average value of a column; nothing if it has none.
pub(crate) fn one(function: Fold, rows: &[Row], column: SortColumn) -> Option<Json> {
    let (name, kind) = column;
    let values = rows.iter().filter_map(|row| row.get(name));
    let cell = |it: &Json| kind.cell(Some(it));
    let order = |a: &&Json, b: &&Json| compare(cell(a).as_ref(), cell(b).as_ref());
    match function {
        Fold::Max => values.max_by(order).cloned(),
        Fold::Min => values.min_by(order).cloned(),
        Fold::Avg => average(&numbers(rows, column).collect::<Vec<_>>()),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an average is a floating-point number for the vendor too"
)]
fn average(numbers: &[i128]) -> Option<Json> {
    let sum = numbers.iter().copied().reduce(i128::saturating_add)?;
    let average = sum as f64 / numbers.len() as f64;
    Number::from_f64(average).map(Json::Number)
}

/// The values that are not NULL, as the numbers that MySQL sees in them.
fn numbers(rows: &[Row], (name, kind): SortColumn) -> impl Iterator<Item = i128> {
    let cells = rows.iter().filter_map(move |row| {
        let cell = row.get(name);
        match kind {
            Kind::List => None,
            kind => kind.cell(cell),
        }
    });
    cells.map(|cell| match cell {
        Value::Int(number) => number.into(),
        Value::Bool(yes) => yes.into(),
        other => value::number(&other.text_form()).at.into(),
    })
}
