//! A backup's life as the native API shows it.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_http::v1::wire::{Backup, BackupAccepted, List, RestoreAccepted};
use strongroom_testkit::TestApp;

#[tokio::test]
async fn a_backup_is_taken_listed_browsed_and_restored() {
    let app = TestApp::start().await;
    let resource = app
        .files_with("documents", &[("a.txt", b"one"), ("sub/b.txt", b"two")])
        .await;
    let body = json!({"resource_id": resource.id, "name": "first"});
    let accepted = app
        .native(Method::POST, "/api/v1/backups", body)
        .await
        .expect(202);
    let operation = accepted.header("location").to_owned();
    let made: BackupAccepted = accepted.read();
    assert_eq!(
        operation,
        format!("/api/v1/operations/{}", made.operation.id)
    );
    assert_eq!(made.backup.state.as_str(), "pending");

    app.work().await;
    let operation = app
        .native(Method::GET, &operation, Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(operation["state"], "succeeded");
    assert_eq!(operation["percent"], 100);
    assert_eq!(
        operation["subject"],
        json!({"type": "backup", "id": made.backup.id})
    );

    let listed: List<Backup> = app
        .native(Method::GET, "/api/v1/backups?total=true", Value::Null)
        .await
        .expect(200)
        .read();
    assert_eq!(listed.total, Some(1));
    assert_eq!(listed.items[0].state.as_str(), "completed");
    assert_eq!(listed.items[0].source_bytes, Some(6));
    assert_eq!(listed.items[0].progress.percent, Some(100));

    let path = format!("/api/v1/backups/{}/entries", made.backup.id);
    let root = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(200)
        .json();
    let names: Vec<_> = root["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["path"])
        .collect();
    assert!(!names.is_empty(), "{root}");

    let target = app.directory().join("restored");
    let body = json!({
        "backup_id": made.backup.id,
        "target": {"type": "directory", "path": target.to_str().unwrap()},
    });
    let restore: RestoreAccepted = app
        .native(Method::POST, "/api/v1/restores", body)
        .await
        .expect(202)
        .read();
    app.work().await;
    let path = format!("/api/v1/restores/{}", restore.restore.id);
    let restore = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(restore["state"], "completed", "{restore}");
    assert_eq!(restore["progress"]["percent"], 100);
}

#[tokio::test]
async fn a_pending_backup_is_cancelled_and_then_deleted() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[("a.txt", b"one")]).await;
    let (backup, _) = app.request(&resource).await;
    let path = format!("/api/v1/backups/{}", backup.id);
    app.native(Method::POST, &format!("{path}/cancel"), Value::Null)
        .await
        .expect(202);
    app.work().await;
    let shown = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(shown["state"], "cancelled");
    app.native(Method::DELETE, &path, Value::Null)
        .await
        .expect(202);
    app.work().await;
    app.native(Method::GET, &path, Value::Null)
        .await
        .expect(404);
}

#[tokio::test]
async fn pages_by_cursor_show_every_backup_once() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[("a.txt", b"one")]).await;
    for _ in 0..5 {
        app.back_up(&resource).await;
    }
    let mut path = "/api/v1/backups?limit=2&sort=created_at".to_owned();
    let mut seen = Vec::new();
    loop {
        let page: List<Backup> = app
            .native(Method::GET, &path, Value::Null)
            .await
            .expect(200)
            .read();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|it| it.id));
        match page.next {
            Some(next) => path = format!("/api/v1/backups?limit=2&sort=created_at&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let app = TestApp::start().await;
    let one = app.files_with("one", &[("a", b"1")]).await;
    let two = app.files_with("two", &[("a", b"2")]).await;
    app.back_up(&one).await;
    app.request(&two).await;
    for (filter, expected) in [
        ("state=completed".to_owned(), 1),
        ("state=completed&state=pending".to_owned(), 2),
        (format!("resource_id={}", two.id), 1),
        ("kind=files&face=cbr".to_owned(), 2),
        ("kind=graph".to_owned(), 0),
        ("name_contains=two".to_owned(), 1),
        ("created_before=2020-01-01T00:00:00Z".to_owned(), 0),
        (
            "created_from=2020-01-01T00:00:00%2B02:00&trigger=manual".to_owned(),
            2,
        ),
    ] {
        let path = format!("/api/v1/backups?total=true&{filter}");
        let json = app
            .native(Method::GET, &path, Value::Null)
            .await
            .expect(200)
            .json();
        assert_eq!(json["total"], expected, "{filter}");
        assert_eq!(
            json["items"].as_array().unwrap().len(),
            expected,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn restores_are_filtered_like_backups() {
    let app = TestApp::start().await;
    let (one, two) = (
        app.files_with("one", &[("a", b"1")]).await,
        app.files_with("two", &[("a", b"2")]).await,
    );
    let (first, second) = (app.back_up(&one).await, app.back_up(&two).await);
    let restore = async |backup: &str| {
        let body = json!({"backup_id": backup, "target": {"type": "original"}});
        app.native(Method::POST, "/api/v1/restores", body)
            .await
            .expect(202);
    };
    restore(&first.id.to_string()).await;
    app.work().await;
    restore(&second.id.to_string()).await;
    for (filter, expected) in [
        (String::new(), 2),
        ("state=completed".to_owned(), 1),
        ("state=completed&state=pending".to_owned(), 2),
        ("state=failed".to_owned(), 0),
        (format!("backup_id={}", first.id), 1),
        (format!("resource_id={}&state=pending", two.id), 1),
        (format!("resource_id={}&state=pending", one.id), 0),
        ("created_before=2020-01-01T00:00:00Z".to_owned(), 0),
        ("created_from=2020-01-01T00:00:00Z&sort=state".to_owned(), 2),
    ] {
        let path = format!("/api/v1/restores?total=true&{filter}");
        let json = app
            .native(Method::GET, &path, Value::Null)
            .await
            .expect(200)
            .json();
        assert_eq!(json["total"], expected, "{filter}");
        assert_eq!(
            json["items"].as_array().unwrap().len(),
            expected,
            "{filter}"
        );
    }
    let path = "/api/v1/restores?sort=percent";
    app.native(Method::GET, path, Value::Null).await.expect(400);
}
