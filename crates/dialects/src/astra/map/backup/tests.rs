//! A backup in every state, as Astra's clients see it.

use serde_json::{Value as Json, json};
use strongroom_domain::{
    BackupId, Face, PolicyId, PrincipalId, ResourceKind, TenantId, Trigger, backup::BackupProgress,
};

use super::*;

fn id(last: u8) -> Uuid {
    Uuid::from_bytes([0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, last])
}

fn backup(state: BackupState) -> Backup {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    Backup {
        id: BackupId::from_uuid(id(1)),
        tenant_id: TenantId::from_uuid(id(2)),
        resource_id: ResourceId::from_uuid(id(3)),
        resource_name: "shop".to_owned(),
        kind: ResourceKind::Kubernetes,
        face: Some(Face::Astra),
        repository_id: RepositoryId::from_uuid(id(4)),
        vault_id: None,
        checkpoint_id: None,
        policy_id: Some(PolicyId::from_uuid(id(5))),
        parent_id: None,
        name: "nightly-1".to_owned(),
        description: None,
        state,
        trigger: Trigger::Schedule,
        scheduled_for: None,
        progress: BackupProgress {
            bytes_done: 30,
            bytes_total: Some(120),
            entries_done: 1,
        },
        source_bytes: None,
        stored_bytes: None,
        entries: None,
        snapshot: None,
        reason: None,
        failed_entries: Vec::new(),
        failed_entry_count: 0,
        created_by: Some(PrincipalId::from_uuid(id(6))),
        labels: Vec::new(),
        annotations: Annotations::default(),
        created_at: at("2026-03-01T12:00:00.305662Z"),
        updated_at: at("2026-03-01T12:00:01.999999Z"),
        started_at: None,
        finished_at: None,
        expires_at: None,
        version: 1,
    }
}

fn shown(backup: &Backup) -> Json {
    serde_json::to_value(app_backup(backup)).unwrap()
}

#[test]
fn a_pending_backup_has_the_documented_fields_and_times_without_fraction() {
    assert_eq!(
        shown(&backup(BackupState::Pending)),
        json!({
            "type": "application/astra-appBackup",
            "version": "1.2",
            "id": "00000000-0000-4000-8000-000000000001",
            "name": "nightly-1",
            "bucketID": "00000000-0000-4000-8000-000000000004",
            "scheduleID": "00000000-0000-4000-8000-000000000005",
            "state": "pending",
            "stateUnready": [],
            "stateDetails": [],
            "totalBytes": 120,
            "bytesDone": 30,
            "percentDone": 25,
            "metadata": {
                "labels": [],
                "creationTimestamp": "2026-03-01T12:00:00Z",
                "modificationTimestamp": "2026-03-01T12:00:01Z",
                "createdBy": "00000000-0000-4000-8000-000000000006"
            }
        })
    );
}

#[test]
fn a_completed_backup_is_at_100_percent_with_all_bytes_done() {
    let mut done = backup(BackupState::Completed);
    done.source_bytes = Some(130);
    done.started_at = Some("2026-03-01T12:00:00.7Z".parse().unwrap());
    let shown = shown(&done);
    assert_eq!(shown["percentDone"], 100);
    assert_eq!(shown["bytesDone"], 130);
    assert_eq!(shown["totalBytes"], 130);
    assert_eq!(shown["hookState"], "success");
    assert_eq!(shown["backupCreationTimestamp"], "2026-03-01T12:00:00Z");
}

#[test]
fn a_partial_backup_failed_and_names_the_entries_it_lacks() {
    let mut partial = backup(BackupState::Partial);
    let entry = |path: &str| FailedEntry {
        path: path.to_owned(),
        phase: "read".to_owned(),
        message: "permission denied".to_owned(),
    };
    partial.failed_entries = vec![entry("etc/shadow"), entry(&"x".repeat(500))];
    partial.failed_entry_count = 7;
    let shown = shown(&partial);
    assert_eq!(shown["state"], "failed");
    assert_eq!(
        shown["stateUnready"][0],
        "etc/shadow: read: permission denied"
    );
    assert_eq!(
        shown["stateUnready"][1].as_str().unwrap().chars().count(),
        127
    );
    assert_eq!(shown["stateUnready"][2], "5 more entries are missing");
}

