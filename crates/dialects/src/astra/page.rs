//! The query language of Astra's collections: `include`, `filter`, `orderBy`, `limit`, `skip`,
//! `continue` and `count`, on every collection.

mod clause;

use std::{cmp::Ordering, marker::PhantomData};

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strongroom_domain::FieldError;
use strongroom_http::extract::RawParams;
use utoipa::{IntoParams, ToSchema};

pub(super) use self::clause::{Clause, Comparison};
use super::{
    error::{Error, Result},
    wire::{Items, List, ListMetadata},
};

/// What is wanted of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ListQuery {
    /// The top-level fields to show of each item; all if nothing.
    pub(super) include: Option<Vec<String>>,
    /// All of them must hold.
    pub(super) filter: Vec<Clause>,
    /// The field to sort by.
    pub(super) order_by: Option<OrderBy>,
    /// At most this many items.
    pub(super) limit: Option<u64>,
    /// After leaving out this many.
    pub(super) start: u64,
    /// Whether the number of all matching items is wanted.
    pub(super) count: bool,
}

/// A sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderBy {
    /// Dotted path of the field.
    pub(super) field: String,
    /// Largest first.
    pub(super) descending: bool,
}

/// The query parameters of a collection, for its documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read as pairs, because values have a grammar of their own"
)]
pub(super) struct ListParameters {
    /// Top-level fields, separated by commas; items become arrays of their values.
    include: Option<String>,
    /// `path op 'value'`, separated by commas; op is eq, lt, gt, lte, gte or in.
    filter: Option<String>,
    /// `field` or `field desc`.
    #[param(rename = "orderBy")]
    order_by: Option<String>,
    /// At most this many items.
    limit: Option<u64>,
    /// Leave out this many.
    skip: Option<u64>,
    /// Where the page before this one ended.
    r#continue: Option<String>,
    /// `true` adds the number of matching items.
    count: Option<String>,
}

/// What a `continue` token holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    collection_index: u64,
}

impl<S: Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let params = RawParams::<Error>::from_request_parts(parts, state).await?;
        Self::parse(&params.0)
    }
}

impl ListQuery {
    /// Reads the pairs of a query string; all that is wrong is reported at once.
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self> {
        let mut query = Self::default();
        let (mut unknown, mut bad) = (Vec::new(), Vec::new());
        let mut seen = Vec::new();
        for (name, value) in pairs {
            if name != "filter" && seen.contains(&name.as_str()) {
                bad.push(FieldError::new(name, "is given more than once"));
                continue;
            }
            seen.push(name.as_str());
            match query.set(name, value) {
                None => unknown.push(FieldError::new(name, "is not supported")),
                Some(Err(reason)) => bad.push(FieldError::new(name, reason)),
                Some(Ok(())) => {}
            }
        }
        if !unknown.is_empty() {
            Err(Error::UnknownParameters(unknown))
        } else if !bad.is_empty() {
            Err(Error::BadParameters(bad))
        } else {
            Ok(query)
        }
    }

    /// Takes one parameter; nothing if there is none of that name.
    fn set(&mut self, name: &str, value: &str) -> Option<Result<(), String>> {
        let done = match name {
            "include" => names(value).map(|it| self.include = Some(it)),
            "filter" => clause::parse(value).map(|it| self.filter.extend(it)),
            "orderBy" => order_by(value).map(|it| self.order_by = Some(it)),
            "limit" => positive(value).map(|it| self.limit = Some(it)),
            "skip" => positive(value).map(|it| self.start = self.start.max(it)),
            "continue" => token(value).map(|it| self.start = it),
            "count" if value == "true" => {
                self.count = true;
                Ok(())
            }
            "count" => Err("is not `true`".to_owned()),
            _ => return None,
        };
        Some(done)
    }

