//! Answers to ZQL.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::reply::Schema;

/// The answers to the statements of a text, in their order.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ZqlReply {
    pub(crate) results: Vec<ZqlReturn>,
    /// Given if the client asked for it with `X-JSON-Schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) schema: Option<Schema>,
}

/// The class of [`ZqlReturn`].
pub(crate) const ZQL_RETURN: &str = "org.zstack.zql.ZQLQueryReturn";

/// The answer to one statement.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ZqlReturn {
    /// Rows; for `sum`, lists of a group and its sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub(crate) inventories: Option<Vec<Value>>,
    /// Groups, each with its number of rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<Object>>)]
    pub(crate) inventory_counts: Vec<(Map<String, Value>, u64)>,
    /// Groups with the greatest, smallest or average values in them, each with the last of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Vec<Object>>)]
    pub(crate) inventory_aggregate_functions: Vec<(Map<String, Value>, Value)>,
    /// How many rows match, whatever the groups and the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    /// What the statement is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}