#[test]
fn every_state_has_one_of_the_vendors_words() {
    let words = [
        "pending",
        "discovering",
        "running",
        "completed",
        "failed",
        "removed",
        "unknown",
        "deleting",
    ];
    for core in BackupState::ALL {
        assert!(words.contains(&state(*core)), "{core}");
    }
}

#[test]
fn the_version_that_the_creator_spoke_is_shown_again() {
    let body = json!({ "type": MEDIA_TYPE, "version": "1.0", "name": "a" });
    let request = create_backup(ResourceId::from_uuid(id(3)), read(body).unwrap()).unwrap();
    let mut made = backup(BackupState::Pending);
    made.annotations = request.annotations;
    assert_eq!(shown(&made)["version"], "1.0");
}

fn read(body: Json) -> Result<wire::CreateAppBackup, serde_json::Error> {
    serde_json::from_value(body)
}

#[test]
fn a_request_with_bad_values_breaks_the_schema_and_says_where() {
    let full = json!({
        "type": MEDIA_TYPE,
        "version": "1.1",
        "name": "ok-1",
        "bucketID": id(4),
        "metadata": { "labels": [{ "name": "team", "value": "blue" }] }
    });
    let app = ResourceId::from_uuid(id(3));
    let request = create_backup(app, read(full.clone()).unwrap()).unwrap();
    assert_eq!(
        request.labels,
        [Label {
            name: "team".into(),
            value: "blue".into()
        }]
    );
    assert_eq!(request.repository_id, Some(RepositoryId::from_uuid(id(4))));
    for (field, bad) in [
        ("type", json!("application/astra-appSnap")),
        ("version", json!("2.0")),
        ("name", json!("Upper")),
        ("name", json!("")),
        ("name", json!("-a")),
        ("name", json!("a".repeat(64))),
        ("bucketID", json!("nope")),
        ("snapshotID", json!("nope")),
    ] {
        let mut body = full.clone();
        body[field] = bad.clone();
        match create_backup(app, read(body).unwrap()) {
            Err(Error::Schema(error)) => assert_eq!(error.field, field),
            other => panic!("{field} = {bad}: {other:?}"),
        }
    }
    for (field, wrong) in [
        ("name", json!(5)),
        ("metadata", json!([])),
        ("extra", json!(1)),
    ] {
        let mut body = full.clone();
        body[field] = wrong;
        assert!(read(body).is_err(), "{field}");
    }
}

fn pushed(query: &str) -> Option<Filter<BackupField>> {
    let pairs = strongroom_http::extract::pairs(query).unwrap();
    backup_filter(&ListQuery::parse(&pairs).unwrap()).map(|(filter, _)| filter)
}

#[test]
fn filters_about_columns_go_to_the_store() {
    let failed = ["partial", "failed", "cancelled"].map(|it| Value::Text(it.to_owned()));
    assert_eq!(
        pushed("filter=state+eq+'failed'"),
        Some(Filter::All(vec![Filter::In(
            BackupField::State,
            failed.to_vec()
        )]))
    );
    let second = |text: &str| Value::Time(text.parse().unwrap());
    assert_eq!(
        pushed("filter=metadata.creationTimestamp+gt+'2026-03-01T12:00:00Z'"),
        Some(Filter::All(vec![Filter::Compare(
            BackupField::CreatedAt,
            Op::Ge,
            second("2026-03-01T12:00:01Z")
        )])),
        "what is shown as the same second is not greater"
    );
    assert_eq!(
        pushed("filter=id+eq+'nonsense'"),
        Some(Filter::All(vec![Filter::Any(Vec::new())])),
        "no backup has that id"
    );
    assert_eq!(
        pushed("filter=percentDone+gt+'5'"),
        None,
        "the store has no such column"
    );
    assert_eq!(
        pushed("orderBy=state"),
        None,
        "the vendor's words sort otherwise"
    );
}
