//! Which status an answer has, and what stands in an error.

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    bad_input::error,
    client::{Client, database, polling, server},
};

const BACKUPS: &str = "/zstack/v1/database-backups";

#[tokio::test]
async fn each_outcome_has_its_status() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let ok = format!("OAuth {}", client.session);
    let storage = app.repository.id.simple();
    let create = json!({"params": {"name": "a", "backupStorageUuid": storage}}).to_string();
    let signed = "ZStack a:b";
    let long_ago = "Sat, 21 Nov 2020 00:59:58 Etc/UTC";
    for (outcome, method, path, headers, body, status) in [
        (
            "done",
            Method::GET,
            BACKUPS,
            vec![("authorization", ok.as_str())],
            "",
            200,
        ),
        (
            "accepted",
            Method::POST,
            BACKUPS,
            vec![("authorization", &ok)],
            create.as_str(),
            202,
        ),
        ("no credential", Method::GET, BACKUPS, vec![], "", 400),
        (
            "a credential of another kind",
            Method::GET,
            BACKUPS,
            vec![("authorization", "Basic x")],
            "",
            400,
        ),
        (
            "a header that is wrong",
            Method::POST,
            BACKUPS,
            vec![("authorization", &ok), ("x-job-uuid", "x")],
            "{}",
            400,
        ),
        (
            "a query that cannot be read",
            Method::GET,
            "/v1/database-backups?q=x",
            vec![("authorization", &ok)],
            "",
            400,
        ),
        (
            "a signature of long ago",
            Method::GET,
            BACKUPS,
            vec![("authorization", signed), ("date", long_ago)],
            "",
            403,
        ),
        (
            "no such path",
            Method::GET,
            "/zstack/v1/nothing",
            vec![("authorization", &ok)],
            "",
            404,
        ),
        (
            "no such job",
            Method::GET,
            "/v1/api-jobs/742a7c7d4a4f4a01a206632a40ac414f",
            vec![],
            "",
            404,
        ),
        (
            "a verb that polls do not have",
            Method::PUT,
            "/v1/api-jobs/742a7c7d4a4f4a01a206632a40ac414f",
            vec![],
            "",
            405,
        ),
        (
            "a body that cannot be read",
            Method::POST,
            BACKUPS,
            vec![("authorization", &ok)],
            "{",
            500,
        ),
        (
            "a call that fails",
            Method::GET,
            "/v1/database-backups?q=foo=1",
            vec![("authorization", &ok)],
            "",
            503,
        ),
        (
            "a session that is none",
            Method::GET,
            BACKUPS,
            vec![("authorization", "OAuth x")],
            "",
            503,
        ),
    ] {
        let answer = app.call(method, path, &headers, body.to_owned()).await;
        assert_eq!(answer.status.as_u16(), status, "{outcome}: {answer:?}");
        let json = matches!(status, 200 | 202 | 503);
        let kind = if json {
            "application/json"
        } else {
            "text/plain"
        };
        let told = answer.header("content-type");
        assert_eq!(told, format!("{kind};charset=utf-8"), "{outcome}");
        assert!(!answer.text().is_empty(), "{outcome}");
    }
}

#[tokio::test]
async fn a_job_is_running_then_done_or_failed() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let job = client
        .create(&json!({"name": "a", "backupStorageUuid": storage}))
        .await;
    assert_eq!(client.poll(&job).await.expect(202).text(), "{}");
    app.work().await;
    client.poll(&job).await.expect(200);
    let job = client.create(&json!({})).await;
    error(&client.poll(&job).await.expect(503).json());
}

#[tokio::test]
async fn each_code_has_its_description() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let unknown = "742a7c7d4a4f4a01a206632a40ac414f";
    let storage = app.repository.id.simple();
    let job = async |params: Value| {
        let job = client.create(&params).await;
        client.poll(&job).await.expect(503).json()
    };
    let get = async |path: &str| client.get(path).await.expect(503).json();
    let login = json!({"logInByAccount": {"accountName": "nobody", "password": "x"}});
    let path = "/v1/accounts/login";
    let refused = app.call(Method::PUT, path, &[], login.to_string()).await;
    let session = app
        .call(Method::GET, BACKUPS, &[("authorization", "OAuth x")], "")
        .await;
    for (answer, code, description) in [
        (
            get("/v1/database-backups?q=foo=1").await,
            "SYS.1000",
            "An internal error happened in system",
        ),
        (
            job(json!({"name": "a", "backupStorageUuid": unknown})).await,
            "SYS.1003",
            "A resource can not be found",
        ),
        (
            job(json!({"name": "a", "backupStorageUuid": storage})).await,
            "SYS.1006",
            "An operation failed",
        ),
        (
            get("/v1/database-backups?filterName=x").await,
            "SYS.1007",
            "One or more API argument is invalid",
        ),
        (
            refused.expect(503).json(),
            "ID.1000",
            "Unable to authenticate a user",
        ),
        (
            session.expect(503).json(),
            "ID.1001",
            "The session is invalid, either wrong session id or the session has been expired",
        ),
        (
            get("/v1/zql?zql=search%20%27x%27").await,
            "SEARCH.1000",
            "Search module disabled",
        ),
    ] {
        assert_eq!(error(&answer).0, code);
        assert_eq!(answer["error"]["description"], description, "{code}");
    }
}

#[tokio::test]
async fn details_have_4096_characters_at_most() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let path = format!("{BACKUPS}?q={}=1", "x".repeat(5000));
    let (_, details) = error(&client.get(&path).await.expect(503).json());
    assert_eq!(details.chars().count(), 4096);
    assert!(details.starts_with("inventory class[class "), "{details}");
}

/// All but a missing session: nothing is written for those who have none.
#[tokio::test]
async fn what_is_wrong_with_a_call_that_takes_its_time_is_told_by_its_job() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let unknown = format!("{BACKUPS}/742a7c7d4a4f4a01a206632a40ac414f/actions");
    for (method, path, body) in [
        (Method::POST, BACKUPS, json!({"params": {"name": " "}})),
        (
            Method::DELETE,
            "/zstack/v1/database-backups/short",
            Value::Null,
        ),
        (
            Method::PUT,
            unknown.as_str(),
            json!({"syncDatabaseBackupFromImageStoreBackupStorage": {}}),
        ),
    ] {
        let accepted = client.call(method, path, &body).await.expect(202).json();
        let failed = client.poll(&polling(&accepted)).await.expect(503).json();
        error(&failed);
    }
}
