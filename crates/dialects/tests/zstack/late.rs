//! What only a job tells: that a session has ended, or the job's time has run out.

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use strongroom_testkit::TestApp;

use super::{
    actions::listen,
    client::{Client, database, polling, server},
    neighbours::{list, send},
};

const BACKUPS: &str = "/zstack/v1/database-backups";

async fn call(app: &TestApp, method: Method, path: &str, session: &str) -> Value {
    let headers = [("authorization", session), ("host", "backup.example:8080")];
    app.call(method, path, &headers, "{}")
        .await
        .expect(202)
        .json()
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_by_the_job_of_a_call_that_has_one() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let ended = format!("OAuth {}", client.session);
    app.clock.advance(SignedDuration::from_hours(3));
    for session in [ended.as_str(), "OAuth null", "OAuth"] {
        for (method, path) in [
            (Method::POST, BACKUPS),
            (Method::PUT, "/v1/database-backups/actions"),
            (
                Method::DELETE,
                "/v1/scheduler/jobs/b86c9016b4f24953a9edefb53ca0678c",
            ),
        ] {
            let accepted = call(&app, method, path, session).await;
            assert_eq!(accepted["apiTimeout"], 1_800_000);
            let failed = client.poll(&polling(&accepted)).await.expect(503).json();
            assert_eq!(
                failed,
                json!({"error": {
                    "code": "ID.1001",
                    "description": "The session is invalid, either wrong session id or the session has been expired",
                    "details": "Session expired",
                    "causes": [],
                }})
            );
        }
    }
    // Any process can tell, for as long as jobs are kept.
    let accepted = call(&app, Method::POST, BACKUPS, "OAuth x").await;
    let job = polling(&accepted);
    app.clock.advance(SignedDuration::from_hours(3));
    client.poll(&job).await.expect(503);
    app.clock.advance(SignedDuration::from_secs(1));
    let answer = client.poll(&job).await.expect(404);
    assert_eq!(answer.text(), "the job has been expired");
}

#[tokio::test]
async fn what_is_wrong_with_the_headers_is_told_at_once_without_a_session_too() {
    let app = server("x").await;
    for (name, value, status) in [("x-job-uuid", "7", 400), ("x-api-timeout", "soon", 500)] {
        let headers = [("authorization", "OAuth null"), (name, value)];
        app.call(Method::POST, BACKUPS, &headers, "{}")
            .await
            .expect(status);
    }
    app.call(Method::POST, BACKUPS, &[], "{}").await.expect(400);
}

#[tokio::test]
async fn a_job_that_takes_longer_than_its_client_allows_has_failed() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let session = format!("OAuth {}", client.session);
    let storage = app.repository.id.simple();
    let start = async |name: &str, seconds: &str| {
        let body = json!({"params": {"name": name, "backupStorageUuid": storage}});
        let headers = [
            ("authorization", session.as_str()),
            ("host", "backup.example:8080"),
            ("x-api-timeout", seconds),
        ];
        let accepted = app
            .call(Method::POST, BACKUPS, &headers, body.to_string())
            .await;
        accepted.expect(202).json()
    };
    let (short, long, none) = (
        start("short", "60").await,
        start("long", "7200").await,
        start("none", "0").await,
    );
    assert_eq!(short["apiTimeout"], 60_000);
    // The vendor's time for this call.
    assert_eq!(none["apiTimeout"], 43_200_000);
    app.clock.advance(SignedDuration::from_secs(60));
    client.poll(&polling(&short)).await.expect(202);
    app.clock.advance(SignedDuration::from_millis(1));
    let failed = async || client.poll(&polling(&short)).await.expect(503).json();
    let error = failed().await["error"].take();
    assert_eq!(error["code"], "SYS.1001");
    assert_eq!(error["description"], "A message or a operation timeout");
    client.poll(&polling(&long)).await.expect(202);
    app.work().await;
    // It has failed for good, though its work went on.
    assert_eq!(failed().await["error"]["code"], "SYS.1001");
    client.poll(&polling(&long)).await.expect(200);
    client.poll(&polling(&none)).await.expect(200);
    assert_eq!(client.query("count=true").await["total"], 3);
}

#[tokio::test]
async fn the_secret_of_a_new_access_key_is_told_to_who_polls_and_to_no_callback() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let (url, mut told) = listen(Vec::new()).await;
    let background = strongroom_dialects::zstack::DIALECT.background.unwrap();
    let calling = tokio::spawn(background(app.service.clone()));
    let params = json!({
        "accountUuid": app.owner.tenant_id.simple(), "userUuid": app.owner.principal_id.simple(),
    });
    let session = format!("OAuth {}", client.session);
    let headers = [
        ("authorization", session.as_str()),
        ("host", "backup.example:8080"),
        ("x-web-hook", &url),
    ];
    let body = json!({ "params": params }).to_string();
    let accepted = app
        .call(Method::POST, "/zstack/v1/accesskeys", &headers, body)
        .await
        .expect(202)
        .json();
    let polled = client.poll(&polling(&accepted)).await.expect(200).json();
    let (_, body) = told.recv().await.unwrap();
    calling.abort();
    assert_eq!(
        body["inventory"]["AccessKeyID"],
        polled["inventory"]["AccessKeyID"]
    );
    let secret = polled["inventory"]["AccessKeySecret"].as_str().unwrap();
    assert!(!body.to_string().contains(secret), "{body}");
    let listed = list(&client, "/accesskeys").await;
    let listed = json!(listed).to_string();
    assert!(!listed.contains(secret), "{listed}");
}

#[tokio::test]
async fn a_chosen_access_key_has_the_vendors_lengths() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let message = "org.zstack.accessKey.APICreateAccessKeyMsg";
    let long = |field: &str, most: usize, actual: usize| {
        format!(
            "field[{field}] of message[{message}] exceeds max length of string. \
             expected was <= {most}, actual was {actual}"
        )
    };
    let (id, secret) = ("A".repeat(20), "s".repeat(40));
    for (id, secret, details) in [
        (
            "A".repeat(21),
            secret.clone(),
            Some(long("AccessKeyID", 20, 21)),
        ),
        (
            id.clone(),
            "s".repeat(41),
            Some(long("AccessKeySecret", 40, 41)),
        ),
        (id, secret, None),
    ] {
        let params = json!({
            "accountUuid": app.owner.tenant_id.simple(),
            "userUuid": app.owner.principal_id.simple(),
            "AccessKeyID": id, "AccessKeySecret": secret,
        });
        let body = json!({ "params": params });
        let answer = send(&client, Method::POST, "/accesskeys", body).await;
        match details {
            Some(details) => assert_eq!(answer["error"]["details"], details),
            None => assert_eq!(answer["inventory"]["AccessKeyID"], id),
        }
    }
}
