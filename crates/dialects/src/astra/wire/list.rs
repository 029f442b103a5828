//! The envelope of every Astra collection.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A collection, or the part of it that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T: ToSchema> {
    /// The resources; with `include`, an array of the wanted values for each.
    #[schema(value_type = Vec<T>)]
    pub items: Items<T>,
    /// Always an object.
    pub metadata: ListMetadata,
}

/// Whole resources, or arrays of the values that `include` named.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Items<T> {
    /// Resources that needed no further look.
    Whole(Vec<T>),
    /// Resources that were filtered or sorted as JSON.
    Objects(Vec<Value>),
    /// The wanted values of each resource, in the order asked for.
    Projected(Vec<Vec<Value>>),
}

/// What a collection says about itself.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ListMetadata {
    /// Where the next page begins.
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many match before paging, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}
