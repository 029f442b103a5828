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
