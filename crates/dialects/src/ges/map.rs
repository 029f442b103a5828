//! Between the core's nouns and GES's. Pure and total.
//!
//! Everything is mapped to version 2's shapes; version 1.0's follow from those.

mod v1;

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use strongroom_domain::{
    Annotations, Backup, BackupState, Label, Resource, ResourceId, Trigger,
    operation::{Operation, OperationState},
};

use super::wire::v2;

/// Annotations of an operation that say what job GES shows it as.
const JOB_NAME: &str = "ges.job_name";
const GRAPH_ID: &str = "ges.graph_id";
const GRAPH_NAME: &str = "ges.graph_name";
/// Annotations of a resource whose operator wants others than the usual.
const SIZE_INDEX: &str = "ges.graph_size_type_index";
const DATA_STORE_VERSION: &str = "ges.data_store_version";

/// The smallest size class whose graphs have automatic backups.
const USUAL_SIZE_INDEX: &str = "1";
const MEGABYTE: u64 = 1 << 20;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobName {
    /// Makes a backup.
    Backup,
    /// Deletes one.
    Delete,
}

/// GES's word for the state of a backup: of what cannot be restored, `failed`.
pub(super) fn status(state: BackupState) -> &'static str {
    match state {
        BackupState::Pending | BackupState::Discovering | BackupState::Running => "backing_up",
        BackupState::Completed => "success",
        BackupState::Partial
        | BackupState::Failed
        | BackupState::Cancelled
        | BackupState::Deleting
        | BackupState::Deleted
        | BackupState::Removed
        | BackupState::Unknown => "failed",
    }
}

/// A backup. `graphs` are all graphs of the tenant, also those that are gone.
pub(super) fn backup(backup: &Backup, graphs: &BTreeMap<ResourceId, Resource>) -> v2::Backup {
    let Backup {
        id,
        tenant_id: _,
        resource_id,
        resource_name,
        kind: _,
        face: _,
        repository_id: _,
        vault_id: _,
        checkpoint_id: _,
        policy_id: _,
        parent_id: _,
        name,
        description: _,
        state,
        trigger,
        scheduled_for: _,
        progress: _,
        source_bytes,
        stored_bytes: _,
        entries: _,
        snapshot: _,
        reason: _,
        failed_entries: _,
        failed_entry_count: _,
        created_by: _,
        labels: _,
        annotations: _,
        created_at,
        updated_at: _,
        started_at,
        finished_at,
        expires_at: _,
        version: _,
    } = backup;
    let graph = graphs.get(resource_id);
    let start = started_at.unwrap_or(*created_at);
    let end = finished_at.filter(|_| !state.is_active());
    let seconds = end.map_or(0, |end| end.duration_since(start).as_secs().max(0));
    v2::Backup {
        id: id.to_string(),
        name: name.clone(),
        backup_method: match trigger {
            Trigger::Manual => "manual",
            Trigger::Schedule => "auto",
        },
        graph_id: resource_id.to_string(),
        graph_name: resource_name.clone(),
        graph_status: graph.map_or("400", graph_status),
        graph_size_type_index: size_index(graph),
        data_store_version: data_store_version(graph),
        arch: arch(),
        status: status(*state),
        start_timestamp: start.as_second() * 1000,
        start_time: time(start),
        end_timestamp: end.map(|end| end.as_second() * 1000),
        end_time: end.map(time),
        size: end.map_or(0, |_| source_bytes.unwrap_or(0).div_ceil(MEGABYTE)),
        duration: seconds,
        encrypted: true,
    }
}

