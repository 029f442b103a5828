//! The vendor's example of a list, field by field.

use serde_json::{Value, json};

use crate::support::Cbr;

/// A backup as in the vendor's example.
fn example() -> Value {
    json!({
        "children": [],
        "checkpoint_id": "e6aec7a9-7b03-4c1d-8a07-5983b53c53f3",
        "created_at": "2020-08-18T06:00:45.375070",
        "description": null,
        "expired_at": null,
        "extend_info": {
            "app_consistency": {
                "app_consistency": "0",
                "app_consistency_status": "0",
                "app_consistency_error_code": "0",
                "app_consistency_error_message": "",
            },
            "auto_trigger": true,
            "bootable": null,
            "os_images_data": null,
            "progress": null,
            "snapshot_id": null,
            "support_lld": false,
            "supported_restore_mode": "backup",
            "system_disk": false,
            "contain_system_disk": true,
            "architecture": "x86_64",
        },
        "id": "62617971-839d-4d23-8dfd-4ca65c039bdf",
        "image_type": "backup",
        "name": "autobk_cf91_0003",
        "parent_id": null,
        "project_id": "0605767b5780d5762fc5c0118072a564",
        "protected_at": "2020-08-18T06:01:10.432117",
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66",
        "resource_az": "br-iaas-odin1a",
        "resource_id": "d6bf7592-ca52-43a2-9979-e418d64b29bb",
        "resource_name": "xzl_ecs-0003-0001",
        "resource_size": 40,
        "resource_type": "OS::Nova::Server",
        "status": "available",
        "updated_at": "2020-08-18T06:06:44.928325",
        "vault_id": "1572bd27-e221-4f28-94ca-9777d232fcd7",
        "replication_records": [],
    })
}

/// What else the vendor's newer answers have.
const NEWER: [&str; 4] = [
    "enterprise_project_id",
    "incremental",
    "scheduled_operation_id",
    "version",
];
const NEWER_INFO: [&str; 4] = ["encrypted", "encrypted_algorithm", "is_dec", "is_multi_az"];

/// Every field of `wanted` is in `found`, with a value of the same type and shape.
fn same_shape(path: &str, wanted: &Value, found: &Value, newer: &[&str]) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                let path = format!("{path}.{name}");
                let inner = found
                    .get(name)
                    .unwrap_or_else(|| panic!("{path} is missing"));
                same_shape(&path, value, inner, &NEWER_INFO);
            }
            let more = found.keys().filter(|it| !wanted.contains_key(*it));
            for name in more {
                assert!(newer.contains(&name.as_str()), "{path}.{name} is new");
            }
        }
        (Value::String(wanted), Value::String(found)) => {
            let shape = |text: &str| -> String {
                text.chars()
                    .map(|c| if c.is_ascii_digit() { '0' } else { c })
                    .collect()
            };
            if path.ends_with("_at") {
                assert_eq!(shape(found), shape(wanted), "{path}");
            }
            if path.ends_with("id") {
                assert_eq!(found.len(), wanted.len(), "{path}");
            }
        }
        // Where the example is empty, any value may be, and only there nothing.
        (Value::Null, _) => {}
        (wanted, found) => {
            let kind = |it: &Value| std::mem::discriminant(it);
            assert_eq!(kind(found), kind(wanted), "{path}: {found}");
        }
    }
}

#[tokio::test]
async fn a_listed_backup_has_every_field_of_the_vendors_example_with_its_type() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    cbr.checkpoint(&vault, "manualbk_cf91").await;
    cbr.app.work().await;
    let listed = cbr.get("/backups?limit=100&offset=0").await;
    assert_eq!(listed["count"], 1);
    assert_eq!(
        (&listed["limit"], &listed["offset"]),
        (&json!(100), &json!(0))
    );
    let backup = &listed["backups"][0];
    same_shape("backup", &example(), backup, &NEWER);
    assert_eq!(backup["status"], "available");
    assert_eq!(backup["resource_type"], "OS::Sfs::Turbo");
    assert_eq!(backup["resource_size"], 1);
    assert_eq!(backup["created_at"], "2026-03-01T12:00:00.000000");
}

#[tokio::test]
async fn a_shown_backup_is_the_listed_one() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    cbr.checkpoint(&vault, "b").await;
    let waiting = cbr.get("/backups?status=waiting_protect").await;
    assert_eq!(waiting["count"], 1);
    cbr.app.work().await;
    let listed = cbr.get("/backups").await["backups"][0].clone();
    let id = listed["id"].as_str().unwrap();
    let shown = cbr.get(&format!("/backups/{id}")).await;
    assert_eq!(shown, json!({"backup": listed}));
}

#[tokio::test]
async fn a_checkpoints_resources_have_their_numbers_as_text() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    let id = cbr.checkpoint(&vault, "b").await;
    cbr.app.work().await;
    let shown = cbr.get(&format!("/checkpoints/{id}")).await;
    let checkpoint = &shown["checkpoint"];
    assert_eq!(checkpoint["status"], "available");
    let expected = json!({
        "auto_protect": "True",
        "backup_count": "1",
        "backup_size": "1",
        "extra_info": "{}",
        "id": home.id.to_string(),
        "name": "home",
        "protect_status": "available",
        "resource_size": "1",
        "type": "OS::Sfs::Turbo",
    });
    assert_eq!(checkpoint["vault"]["resources"], json!([expected]));
    assert_eq!(checkpoint["extra_info"]["retention_duration"], -1);
}
