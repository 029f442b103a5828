//! Long jobs.

use serde::{Deserialize, Serialize};
use strongroom_domain::OperationId;
use utoipa::ToSchema;

use super::reply::Inventory;
use crate::zstack::query::table::{Kind, Table};

/// The body of SubmitLongJob.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct SubmitLongJob {
    pub(crate) params: Option<LongJobBody>,
}

/// A long job as it was submitted; kept as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LongJobBody {
    #[serde(deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// Mandatory; the message, e.g. `APICreateDatabaseBackupMsg`.
    #[serde(deserialize_with = "super::text")]
    pub(crate) job_name: Option<String>,
    /// Mandatory; the message's members as JSON text.
    #[serde(deserialize_with = "super::text")]
    pub(crate) job_data: Option<String>,
    #[serde(deserialize_with = "super::text")]
    pub(crate) target_resource_uuid: Option<String>,
    /// What carries it out.
    #[schema(ignore)]
    pub(crate) operation: Option<OperationId>,
}

/// A long job, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LongJob {
    pub(crate) uuid: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_id: Option<String>,
    pub(crate) job_name: String,
    pub(crate) job_data: String,
    /// What a poll of its job says, as JSON text: the result, or the error that it failed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_resource_uuid: Option<String>,
    /// `Waiting`, `Running`, `Succeeded`, `Failed` or `Canceled`.
    pub(crate) state: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    /// Whole seconds from its submission to its end, at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execute_time: Option<i64>,
}

/// Queries on long jobs.
pub(crate) static LONG_JOBS: Table = Table {
    class: "org.zstack.header.longjob.LongJobInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("apiId", Kind::Text),
        ("jobName", Kind::Text),
        ("jobData", Kind::Text),
        ("jobResult", Kind::Text),
        ("targetResourceUuid", Kind::Text),
        ("state", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
        ("executeTime", Kind::Number),
    ],
    children: &[],
};

impl Inventory for LongJob {
    fn class(&self) -> &'static str {
        LONG_JOBS.class
    }
}
