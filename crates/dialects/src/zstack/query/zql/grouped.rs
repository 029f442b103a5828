//! Groups of the rows of a statement, and what is told of each.

use serde_json::Value as Json;
use strongroom_domain::query::Direction;

use super::{
    aggregate::{cut, distinct, groups, one, sum},
    ast::{Fold, Verb},
    run::{Run, Task, columns},
};
use crate::zstack::{
    error::Error,
    query::table::{Row, SortColumn, order, page},
};

impl Run<'_> {
    /// How many rows each group has.
    pub(super) async fn counted(
        &self,
        task: &Task<'_>,
        by: &[SortColumn],
    ) -> Result<Vec<(Row, u64)>, Error> {
        let mut wanted = task.all();
        wanted.members = by.iter().map(|it| it.0).collect();
        let mut by_count = None;
        if let Some(((name, direction), rest)) = task.statement.order_by.split_first()
            && name == "groupCount"
        {
            by_count = Some(*direction);
            wanted.order = rest;
        }
        let counted = groups(by, self.rows(wanted).await?).into_iter();
        let count = |rows: &[Row]| u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mut counted: Vec<_> = counted.map(|it| (it.key, count(&it.rows))).collect();
        match by_count {
            None => {}
            Some(Direction::Ascending) => counted.sort_by_key(|it| it.1),
            Some(Direction::Descending) => counted.sort_by_key(|it| std::cmp::Reverse(it.1)),
        }
        Ok(task.paged(counted))
    }

    /// The first row of each group, or the different rows.
    pub(super) async fn rows_of_groups(
        &self,
        task: &Task<'_>,
        by: &[SortColumn],
    ) -> Result<Vec<Row>, Error> {
        let mut wanted = task.all();
        let members = wanted.members.clone();
        wanted.members.extend(by.iter().map(|it| it.0));
        let mut rows = self.rows(wanted).await?;
        if !by.is_empty() {
            let groups = groups(by, rows).into_iter();
            rows = groups.filter_map(|it| it.rows.into_iter().next()).collect();
        }
        let mut rows: Vec<Row> = rows.iter().map(|it| cut(it, &members)).collect();
        if task.statement.verb == Verb::Distinct {
            rows = distinct(rows);
        }
        Ok(task.paged(rows))
    }

    /// The different rows, of which each has these fields if any are named.
    pub(super) async fn different(
        &self,
        task: &Task<'_>,
        fields: Vec<String>,
    ) -> Result<Vec<Row>, Error> {
        let by = columns(task.table, &fields)?;
        let rows = self.rows(task.all()).await?;
        if by.is_empty() {
            return Ok(distinct(rows));
        }
        // NULL is no value.
        let groups = groups(&by, rows).into_iter().map(|it| it.key);
        Ok(groups.filter(|it| !it.is_empty()).collect())
    }

    /// Each group with the greatest, smallest or average value of the last field in it.
    pub(super) async fn folded(
        &self,
        task: &Task<'_>,
        function: Fold,
        by: &[SortColumn],
    ) -> Result<Vec<(Row, Json)>, Error> {
        let values = columns(task.table, &task.statement.fields)?;
        let mut wanted = task.all();
        wanted.members.extend(by.iter().map(|it| it.0));
        let groups = groups(by, self.rows(wanted).await?).into_iter();
        let folded = groups.map(|group| {
            let mut key = group.key;
            let mut last = Json::Null;
            for column in &values {
                let value = one(function, &group.rows, *column);
                last = value.clone().unwrap_or_default();
                key.extend(value.map(|it| (column.0.to_owned(), it)));
            }
            (key, last)
        });
        Ok(task.paged(folded.collect()))
    }

    /// Each group with its sums, as a list.
    pub(super) async fn sums(&self, task: &Task<'_>, by: &str) -> Result<Vec<Json>, Error> {
        let by = columns(task.table, &[by.to_owned()])?;
        let values = columns(task.table, &task.statement.fields)?;
        let mut wanted = task.all();
        wanted.members.extend(by.iter().map(|it| it.0));
        let mut by_sum = None;
        if let Some(((name, direction), rest)) = task.statement.order_by.split_first()
            && let Some(column) = values.iter().find(|it| it.0 == name)
        {
            by_sum = Some((*column, *direction));
            wanted.order = rest;
        }
        let groups = groups(&by, self.rows(wanted).await?).into_iter();
        let summed = |rows: &[Row]| {
            let sum = |it: &SortColumn| (it.0.to_owned(), sum(rows, *it));
            values.iter().map(sum).collect::<Row>()
        };
        let mut sums: Vec<_> = groups.map(|it| (it.key, summed(&it.rows))).collect();
        if let Some(by_sum) = by_sum {
            sums.sort_by(|a, b| order(&[by_sum], &a.1, &b.1));
        }
        let list = |(key, sums): (Row, Row)| {
            let key = by.iter().map(|it| key.get(it.0));
            let all = key.chain(values.iter().map(|it| sums.get(it.0)));
            Json::Array(all.map(|it| it.cloned().unwrap_or_default()).collect())
        };
        Ok(task.paged(sums).into_iter().map(list).collect())
    }
}

impl Task<'_> {
    fn paged<T>(&self, all: Vec<T>) -> Vec<T> {
        page(all, self.statement.offset, self.statement.limit).collect()
    }
}
