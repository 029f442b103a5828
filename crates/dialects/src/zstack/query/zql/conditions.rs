//! Conditions with the sub-queries in them answered.

use std::{future::Future, pin::Pin};

use serde_json::Value as Json;
use strongroom_domain::query::Op;

use super::{
    BadZql,
    ast::{Cond, Join, Operand, Operator, SubQuery},
    join::has_columns,
    rows::{Rows, Source},
    run::{Run, entity},
};
use crate::zstack::{
    error::Error,
    query::{
        Unknown,
        condition::{Condition, Test, Where},
        table::Table,
    },
};

/// What is found later, in a function that calls itself.
pub(super) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl Run<'_> {
    /// Where the rows of an inventory are taken from.
    pub(super) fn source<'f>(
        &'f self,
        table: &'static Table,
        joins: &'f [Join],
        conditions: &'f [Cond],
    ) -> Later<'f, Source> {
        Box::pin(async move {
            if joins.is_empty() && !conditions.iter().any(has_columns) {
                return Ok(Source::Where(self.all(conditions).await?));
            }
            Ok(Source::Joined(self.joined(table, joins, conditions).await?))
        })
    }

    /// All conditions, none of which compares columns.
    pub(super) fn all<'f>(&'f self, conditions: &'f [Cond]) -> Later<'f, Where> {
        Box::pin(async move {
            let mut all = Vec::new();
            for condition in conditions {
                all.push(self.resolved(condition).await?);
            }
            Ok(Where::All(all))
        })
    }

    async fn resolved(&self, condition: &Cond) -> Result<Where, Error> {
        match condition {
            Cond::All(all) => self.all(all).await,
            Cond::Any(any) => Ok(match self.all(any).await? {
                Where::All(any) => Where::Any(any),
                other => other,
            }),
            Cond::Test {
                field,
                operator,
                operand,
            } => self.tested(field, *operator, operand).await,
            // `join` sees to those.
            Cond::Columns(left, ..) => Err(BadZql::Entity(left.entity.clone()).into()),
        }
    }

    /// What a test of a field means.
    pub(super) async fn tested(
        &self,
        field: &str,
        operator: Operator,
        operand: &Operand,
    ) -> Result<Where, Error> {
        let values = match operand {
            Operand::Values(values) => values.clone(),
            Operand::SubQuery(query) => self.sub_query(query).await?,
        };
        Ok(test(field, operator, values)?)
    }

    /// The different values of the field in the rows that a sub-query is about.
    async fn sub_query(&self, query: &SubQuery) -> Result<Vec<String>, Error> {
        let table = entity(&query.entity)?;
        let path: Vec<&str> = query.field.split('.').collect();
        let member = known(table, &path)?;
        let source = self.source(table, &[], &query.conditions).await?;
        let rows = self.rows(Rows {
            table,
            source: &source,
            order: &[],
            offset: 0,
            limit: None,
            members: vec![member],
        });
        let mut values = Vec::new();
        for row in rows.await? {
            texts(
                row.get(member),
                path.get(1..).unwrap_or_default(),
                &mut values,
            );
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }
}

/// Checks that a path leads to a column, and gives the member that it begins with.
fn known(table: &'static Table, path: &[&str]) -> Result<&'static str, Unknown> {
    let unknown = |name: &str| Unknown::Field {
        class: table.class,
        field: name.to_owned(),
    };
    match path {
        [name, rest @ ..] if !rest.is_empty() => {
            let child = table.children.iter().find(|it| it.0 == *name);
            let (member, child) = child.ok_or_else(|| unknown(name))?;
            known(child, rest)?;
            Ok(member)
        }
        path => {
            let name = path.first().copied().unwrap_or_default();
            let column = table.columns.iter().find(|it| it.0 == name);
            Ok(column.ok_or_else(|| unknown(name))?.0)
        }
    }
}

/// Collects the texts of all values that a path leads to.
fn texts(value: Option<&Json>, path: &[&str], found: &mut Vec<String>) {
    match value {
        None | Some(Json::Null) => {}
        Some(Json::Array(list)) => list.iter().for_each(|it| texts(Some(it), path, found)),
        Some(Json::Object(row)) => {
            if let [name, rest @ ..] = path {
                texts(row.get(*name), rest, found);
            }
        }
        Some(Json::String(text)) => found.push(text.clone()),
        Some(other) => found.push(other.to_string()),
    }
}

/// What a test with these values means.
fn test(field: &str, operator: Operator, values: Vec<String>) -> Result<Where, BadZql> {
    let of = |test| {
        Where::Test(Condition {
            name: field.to_owned(),
            test,
        })
    };
    let equal = |value: &String| of(Test::Compare(Op::Eq, value.clone()));
    let single: fn(Operator, String) -> Test = |operator, value| match operator {
        Operator::Like => Test::Like(value),
        Operator::NotLike => Test::NotLike(value),
        Operator::Compare(op) => Test::Compare(op, value),
        _ => Test::In(vec![value]),
    };
    Ok(match operator {
        Operator::IsNull => of(Test::IsNull),
        Operator::NotNull => of(Test::NotNull),
        Operator::In => of(Test::In(values)),
        Operator::NotIn => of(Test::NotIn(values)),
        Operator::Has => Where::All(values.iter().map(equal).collect()),
        Operator::NotHas => {
            let mut all: Vec<_> = values.iter().map(equal).collect();
            // So that it is not unknown for NULL.
            if !all.is_empty() {
                all.push(of(Test::NotNull));
            }
            Where::Not(Box::new(Where::All(all)))
        }
        // A comparison with no row is one with NULL.
        _ => match <[String; 1]>::try_from(values) {
            Ok([value]) => of(single(operator, value)),
            Err(values) if values.is_empty() => Where::Any(Vec::new()),
            Err(_) => return Err(BadZql::SeveralRows),
        },
    })
}
