//! Every parameter of the list of backups.

use axum::http::Method;
use serde_json::Value;
use strongroom_domain::{ResourceKind, resource::Settings};

use strongroom_service::vaults::UpdateVault;

use crate::support::Cbr;

/// Three backups: `one` and `two` of a directory, `disk` of a disk image; and their ids.
async fn story() -> (Cbr, Vec<(String, String)>) {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let image = cbr.app.directory().join("image.raw");
    std::fs::write(&image, [7; 4096]).unwrap();
    let path = image.to_str().unwrap().to_owned();
    let settings = Settings([("path".to_owned(), path)].into());
    let disk = cbr
        .app
        .resource(ResourceKind::Volume, "data disk", settings)
        .await;
    let vault = cbr.vault("v", &[&home]).await;
    let mut ids = vec![
        ("VAULT".to_owned(), vault.clone()),
        ("HOME".to_owned(), home.id.to_string()),
    ];
    for name in ["one", "two"] {
        let id = cbr.checkpoint(&vault, name).await;
        ids.push((format!("CHECKPOINT_{name}"), id));
        cbr.app.work().await;
        cbr.app.clock.advance(jiff::SignedDuration::from_hours(1));
    }
    cbr.app.back_up(&disk).await;
    let all = cbr.get("/backups").await;
    for backup in all["backups"].as_array().unwrap() {
        let text = |name: &str| backup[name].as_str().unwrap().to_owned();
        let name = if text("resource_name") == "home" {
            text("name")
        } else {
            "disk".to_owned()
        };
        ids.push((format!("ID_{name}"), text("id")));
    }
    (cbr, ids)
}

/// The names that a query lists, `disk` for the disk's.
async fn listed(cbr: &Cbr, ids: &[(String, String)], query: &str) -> (Vec<String>, u64) {
    let query = ids.iter().fold(query.to_owned(), |query, (name, id)| {
        query.replace(name, id)
    });
    let (names, count) = cbr.names(&query).await;
    let short = |name: String| {
        if name.starts_with("data disk-") {
            "disk".to_owned()
        } else {
            name
        }
    };
    (names.into_iter().map(short).collect(), count)
}

