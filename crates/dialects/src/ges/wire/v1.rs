//! Version 1.0: camel case, with the exceptions that its documents and clients have.

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use super::v2::{Done, Tag};

/// A backup of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Backup {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `auto` or `manual`.
    pub backup_method: &'static str,
    /// The graph it is of.
    pub graph_id: String,
    /// The graph's name at that time, as the documents spell it.
    #[serde(rename = "graph_name")]
    pub graph_name: String,
    /// The same as the vendor's clients spell it.
    #[serde(rename = "graphName")]
    pub graph_name_again: String,
    /// The graph's status now, a code as text.
    pub graph_status: &'static str,
    /// The graph's size class, a number as text.
    pub graph_size_type_index: String,
    /// The graph's version.
    pub data_store_version: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// `backing_up`, `success` or `failed`.
    pub status: &'static str,
    /// When it began, in milliseconds since 1970, whole seconds.
    pub start_timestamp: i64,
    /// The same as UTC without a zone.
    pub start_time: String,
    /// When it ended; null while it runs.
    pub end_timestamp: Option<i64>,
    /// The same as UTC without a zone.
    pub end_time: Option<String>,
    /// In MB, rounded up; 0 while it runs.
    pub size: u64,
    /// In seconds; 0 while it runs.
    pub duration: i64,
    /// Whether it is kept encrypted.
    pub encrypted: bool,
}

/// A page of backups.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupList {
    /// How many there are on all pages.
    pub backup_count: u64,
    /// Those on this page.
    pub backup_list: Vec<Backup>,
}

/// What was started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Started {
    /// The job to ask about.
    pub job_id: String,
    /// The backup that it makes.
    pub backup_id: String,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    /// 32 hex digits.
    pub job_id: String,
    /// `pending`, `running`, `success` or `failed`.
    pub status: &'static str,
    /// `GraphManagement`.
    pub job_type: &'static str,
    /// `BackupGraph` or `DeleteBackup`.
    pub job_name: String,
    /// The graph's name.
    pub related_graph: String,
    /// When it began, UTC without a zone.
    pub begin_time: String,
    /// When it ended; null while it runs.
    pub end_time: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
    /// Whole percent done.
    pub job_progress: u8,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobList {
    /// How many there are on all pages.
    pub job_count: u64,
    /// Those on this page.
    pub job_list: Vec<Job>,
}

/// A graph.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Graph {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status, a code as text.
    pub status: &'static str,
    /// Its version.
    pub data_store_version: String,
    /// Its size class, a number as text.
    pub graph_size_type_index: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// `false`, as text.
    pub is_multi_az: &'static str,
    /// When it was registered, UTC without a zone.
    pub created: String,
    /// When it last changed, UTC without a zone.
    pub updated: String,
    /// Tags of the system; none.
    #[serde(rename = "sys_tags")]
    pub sys_tags: Vec<String>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// A page of graphs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GraphList {
    /// How many there are on all pages.
    pub graph_count: u64,
    /// Those on this page.
    pub graphs: Vec<Graph>,
}

/// One graph.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OneGraph {
    /// The graph.
    pub graph: Graph,
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    /// A code for programs.
    pub error_code: &'static str,
    /// A sentence for people, as the documents spell it.
    pub error_message: String,
    /// The same as the vendor's clients spell it: without it they lose the code too.
    pub error_msg: String,
}
