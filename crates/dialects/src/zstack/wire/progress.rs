//! How far jobs are.

use serde::Serialize;
use utoipa::ToSchema;

use super::reply::{Inventory, Schema};

/// The answer to GetTaskProgress.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct TaskProgresses {
    pub(crate) inventories: Vec<TaskProgress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) schema: Option<Schema>,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskProgress {
    pub(crate) task_uuid: String,
    /// The message that the job carries out.
    pub(crate) task_name: String,
    /// Always `Progress`.
    #[serde(rename = "type")]
    pub(crate) task_type: &'static str,
    /// Whole percent done, as text.
    pub(crate) content: String,
    /// When that was so, in milliseconds since 1970.
    pub(crate) time: i64,
}

impl Inventory for TaskProgress {
    fn class(&self) -> &'static str {
        "org.zstack.header.core.progress.TaskProgressInventory"
    }
}
