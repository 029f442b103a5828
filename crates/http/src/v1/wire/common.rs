//! What several nouns share.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use strongroom_domain::query::{Direction, Sort};
use utoipa::{IntoParams, ToSchema};

/// Vendor attributes by `<face>.<name>` key, kept verbatim.
pub type Annotations = BTreeMap<String, serde_json::Value>;

/// A name and value attached to something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The label's name.
    pub name: String,
    /// The label's value, possibly empty.
    #[serde(default)]
    pub value: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The page's items.
    pub items: Vec<T>,
    /// The `cursor` of the next page; missing on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many items match in all, if `total=true` was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl<T> List<T> {
    /// A short list in one page.
    pub(crate) fn all(items: Vec<T>) -> Self {
        Self {
            items,
            next: None,
            total: None,
        }
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// At most this many items; 100 if nothing is given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Count all matching items too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<bool>,
}

/// Items per page: 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Limit(u64);

impl Limit {
    /// The most items on a page.
    pub const MAX: Self = Self(1000);

    /// A limit, if it is one of those allowed.
    pub fn new(items: u64) -> Option<Self> {
        (1..=Self::MAX.0).contains(&items).then_some(Self(items))
    }

    /// Items per page.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(100)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let limit = text.parse().ok().and_then(Self::new);
        limit.ok_or_else(|| serde::de::Error::custom("must be a whole number from 1 to 1000"))
    }
}

/// What a list is sorted by: a field's name, with `-` before it for largest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sorting(pub String);

impl Sorting {
    /// The sort key it names.
    pub(crate) fn read<F: FromStr>(&self) -> Option<Sort<F>> {
        let (name, direction) = match self.0.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (&*self.0, Direction::Ascending),
        };
        let field = name.parse().ok()?;
        Some(Sort::new(field, direction))
    }
}

/// Reads a field of a change so that `null` (clear it) differs from nothing (leave it).
#[expect(
    clippy::option_option,
    reason = "left out, cleared and set are three things"
)]
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
