//! `limit` and `offset`, and the filters of the job list.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use strongroom_domain::{
    Page,
    operation::OperationState,
    query::{Filter, Op, OperationField, Value},
};
use strongroom_http::extract::RawParams;
use utoipa::IntoParams;

use super::{
    error::{Error, Refused, Result, Version},
    map::job_states,
};

/// Rows on a page if the client does not say.
const DEFAULT_LIMIT: u64 = 10;
/// Most rows on a page. The vendor documents no limit; a client that asks for more is told.
const MAX_LIMIT: u64 = 1000;

/// Which part of a list is wanted.
#[derive(Debug)]
pub(super) struct Paging<V>(pub(super) Page, pub(super) PhantomData<fn() -> V>);

/// The parameters of a page, for its documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read as pairs, so that each error names its parameter"
)]
pub(super) struct PagingParameters {
    /// Rows on the page, 1 to 1000.
    #[param(default = 10)]
    limit: Option<u64>,
    /// Rows to leave out before it.
    #[param(default = 0)]
    offset: Option<u64>,
}

impl<S: Sync, V: Version> FromRequestParts<S> for Paging<V> {
    type Rejection = Refused<V>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused<V>> {
        let params = RawParams::<Refused<V>>::from_request_parts(parts, state).await?;
        Ok(Self(page(&params)?, PhantomData))
    }
}

fn page<E>(params: &RawParams<E>) -> Result<Page> {
    let limit = number(params, "limit", DEFAULT_LIMIT)?;
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::parameter("limit", "is not within 1 and 1000"));
    }
    Ok(Page::offset(limit, number(params, "offset", 0)?))
}

fn number<E>(params: &RawParams<E>, name: &str, default: u64) -> Result<u64> {
    let Some(text) = params.get(name) else {
        return Ok(default);
    };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| digits && *number <= i64::MAX.unsigned_abs());
    number.ok_or_else(|| Error::parameter(name, "is not a whole number"))
}

/// Which jobs are wanted.
#[derive(Debug)]
pub(super) struct JobQuery<V> {
    /// Which part of them.
    pub(super) page: Page,
    /// Conditions on what the store has as columns.
    pub(super) filter: Filter<OperationField>,
    /// Only jobs of a graph of this name.
    pub(super) graph_name: Option<String>,
    version: PhantomData<fn() -> V>,
}

/// The parameters of the job list in version 1.0, for its documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read as pairs, so that each error names its parameter"
)]
pub(super) struct JobParametersV1 {
    /// First day, `yyyy-MM-dd`.
    #[param(rename = "startTime")]
    start_time: Option<String>,
    /// Last day, `yyyy-MM-dd`.
    #[param(rename = "endTime")]
    end_time: Option<String>,
    /// The graph's name.
    graph_name: Option<String>,
    /// `running`, `waiting`, `success` or `failed`.
    status: Option<String>,
}

/// The parameters of the job list in version 2, for its documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read as pairs, so that each error names its parameter"
)]
pub(super) struct JobParametersV2 {
    /// First day, `yyyy-MM-dd`.
    start_time: Option<String>,
    /// Last day, `yyyy-MM-dd`.
    end_time: Option<String>,
    /// The graph's name.
    graph_name: Option<String>,
    /// `running`, `waiting`, `success` or `failed`.
    status: Option<String>,
}

impl<S: Sync, V: Version> FromRequestParts<S> for JobQuery<V> {
    type Rejection = Refused<V>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused<V>> {
        let params = RawParams::<Refused<V>>::from_request_parts(parts, state).await?;
        let (start, end) = V::DAYS;
        let days = day(&params, start, false)?
            .into_iter()
            .chain(day(&params, end, true)?);
        let filter = days.chain(status(&params)?).collect();
        Ok(Self {
            page: page(&params)?,
            filter: Filter::All(filter),
            graph_name: params.get("graph_name").map(str::to_owned),
            version: PhantomData,
        })
    }
}

/// From the beginning of a day on, or up to its end.
fn day<E>(params: &RawParams<E>, name: &str, end: bool) -> Result<Option<Filter<OperationField>>> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let day = Date::strptime("%Y-%m-%d", text).ok();
    let day = if end {
        day.and_then(|day| day.checked_add(1.day()).ok())
    } else {
        day
    };
    let midnight = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let midnight = midnight.ok_or_else(|| Error::parameter(name, "is not a day `yyyy-MM-dd`"))?;
    let op = if end { Op::Lt } else { Op::Ge };
    let midnight = Value::Time(midnight.timestamp());
    Ok(Some(Filter::Compare(
        OperationField::CreatedAt,
        op,
        midnight,
    )))
}

fn status<E>(params: &RawParams<E>) -> Result<Option<Filter<OperationField>>> {
    let Some(text) = params.get("status") else {
        return Ok(None);
    };
    let states = job_states(text);
    if states.is_empty() {
        let reason = "is none of `running`, `waiting`, `success`, `failed`";
        return Err(Error::parameter("status", reason));
    }
    let words = states
        .into_iter()
        .map(OperationState::as_str)
        .map(Value::from)
        .collect();
    Ok(Some(Filter::In(OperationField::State, words)))
}

#[cfg(test)]
mod tests;