    /// The wanted part of `rows`, which are all there are.
    pub(super) fn apply<T: Serialize + ToSchema>(&self, rows: Vec<T>) -> Result<List<T>> {
        if self.filter.is_empty() && self.order_by.is_none() {
            let total = rows.len() as u64;
            let rows = rows.into_iter().skip(size(self.start));
            let rows = rows.take(self.limit.map_or(usize::MAX, size)).collect();
            return self.finish(rows, total);
        }
        let mut rows = to_values(rows)?;
        rows.retain(|row| self.filter.iter().all(|clause| clause.holds(row)));
        if let Some(order) = &self.order_by {
            rows.sort_by(|a, b| order.compare(a, b));
        }
        let total = rows.len() as u64;
        let rows = rows.into_iter().skip(size(self.start));
        let rows: Vec<Value> = rows.take(self.limit.map_or(usize::MAX, size)).collect();
        let metadata = self.metadata(rows.len() as u64, total);
        let items = match &self.include {
            Some(names) => Items::Projected(rows.iter().map(|row| project(row, names)).collect()),
            None => Items::Objects(rows),
        };
        Ok(List { items, metadata })
    }

    /// The envelope around a page that was cut already, of `total` matching rows.
    pub(super) fn finish<T: Serialize + ToSchema>(
        &self,
        page: Vec<T>,
        total: u64,
    ) -> Result<List<T>> {
        let metadata = self.metadata(page.len() as u64, total);
        let items = match &self.include {
            Some(names) => {
                let rows = to_values(page)?;
                Items::Projected(rows.iter().map(|row| project(row, names)).collect())
            }
            None => Items::Whole(page),
        };
        Ok(List { items, metadata })
    }

    fn metadata(&self, shown: u64, total: u64) -> ListMetadata {
        let end = self.start.saturating_add(shown);
        let more = self.limit.is_some() && end < total;
        ListMetadata {
            next: more.then(|| encode(end)),
            count: self.count.then_some(total),
        }
    }
}

impl OrderBy {
    /// Orders two items; those without the field come last.
    fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let path = clause::Path::field(&self.field);
        match (path.first(a), path.first(b)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if self.descending => clause::order(b, a),
            (Some(a), Some(b)) => clause::order(a, b),
        }
    }
}

fn to_values<T: Serialize>(rows: Vec<T>) -> Result<Vec<Value>> {
    let values = rows
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>();
    values.map_err(Error::unserialisable)
}

fn project(row: &Value, names: &[String]) -> Vec<Value> {
    names
        .iter()
        .map(|name| row.get(name).cloned().unwrap_or_default())
        .collect()
}

fn names(value: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = value.split(',').map(str::to_owned).collect();
    if names.iter().all(|name| is_word(name)) {
        Ok(names)
    } else {
        Err("is not a list of top-level fields separated by commas".to_owned())
    }
}

fn order_by(value: &str) -> Result<OrderBy, String> {
    let (field, descending) = match value.split_once(' ') {
        None => (value, false),
        Some((field, "asc")) => (field, false),
        Some((field, "desc")) => (field, true),
        Some(_) => return Err("is not `field` or `field desc`".to_owned()),
    };
    if field.split('.').all(is_word) {
        let field = field.to_owned();
        Ok(OrderBy { field, descending })
    } else {
        Err("does not name a field".to_owned())
    }
}

fn positive(value: &str) -> Result<u64, String> {
    let digits = value.bytes().all(|b| b.is_ascii_digit()) && !value.starts_with('0');
    match value.parse() {
        Ok(number) if digits => Ok(number),
        _ => Err("is not a positive whole number".to_owned()),
    }
}

fn token(value: &str) -> Result<u64, String> {
    let read = BASE64_STANDARD.decode(value).ok();
    let token = read.and_then(|json| serde_json::from_slice::<Token>(&json).ok());
    token
        .map(|it| it.collection_index)
        .ok_or_else(|| "was not made by this server".to_owned())
}

fn encode(collection_index: u64) -> String {
    BASE64_STANDARD.encode(serde_json::json!({ "collectionIndex": collection_index }).to_string())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Refuses every query parameter, for calls that take none.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoQuery(PhantomData<()>);

impl<S: Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let params = RawParams::<Error>::from_request_parts(parts, state)
            .await?
            .0;
        if params.is_empty() {
            return Ok(Self(PhantomData));
        }
        let unknown = params
            .iter()
            .map(|(name, _)| FieldError::new(name, "is not supported"));
        Err(Error::UnknownParameters(unknown.collect()))
    }
}

#[cfg(test)]
mod tests;