/// A graph.
pub(super) fn graph(resource: &Resource) -> v2::Graph {
    let Resource {
        id,
        tenant_id: _,
        kind: _,
        face: _,
        name,
        settings: _,
        size_bytes: _,
        labels,
        annotations: _,
        created_at,
        updated_at,
        deleted_at: _,
        version: _,
    } = resource;
    let tag = |Label { name, value }: &Label| v2::Tag {
        key: name.clone(),
        value: value.clone(),
    };
    v2::Graph {
        id: id.to_string(),
        name: name.clone(),
        status: graph_status(resource),
        data_store_version: data_store_version(Some(resource)),
        graph_size_type_index: size_index(Some(resource)),
        arch: arch(),
        is_multi_az: "false",
        created: time(*created_at),
        updated: time(*updated_at),
        sys_tags: Vec::new(),
        tags: labels.iter().map(tag).collect(),
    }
}

/// 200 running, 400 deleted.
fn graph_status(resource: &Resource) -> &'static str {
    if resource.deleted_at.is_some() {
        "400"
    } else {
        "200"
    }
}

fn size_index(graph: Option<&Resource>) -> String {
    let set = graph.and_then(|graph| graph.annotations.text(SIZE_INDEX));
    set.unwrap_or(USUAL_SIZE_INDEX).to_owned()
}

/// The version of this server, where the graph's own is not known.
fn data_store_version(graph: Option<&Resource>) -> String {
    let set = graph.and_then(|graph| graph.annotations.text(DATA_STORE_VERSION));
    set.unwrap_or(env!("CARGO_PKG_VERSION")).to_owned()
}

fn arch() -> String {
    std::env::consts::ARCH.to_owned()
}

/// What an operation is to remember, to be shown as a job of `graph`.
pub(super) fn job_annotations(graph: ResourceId, name: &str, job: JobName) -> Annotations {
    let mut annotations = Annotations::default();
    annotations.set(GRAPH_ID, graph.to_string());
    annotations.set(GRAPH_NAME, name);
    annotations.set(
        JOB_NAME,
        match job {
            JobName::Backup => "BackupGraph",
            JobName::Delete => "DeleteBackup",
        },
    );
    annotations
}

/// Whether an operation is a job of that graph.
pub(super) fn is_of_graph(operation: &Operation, graph: ResourceId) -> bool {
    operation.annotations.text(GRAPH_ID) == Some(graph.to_string().as_str())
}

/// Whether an operation is a job of a graph of that name.
pub(super) fn is_of_graph_named(operation: &Operation, name: &str) -> bool {
    operation.annotations.text(GRAPH_NAME) == Some(name)
}

/// A job.
pub(super) fn job(operation: &Operation) -> v2::Job {
    let Operation {
        id,
        tenant_id: _,
        kind,
        face: _,
        subject: _,
        state,
        percent,
        error,
        annotations,
        created_by: _,
        created_at,
        updated_at: _,
        started_at,
        finished_at,
    } = operation;
    let cancelled = *state == OperationState::Cancelled;
    let reason = error.as_ref().map(|error| error.message.clone());
    v2::Job {
        job_id: id.simple(),
        status: job_status(*state),
        job_type: "GraphManagement",
        job_name: annotations
            .text(JOB_NAME)
            .unwrap_or(kind.as_str())
            .to_owned(),
        related_graph: annotations.text(GRAPH_NAME).unwrap_or_default().to_owned(),
        begin_time: time(started_at.unwrap_or(*created_at)),
        end_time: finished_at.map(time),
        fail_reason: reason.or_else(|| cancelled.then(|| "cancelled on request".to_owned())),
        job_progress: *percent,
    }
}

/// GES's word for the state of a job.
pub(super) fn job_status(state: OperationState) -> &'static str {
    match state {
        OperationState::Pending => "pending",
        OperationState::Running => "running",
        OperationState::Succeeded => "success",
        OperationState::Failed | OperationState::Cancelled => "failed",
    }
}

/// The states that a status in a query means; lists call `waiting` what a job calls `pending`.
pub(super) fn job_states(status: &str) -> Vec<OperationState> {
    let status = if status == "waiting" {
        "pending"
    } else {
        status
    };
    let all = OperationState::ALL.iter().copied();
    all.filter(|state| job_status(*state) == status).collect()
}

/// UTC without a zone, to the second.
fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests;
