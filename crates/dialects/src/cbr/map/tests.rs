//! The vendor's example, and every state's word.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};
use strongroom_domain::{
    Annotations, Backup, BackupState, Face, ResourceKind, Trigger, backup::BackupProgress,
    backup::FailedEntry,
};

use super::*;

/// What the core would know of the backup in the vendor's example.
fn example() -> Backup {
    Backup {
        id: "62617971-839d-4d23-8dfd-4ca65c039bdf".parse().unwrap(),
        tenant_id: "0605767b5780d5762fc5c0118072a564".parse().unwrap(),
        resource_id: "d6bf7592-ca52-43a2-9979-e418d64b29bb".parse().unwrap(),
        resource_name: "xzl_ecs-0003-0001".to_owned(),
        kind: ResourceKind::Server,
        face: Some(Face::Cbr),
        repository_id: "1572bd27-e221-4f28-94ca-9777d232fcd7".parse().unwrap(),
        vault_id: "1572bd27-e221-4f28-94ca-9777d232fcd7".parse().ok(),
        checkpoint_id: "e6aec7a9-7b03-4c1d-8a07-5983b53c53f3".parse().ok(),
        policy_id: "6b4a2f5e-2b0f-4c5a-9d7b-3c1b8c8f0a11".parse().ok(),
        parent_id: "c892ed58-3a18-47c2-9e31-a1d543dc490a".parse().ok(),
        name: "autobk_cf91_0003".to_owned(),
        description: None,
        state: BackupState::Completed,
        trigger: Trigger::Schedule,
        scheduled_for: "2020-08-18T06:00:00Z".parse().ok(),
        progress: BackupProgress::default(),
        source_bytes: Some(40 << 30),
        stored_bytes: Some(1 << 30),
        entries: Some(1),
        snapshot: Some("ab".repeat(32)),
        reason: None,
        failed_entries: Vec::new(),
        failed_entry_count: 0,
        created_by: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
        created_at: "2020-08-18T06:00:45.375070Z".parse().unwrap(),
        updated_at: "2020-08-18T06:06:44.928325Z".parse().unwrap(),
        started_at: "2020-08-18T06:01:10.432117Z".parse().ok(),
        finished_at: "2020-08-18T06:06:44.928325Z".parse().ok(),
        expires_at: None,
        version: 4,
    }
}

fn shown(it: &Backup) -> Value {
    serde_json::to_value(backup(it, &HashSet::new())).unwrap()
}

#[test]
fn the_vendors_example_of_a_servers_backup_is_reproduced() {
    let expected = json!({
        "children": [],
        "checkpoint_id": "e6aec7a9-7b03-4c1d-8a07-5983b53c53f3",
        "created_at": "2020-08-18T06:00:45.375070",
        "description": null,
        "enterprise_project_id": "0",
        "expired_at": null,
        "extend_info": {
            "app_consistency": {
                "app_consistency": "0",
                "app_consistency_status": "0",
                "app_consistency_error_code": "0",
                "app_consistency_error_message": "",
            },
            "architecture": std::env::consts::ARCH,
            "auto_trigger": true,
            "bootable": null,
            "contain_system_disk": true,
            "encrypted": false,
            "encrypted_algorithm": null,
            "is_dec": false,
            "is_multi_az": false,
            "os_images_data": null,
            "progress": null,
            "snapshot_id": null,
            "support_lld": false,
            "supported_restore_mode": "backup",
            "system_disk": false,
        },
        "id": "62617971-839d-4d23-8dfd-4ca65c039bdf",
        "image_type": "backup",
        "incremental": true,
        "name": "autobk_cf91_0003",
        "parent_id": null,
        "project_id": "0605767b5780d5762fc5c0118072a564",
        "protected_at": "2020-08-18T06:01:10.432117",
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66",
        "replication_records": [],
        "resource_az": "local-1a",
        "resource_id": "d6bf7592-ca52-43a2-9979-e418d64b29bb",
        "resource_name": "xzl_ecs-0003-0001",
        "resource_size": 40,
        "resource_type": "OS::Nova::Server",
        "scheduled_operation_id": "6b4a2f5e-2b0f-4c5a-9d7b-3c1b8c8f0a11",
        "status": "available",
        "updated_at": "2020-08-18T06:06:44.928325",
        "vault_id": "1572bd27-e221-4f28-94ca-9777d232fcd7",
        "version": 3,
    });
    assert_eq!(shown(&example()), expected);
}

#[test]
fn a_disks_backup_has_no_application_to_be_consistent_and_a_progress() {
    let disk = Backup {
        kind: ResourceKind::Volume,
        ..example()
    };
    let shown = shown(&disk);
    assert_eq!(shown["extend_info"]["app_consistency"], Value::Null);
    assert_eq!(shown["extend_info"]["progress"], 100);
    assert_eq!(shown["extend_info"]["contain_system_disk"], false);
    assert_eq!(shown["resource_type"], "OS::Cinder::Volume");
    assert_eq!(shown["provider_id"], "d1603440-187d-4516-af25-121250c7cc97");
}

#[test]
fn a_partial_backup_names_what_it_lacks() {
    let partial = Backup {
        state: BackupState::Partial,
        failed_entries: vec![FailedEntry {
            path: "etc/shadow".to_owned(),
            phase: "open".to_owned(),
            message: "permission denied".to_owned(),
        }],
        failed_entry_count: 3,
        ..example()
    };
    let shown = shown(&partial);
    let consistency = &shown["extend_info"]["app_consistency"];
    let message = consistency["app_consistency_error_message"]
        .as_str()
        .unwrap();
    assert_eq!(
        message,
        "3 entries are missing, first `etc/shadow`: permission denied"
    );
    assert_eq!(shown["status"], "available");
}

#[test]
fn every_state_has_a_status_of_the_vendors_and_a_filter_finds_it_again() {
    let mut seen = BTreeSet::new();
    for &state in BackupState::ALL {
        for restoring in [false, true] {
            let it = Backup { state, ..example() };
            let ids: HashSet<_> = restoring.then_some(it.id).into_iter().collect();
            let status = backup(&it, &ids).status;
            seen.insert(status);
            for wanted in ["available", "restoring", "error", "protecting", "deleting"] {
                let query = crate::cbr::page::ListBackups {
                    status: vec![wanted.to_owned()],
                    ..Default::default()
                };
                let filter = backup_query(query).unwrap().filter(&ids, None);
                let found = filter.matches(&|field| cell(&it, *field));
                assert_eq!(
                    found,
                    status == wanted,
                    "{state} as {status}, asked {wanted}"
                );
            }
        }
    }
    let expected = [
        "available",
        "deleting",
        "error",
        "protecting",
        "restoring",
        "waiting_protect",
    ];
    assert!(seen.into_iter().eq(expected));
}

fn cell(
    it: &Backup,
    field: strongroom_domain::query::BackupField,
) -> Option<strongroom_domain::query::Value> {
    use strongroom_domain::query::BackupField as F;
    match field {
        F::Id => Some(it.id.uuid().into()),
        F::Face => it.face.map(|face| face.as_str().into()),
        F::State => Some(it.state.as_str().into()),
        _ => None,
    }
}