#[tokio::test]
async fn each_parameter_selects_and_orders_as_documented() {
    let (cbr, ids) = story().await;
    let all: &[&str] = &["disk", "two", "one"];
    for (query, wanted) in [
        ("", all),
        ("unknown=1&name=&status=&vault_id=&marker=", all),
        ("limit=", all),
        ("name=one", &["one"]),
        ("name=on", &[]),
        ("resource_name=home", &["two", "one"]),
        ("resource_name=data%20disk", &["disk"]),
        ("resource_id=HOME", &["two", "one"]),
        ("resource_id=nothing", &[]),
        ("vault_id=VAULT", &["two", "one"]),
        ("checkpoint_id=CHECKPOINT_one", &["one"]),
        ("parent_id=ID_one", &[]),
        ("resource_type=OS::Sfs::Turbo", &["two", "one"]),
        ("resource_type=OS%3A%3ACinder%3A%3AVolume", &["disk"]),
        ("resource_type=OS::Nova::Server", &[]),
        ("resource_type=OS::Workspace::DesktopV2", &[]),
        ("resource_az=local-1a", all),
        ("resource_az=elsewhere", &[]),
        ("image_type=backup", all),
        ("image_type=replication", &[]),
        ("status=available", all),
        ("status=error", &[]),
        ("status=error&status=available", all),
        ("status=waiting_restore", &[]),
        ("start_time=2026-03-01T13:00:00Z", &["disk", "two"]),
        ("end_time=2026-03-01T13:00:00Z", &["two", "one"]),
        (
            "start_time=2026-03-01T12:30:00Z&end_time=2026-03-01T13:30:00Z",
            &["two"],
        ),
        ("own_type=private", all),
        ("own_type=shared", &[]),
        ("own_type=all_granted", all),
        ("member_status=pending", &[]),
        ("used_percent=1", &[]),
        ("enterprise_project_id=0", all),
        ("enterprise_project_id=all_granted_eps", all),
        ("enterprise_project_id=other", &[]),
        ("dec=true&show_replication=true", all),
        ("incremental=true", &["two"]),
        ("incremental=false", &["disk", "one"]),
        ("existed_quantity_based_retention_backups=true", all),
        ("sort=created_at", all),
        ("sort=created_at:asc", &["one", "two", "disk"]),
        ("sort=name:asc", &["disk", "one", "two"]),
        ("sort=name", &["two", "one", "disk"]),
        ("sort=protected_at:asc", &["one", "two", "disk"]),
        ("sort=status:asc,updated_at:asc,id", &["one", "two", "disk"]),
        ("limit=2", &["disk", "two"]),
        ("limit=2&offset=2", &["one"]),
        ("limit=2&offset=3", &[]),
        ("offset=18446744073709551615", &[]),
        ("limit=1&marker=ID_disk", &["two"]),
        ("limit=1&marker=ID_disk&offset=1", &["one"]),
        ("marker=ID_one", &[]),
        ("marker=ID_one&sort=created_at:asc", &["two", "disk"]),
        ("marker=ID_two&sort=name:asc,created_at:desc", &[]),
        ("marker=ID_disk&sort=status:asc,name:asc", &["one", "two"]),
    ] {
        let (names, count) = listed(&cbr, &ids, query).await;
        assert_eq!(names, wanted, "{query}");
        let paged = ["limit", "offset", "marker"]
            .iter()
            .any(|it| query.contains(it));
        let expected = if paged { 3 } else { wanted.len() as u64 };
        assert_eq!(count, expected, "{query}");
    }
}

#[tokio::test]
async fn what_no_parameter_takes_is_refused_by_name() {
    let cbr = Cbr::start().await;
    let long = format!("sort={}", "name,".repeat(60));
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=1001", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("offset=-1", "offset"),
        ("offset=abc", "offset"),
        ("sort=size", "sort"),
        ("sort=name:up", "sort"),
        ("sort=name,,id", "sort"),
        (&*long, "sort"),
        ("marker=nope", "marker"),
        ("marker=0605767b5780d5762fc5c0118072a564", "marker"),
        ("status=broken", "status"),
        ("resource_type=OS::Nova", "resource_type"),
        ("image_type=image", "image_type"),
        ("own_type=mine", "own_type"),
        ("used_percent=0", "used_percent"),
        ("used_percent=101", "used_percent"),
        ("start_time=yesterday", "start_time"),
        ("end_time=2026-13-01T00:00:00Z", "end_time"),
        ("incremental=maybe", "incremental"),
    ] {
        let path = format!("/backups?{query}");
        let (status, code, text) = cbr.refusal(Method::GET, &path, Value::Null).await;
        assert_eq!((status, &*code), (400, "BackupService.9900"), "{query}");
        assert!(
            text.starts_with(&format!("Invalid {name} provided")),
            "{query}: {text}"
        );
    }
}

#[tokio::test]
async fn a_full_vaults_backups_are_found_by_how_full_it_is() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    cbr.checkpoint(&vault, "b").await;
    cbr.app.work().await;
    // The smallest size is far more than a test wants to write.
    let id = vault.parse().unwrap();
    let used = cbr
        .app
        .service
        .vault(&cbr.app.owner, id)
        .await
        .unwrap()
        .used_bytes;
    let change = UpdateVault {
        quota_bytes: Some(used * 2),
        ..UpdateVault::default()
    };
    cbr.app
        .service
        .update_vault(&cbr.app.owner, id, None, change)
        .await
        .unwrap();
    assert_eq!(cbr.names("used_percent=50").await.1, 1);
    assert_eq!(cbr.names("used_percent=51").await.1, 0);
}
