//! Scheduler jobs, triggers, what binds them, and what they did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reply::Inventory;
use crate::zstack::query::table::{Kind, Table};

/// What a scheduler job does, as it was given; kept as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobBody {
    /// Mandatory.
    #[serde(deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// Mandatory for a job, not for a group.
    #[serde(deserialize_with = "super::text")]
    pub(crate) target_resource_uuid: Option<String>,
    /// Mandatory; `databaseBackup` is what there is.
    #[serde(rename = "type", deserialize_with = "super::text")]
    pub(crate) job_type: Option<String>,
    /// `retentionType`, `retentionValue`, `backupStorageUuids`, and for copies
    /// `remoteBackupStorageUuid`, `remoteRetentionType`, `remoteRetentionValue`.
    #[serde(deserialize_with = "super::named_texts")]
    pub(crate) parameters: BTreeMap<String, String>,
    #[serde(skip_serializing, deserialize_with = "super::text")]
    pub(crate) resource_uuid: Option<String>,
    /// It does not run.
    pub(crate) disabled: bool,
}

/// When a trigger fires, as it was given; kept as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TriggerBody {
    /// Mandatory.
    #[serde(deserialize_with = "super::text")]
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "super::text")]
    pub(crate) description: Option<String>,
    /// Mandatory: `simple` or `cron`.
    #[serde(deserialize_with = "super::text")]
    pub(crate) scheduler_type: Option<String>,
    /// Seconds.
    #[serde(deserialize_with = "super::long")]
    pub(crate) scheduler_interval: Option<i64>,
    /// How often it fires; 0 is without end.
    #[serde(deserialize_with = "super::long")]
    pub(crate) repeat_count: Option<i64>,
    /// Seconds since 1970; 0 is when a job is bound.
    #[serde(deserialize_with = "super::long")]
    pub(crate) start_time: Option<i64>,
    /// Quartz fields: second, minute, hour, day of month, month, day of week.
    #[serde(deserialize_with = "super::text")]
    pub(crate) cron: Option<String>,
    #[serde(skip_serializing, deserialize_with = "super::text")]
    pub(crate) resource_uuid: Option<String>,
}

/// The body of a call that creates one.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Create<T> {
    pub(crate) params: Option<T>,
}

/// What a trigger is told to run.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RunTrigger {
    /// All that are bound to it if empty.
    #[serde(deserialize_with = "super::texts")]
    pub(crate) job_uuids: Vec<String>,
}

/// How a group of jobs changes.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct GroupChange {
    #[serde(flatten)]
    pub(crate) job: JobBody,
    /// `Enabled` or `Disabled`.
    #[serde(default, deserialize_with = "super::text")]
    pub(crate) state: Option<String>,
}

/// The body of AddSchedulerJobToSchedulerTrigger.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Bind {
    #[serde(deserialize_with = "super::flag")]
    pub(crate) trigger_now: bool,
}

/// A scheduler job, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchedulerJob {
    pub(crate) uuid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_resource_uuid: Option<String>,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// `Enabled` or `Disabled`.
    pub(crate) state: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    /// The parameters as JSON text.
    pub(crate) job_data: String,
    pub(crate) job_class_name: &'static str,
    pub(crate) triggers_uuid: Vec<String>,
    pub(crate) scheduler_job_group_uuids: Vec<String>,
}

/// A group of scheduler jobs, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchedulerJobGroup {
    pub(crate) uuid: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// `Enabled` or `Disabled`.
    pub(crate) state: &'static str,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    pub(crate) job_type: &'static str,
    /// The parameters as JSON text.
    pub(crate) job_data: String,
    pub(crate) triggers_uuid: Vec<String>,
    /// Always empty: a group is a job of its own.
    pub(crate) jobs_uuid: Vec<String>,
}

/// A trigger, as listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchedulerTrigger {
    pub(crate) uuid: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cron: Option<String>,
    pub(crate) scheduler_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scheduler_interval: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repeat_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_time: Option<String>,
    /// When it fires for the last time, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_time: Option<String>,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
    pub(crate) jobs_uuid: Vec<String>,
    pub(crate) job_groups_uuid: Vec<String>,
}

