//! Operation logs.

use serde::Serialize;
use utoipa::ToSchema;

/// `{"operation_log": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::OperationLogEnvelope)]
pub(in crate::cbr) struct OperationLogEnvelope {
    /// The log.
    pub(in crate::cbr) operation_log: OperationLog,
}

/// A page of operation logs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::OperationLogList)]
pub(in crate::cbr) struct OperationLogList {
    /// How many match in all.
    pub(in crate::cbr) count: u64,
    /// The page's limit.
    pub(in crate::cbr) limit: u64,
    /// How many were skipped.
    pub(in crate::cbr) offset: u64,
    /// The page.
    pub(in crate::cbr) operation_logs: Vec<OperationLog>,
}

/// What became of a request that takes long.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::OperationLog)]
pub(in crate::cbr) struct OperationLog {
    /// The checkpoint it is about.
    pub(in crate::cbr) checkpoint_id: Option<String>,
    /// When it was asked for.
    pub(in crate::cbr) created_at: String,
    /// When it ended.
    pub(in crate::cbr) ended_at: Option<String>,
    /// Why it failed; empty otherwise.
    pub(in crate::cbr) error_info: ErrorInfo,
    /// What it is about.
    pub(in crate::cbr) extra_info: LogExtra,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// `backup`, `restore`, `delete`, `vault_delete` or `remove_resource`.
    pub(in crate::cbr) operation_type: &'static str,
    /// The policy that started it.
    pub(in crate::cbr) policy_id: Option<String>,
    /// The project.
    pub(in crate::cbr) project_id: String,
    /// Which kind of resource, as an id.
    pub(in crate::cbr) provider_id: Option<&'static str>,
    /// When work on it started; until then when it was asked for.
    pub(in crate::cbr) started_at: String,
    /// `waiting`, `running`, `success` or `failed`.
    pub(in crate::cbr) status: &'static str,
    /// When it last changed.
    pub(in crate::cbr) updated_at: String,
    /// The vault it is about.
    pub(in crate::cbr) vault_id: Option<String>,
    /// Its name.
    pub(in crate::cbr) vault_name: Option<String>,
}

/// Why something failed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::ErrorInfo)]
pub(in crate::cbr) struct ErrorInfo {
    /// A code, or nothing.
    pub(in crate::cbr) code: String,
    /// A sentence, or nothing.
    pub(in crate::cbr) message: String,
}

/// What an operation is about; one of the parts besides `common` and `resource` is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::LogExtra)]
pub(in crate::cbr) struct LogExtra {
    /// How far it is.
    pub(in crate::cbr) common: LogCommon,
    /// The resource it is about.
    pub(in crate::cbr) resource: Option<LogResource>,
    /// The backup it makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) backup: Option<LogBackup>,
    /// What it restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) restore: Option<LogRestore>,
    /// What it deletes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) delete: Option<LogDelete>,
}

/// How far an operation is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::LogCommon)]
pub(in crate::cbr) struct LogCommon {
    /// Whole percent done.
    pub(in crate::cbr) progress: u8,
    /// The id of the request that started it, if it was recorded.
    pub(in crate::cbr) request_id: String,
    /// The operation's own id.
    pub(in crate::cbr) task_id: String,
}

/// The resource that an operation is about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::LogResource)]
pub(in crate::cbr) struct LogResource {
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// The backup that an operation makes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::LogBackup)]
pub(in crate::cbr) struct LogBackup {
    /// `0`.
    pub(in crate::cbr) app_consistency_error_code: &'static str,
    /// What is missing from it.
    pub(in crate::cbr) app_consistency_error_message: String,
    /// `0`.
    pub(in crate::cbr) app_consistency_status: &'static str,
    /// The backup.
    pub(in crate::cbr) backup_id: String,
    /// Its name.
    pub(in crate::cbr) backup_name: String,
    /// `true` or `false`, as text.
    pub(in crate::cbr) incremental: &'static str,
}

/// What an operation restores.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::LogRestore)]
pub(in crate::cbr) struct LogRestore {
    /// The backup.
    pub(in crate::cbr) backup_id: String,
    /// Its name.
    pub(in crate::cbr) backup_name: String,
    /// Where it goes.
    pub(in crate::cbr) target_resource_id: String,
    /// The target's name, if known.
    pub(in crate::cbr) target_resource_name: String,
}

/// What an operation deletes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::LogDelete)]
pub(in crate::cbr) struct LogDelete {
    /// The backup.
    pub(in crate::cbr) backup_id: String,
    /// Its name.
    pub(in crate::cbr) backup_name: String,
}
