//! Backups and jobs in both versions, field by field.

use serde_json::{Value, json};
use strongroom_domain::{
    BackupId, Face, OperationId, PrincipalId, RepositoryId, ResourceKind, TenantId,
    backup::BackupProgress,
    operation::{OperationError, OperationKind},
    resource::Settings,
};
use uuid::Uuid;

use super::*;
use crate::ges::wire::v1;

fn id(last: u8) -> Uuid {
    Uuid::from_bytes([0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, last])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn resource() -> Resource {
    Resource {
        id: ResourceId::from_uuid(id(3)),
        tenant_id: TenantId::from_uuid(id(2)),
        kind: ResourceKind::Graph,
        face: Some(Face::Ges),
        name: "people".to_owned(),
        settings: Settings::default(),
        size_bytes: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
        created_at: at("2026-03-01T12:00:00Z"),
        updated_at: at("2026-03-01T12:00:00Z"),
        deleted_at: None,
        version: 1,
    }
}

fn core_backup(state: BackupState) -> Backup {
    Backup {
        id: BackupId::from_uuid(id(1)),
        tenant_id: TenantId::from_uuid(id(2)),
        resource_id: ResourceId::from_uuid(id(3)),
        resource_name: "people".to_owned(),
        kind: ResourceKind::Graph,
        face: Some(Face::Ges),
        repository_id: RepositoryId::from_uuid(id(4)),
        vault_id: None,
        checkpoint_id: None,
        policy_id: None,
        parent_id: None,
        name: "people-20260301120000".to_owned(),
        description: None,
        state,
        trigger: Trigger::Manual,
        scheduled_for: None,
        progress: BackupProgress::default(),
        source_bytes: Some(MEGABYTE + 1),
        stored_bytes: None,
        entries: None,
        snapshot: None,
        reason: None,
        failed_entries: Vec::new(),
        failed_entry_count: 0,
        created_by: Some(PrincipalId::from_uuid(id(6))),
        labels: Vec::new(),
        annotations: Annotations::default(),
        created_at: at("2026-03-01T12:00:00Z"),
        updated_at: at("2026-03-01T12:00:00Z"),
        started_at: Some(at("2026-03-01T12:00:01.9Z")),
        finished_at: Some(at("2026-03-01T12:00:56.2Z")),
        expires_at: None,
        version: 1,
    }
}

fn graphs(resource: Resource) -> BTreeMap<ResourceId, Resource> {
    BTreeMap::from([(resource.id, resource)])
}

#[test]
fn a_finished_backup_has_every_field_with_its_type_in_both_versions() {
    let shown = backup(&core_backup(BackupState::Completed), &graphs(resource()));
    let v2 = json!({
        "id": "00000000-0000-4000-8000-000000000001",
        "name": "people-20260301120000",
        "backup_method": "manual",
        "graph_id": "00000000-0000-4000-8000-000000000003",
        "graph_name": "people",
        "graph_status": "200",
        "graph_size_type_index": "1",
        "data_store_version": env!("CARGO_PKG_VERSION"),
        "arch": std::env::consts::ARCH,
        "status": "success",
        "start_timestamp": 1_772_366_401_000_u64,
        "start_time": "2026-03-01T12:00:01",
        "end_timestamp": 1_772_366_456_000_u64,
        "end_time": "2026-03-01T12:00:56",
        "size": 2,
        "duration": 54,
        "encrypted": true
    });
    assert_eq!(serde_json::to_value(&shown).unwrap(), v2);
    let v1 = json!({
        "id": "00000000-0000-4000-8000-000000000001",
        "name": "people-20260301120000",
        "backupMethod": "manual",
        "graphId": "00000000-0000-4000-8000-000000000003",
        "graph_name": "people",
        "graphName": "people",
        "graphStatus": "200",
        "graphSizeTypeIndex": "1",
        "dataStoreVersion": env!("CARGO_PKG_VERSION"),
        "arch": std::env::consts::ARCH,
        "status": "success",
        "startTimestamp": 1_772_366_401_000_u64,
        "startTime": "2026-03-01T12:00:01",
        "endTimestamp": 1_772_366_456_000_u64,
        "endTime": "2026-03-01T12:00:56",
        "size": 2,
        "duration": 54,
        "encrypted": true
    });
    assert_eq!(serde_json::to_value(v1::Backup::from(shown)).unwrap(), v1);
}

#[test]
fn a_running_backup_has_no_end() {
    let mut running = core_backup(BackupState::Running);
    running.finished_at = None;
    let shown = serde_json::to_value(backup(&running, &graphs(resource()))).unwrap();
    assert_eq!(shown["status"], "backing_up");
    assert_eq!(
        (&shown["end_timestamp"], &shown["end_time"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!((&shown["size"], &shown["duration"]), (&json!(0), &json!(0)));
}

#[test]
fn a_backup_of_a_graph_that_is_gone_says_so_and_an_automatic_one_is_auto() {
    let mut gone = resource();
    gone.deleted_at = Some(gone.created_at);
    let mut automatic = core_backup(BackupState::Completed);
    automatic.trigger = Trigger::Schedule;
    let shown = backup(&automatic, &graphs(gone));
    assert_eq!((shown.graph_status, shown.backup_method), ("400", "auto"));
    assert_eq!(backup(&automatic, &BTreeMap::new()).graph_status, "400");
}

#[test]
fn every_state_of_a_backup_has_one_of_the_vendors_words() {
    for state in BackupState::ALL {
        assert!(
            ["backing_up", "success", "failed"].contains(&status(*state)),
            "{state}"
        );
        assert_eq!(
            status(*state) == "success",
            *state == BackupState::Completed,
            "{state}"
        );
    }
}

#[test]
fn a_job_is_flat_and_says_why_it_failed() {
    let graph = ResourceId::from_uuid(id(3));
    let operation = Operation {
        id: OperationId::from_uuid(id(9)),
        tenant_id: TenantId::from_uuid(id(2)),
        kind: OperationKind::Backup,
        face: Some(Face::Ges),
        subject: None,
        state: OperationState::Failed,
        percent: 40,
        error: Some(OperationError {
            code: "unavailable".into(),
            message: "no answer".into(),
        }),
        annotations: job_annotations(graph, "people", JobName::Backup),
        created_by: None,
        created_at: at("2026-03-01T12:00:00Z"),
        updated_at: at("2026-03-01T12:00:00Z"),
        started_at: None,
        finished_at: Some(at("2026-03-01T12:00:09Z")),
    };
    assert!(is_of_graph(&operation, graph) && is_of_graph_named(&operation, "people"));
    assert!(!is_of_graph(&operation, ResourceId::from_uuid(id(4))));
    let shown = serde_json::to_value(v1::Job::from(job(&operation))).unwrap();
    assert_eq!(
        shown,
        json!({
            "jobId": "00000000000040008000000000000009",
            "status": "failed",
            "jobType": "GraphManagement",
            "jobName": "BackupGraph",
            "relatedGraph": "people",
            "beginTime": "2026-03-01T12:00:00",
            "endTime": "2026-03-01T12:00:09",
            "failReason": "no answer",
            "jobProgress": 40
        })
    );
}

#[test]
fn a_status_in_a_query_means_all_states_with_that_word() {
    assert_eq!(job_states("waiting"), [OperationState::Pending]);
    assert_eq!(
        job_states("failed"),
        [OperationState::Failed, OperationState::Cancelled]
    );
    assert_eq!(job_states("nonsense"), []);
}
