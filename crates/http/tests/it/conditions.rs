//! `ETag`, `If-Match`, `If-None-Match`.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_testkit::TestApp;

#[tokio::test]
async fn a_change_of_something_else_than_was_read_is_refused() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[]).await;
    let path = format!("/api/v1/resources/{}", resource.id);
    let read = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(200);
    let tag = read.header("etag").to_owned();
    let bearer = format!("Bearer {}", app.token());
    let conditional = async |method, tag: &str, body: Value| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        app.call(method, &path, &headers, body.to_string()).await
    };

    let renamed = conditional(Method::PATCH, &tag, json!({"name": "papers"}))
        .await
        .expect(200);
    assert_ne!(renamed.header("etag"), tag);
    assert_eq!(renamed.json()["name"], "papers");
    let late = conditional(Method::PATCH, &tag, json!({"name": "late"}))
        .await
        .expect(412);
    assert_eq!(late.json()["code"], "version_mismatch");
    conditional(Method::DELETE, &tag, Value::Null)
        .await
        .expect(412);
    conditional(Method::PATCH, "\"foreign\"", json!({"name": "late"}))
        .await
        .expect(412);
    conditional(Method::PATCH, "no quotes", json!({"name": "late"}))
        .await
        .expect(400);
    conditional(Method::PATCH, "*", json!({"labels": []}))
        .await
        .expect(200);
    let tag = app
        .native(Method::GET, &path, Value::Null)
        .await
        .header("etag")
        .to_owned();
    conditional(Method::DELETE, &tag, Value::Null)
        .await
        .expect(204);
    app.native(Method::GET, &path, Value::Null)
        .await
        .expect(404);
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let app = TestApp::start().await;
    let path = format!("/api/v1/repositories/{}", app.repository.id);
    let read = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(200);
    let bearer = format!("Bearer {}", app.token());
    let headers = [
        ("authorization", bearer.as_str()),
        ("if-none-match", read.header("etag")),
    ];
    let again = app.call(Method::GET, &path, &headers, "").await.expect(304);
    assert!(again.body.is_empty());
    assert_eq!(again.header("etag"), read.header("etag"));
}

/// Two clients have read the same version and both change it: one of them learns that it is late.
async fn race(app: &TestApp, path: &str, method: Method, one: Value, two: Value) {
    let read = app.native(Method::GET, path, Value::Null).await.expect(200);
    let (bearer, tag) = (format!("Bearer {}", app.token()), read.header("etag"));
    let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
    let send = async |body: Value| {
        let method = if body.is_null() {
            method.clone()
        } else {
            Method::PATCH
        };
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        app.call(method, path, &headers, body).await.status.as_u16()
    };
    let (one, two) = tokio::join!(send(one), send(two));
    let (won, lost): (Vec<u16>, Vec<u16>) = [one, two]
        .iter()
        .partition(|status| (200..300).contains(*status));
    assert_eq!(won.len(), 1, "{method} {path}: {won:?}, {lost:?}");
    // Whoever comes after a deletion that was done at once finds nothing any more.
    assert!(matches!(lost[..], [412 | 404]), "{method} {path}: {lost:?}");
}

#[tokio::test]
async fn of_two_changes_of_the_same_version_one_is_made() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[("a", b"1")]).await;
    let backup = app.back_up(&resource).await;
    let policy = json!({
        "name": "nightly", "retention": {"last": 7}, "targets": [],
        "schedule": {"recurrences": [{"type": "cron", "rule": "0 2 * * *"}], "zone": "UTC"},
    });
    let vault = json!({"name": "v", "resource_ids": [], "quota_bytes": 1000});
    let repository = json!({"name": "second", "url": "memory:second"});
    let made = async |path: &str, body: Value| {
        let made = app.native(Method::POST, path, body).await.expect(201);
        made.header("location").to_owned()
    };
    let paths = [
        format!("/api/v1/backups/{}", backup.id),
        format!("/api/v1/resources/{}", resource.id),
        made("/api/v1/policies", policy).await,
        made("/api/v1/vaults", vault).await,
        made("/api/v1/repositories", repository).await,
    ];
    for path in &paths {
        let rename = |name: &str| json!({ "name": name });
        race(&app, path, Method::PATCH, rename("one"), rename("two")).await;
    }
    for path in &paths {
        race(
            &app,
            path,
            Method::DELETE,
            json!({"name": "three"}),
            Value::Null,
        )
        .await;
    }
}

#[tokio::test]
async fn members_of_a_vault_change_in_the_version_that_was_read_only() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[]).await;
    let body = json!({"name": "v", "resource_ids": [], "quota_bytes": 1000});
    let made = app
        .native(Method::POST, "/api/v1/vaults", body)
        .await
        .expect(201);
    let (path, read) = (made.header("location"), made.header("etag"));
    let bearer = format!("Bearer {}", app.token());
    let call = async |method, path: &str, tag: &str, body: Value| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        app.call(method, path, &headers, body.to_string()).await
    };
    let (members, body) = (
        format!("{path}/resources"),
        json!({"resource_ids": [resource.id]}),
    );
    let added = call(Method::POST, &members, read, body.clone())
        .await
        .expect(200);
    call(Method::POST, &members, read, body).await.expect(412);
    let one = format!("{members}/{}", resource.id);
    call(Method::DELETE, &one, read, Value::Null)
        .await
        .expect(412);
    call(Method::DELETE, &one, added.header("etag"), Value::Null)
        .await
        .expect(200);
}