/// A job bound to a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bound {
    pub(crate) uuid: String,
    pub(crate) scheduler_job_uuid: String,
    pub(crate) scheduler_trigger_uuid: String,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// A group of jobs bound to a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BoundGroup {
    pub(crate) scheduler_job_group_uuid: String,
    pub(crate) scheduler_trigger_uuid: String,
    pub(crate) create_date: String,
    pub(crate) last_op_date: String,
}

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobHistory {
    /// Counts the runs that are listed, from the first on.
    pub(crate) id: u64,
    pub(crate) trigger_uuid: String,
    pub(crate) scheduler_job_uuid: String,
    /// The same, if it is a group that was bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scheduler_job_group_uuid: Option<String>,
    pub(crate) job_type: &'static str,
    pub(crate) start_time: String,
    /// Seconds that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execute_time: Option<i64>,
    pub(crate) target_resource_uuid: String,
    /// What was asked for, as JSON text.
    pub(crate) request_dump: String,
    /// What was made, as JSON text.
    pub(crate) result_dump: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) success: Option<bool>,
    /// The uuid of what was made.
    pub(crate) fire_instance_id: String,
}

/// Queries on scheduler jobs.
pub(crate) static JOBS: Table = Table {
    class: "org.zstack.header.scheduler.SchedulerJobInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("targetResourceUuid", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("state", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
        ("jobData", Kind::Text),
        ("jobClassName", Kind::Text),
        ("triggersUuid", Kind::List),
        ("schedulerJobGroupUuids", Kind::List),
    ],
    children: &[],
};

/// Queries on groups of them.
pub(crate) static JOB_GROUPS: Table = Table {
    class: "org.zstack.header.scheduler.SchedulerJobGroupInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("state", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
        ("jobType", Kind::Text),
        ("jobData", Kind::Text),
        ("triggersUuid", Kind::List),
        ("jobsUuid", Kind::List),
    ],
    children: &[],
};

/// Queries on triggers.
pub(crate) static TRIGGERS: Table = Table {
    class: "org.zstack.header.scheduler.SchedulerTriggerInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("cron", Kind::Text),
        ("schedulerType", Kind::Text),
        ("schedulerInterval", Kind::Number),
        ("repeatCount", Kind::Number),
        ("startTime", Kind::Time),
        ("stopTime", Kind::Time),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
        ("jobsUuid", Kind::List),
        ("jobGroupsUuid", Kind::List),
    ],
    children: &[],
};

/// Queries on what jobs did.
pub(crate) static HISTORIES: Table = Table {
    class: "org.zstack.header.scheduler.SchedulerJobHistoryInventory",
    columns: &[
        ("id", Kind::Number),
        ("triggerUuid", Kind::Text),
        ("schedulerJobUuid", Kind::Text),
        ("schedulerJobGroupUuid", Kind::Text),
        ("jobType", Kind::Text),
        ("startTime", Kind::Time),
        ("executeTime", Kind::Number),
        ("targetResourceUuid", Kind::Text),
        ("requestDump", Kind::Text),
        ("resultDump", Kind::Text),
        ("success", Kind::Text),
        ("fireInstanceId", Kind::Text),
    ],
    children: &[],
};

impl Inventory for SchedulerJob {
    fn class(&self) -> &'static str {
        JOBS.class
    }
}

impl Inventory for SchedulerJobGroup {
    fn class(&self) -> &'static str {
        JOB_GROUPS.class
    }
}

impl Inventory for SchedulerTrigger {
    fn class(&self) -> &'static str {
        TRIGGERS.class
    }
}

impl Inventory for JobHistory {
    fn class(&self) -> &'static str {
        HISTORIES.class
    }
}

impl Inventory for Bound {
    fn class(&self) -> &'static str {
        "org.zstack.header.scheduler.SchedulerJobSchedulerTriggerInventory"
    }
}

impl Inventory for BoundGroup {
    fn class(&self) -> &'static str {
        "org.zstack.header.scheduler.SchedulerJobGroupSchedulerTriggerRefInventory"
    }
}
