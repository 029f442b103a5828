//! What is wrong with a request is said in ZStack's shape and words, and the next request works.

use axum::http::Method;
use serde_json::{Value, json};

use super::client::{Client, database, hashed, server};

const BACKUPS: &str = "/zstack/v1/database-backups";

/// The error of a failed call: code and details, after checking the rest of its shape.
pub(crate) fn error(answer: &Value) -> (String, String) {
    let error = answer["error"].as_object().unwrap();
    let mut members: Vec<_> = error.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["causes", "code", "description", "details"]);
    assert_eq!(error["causes"], json!([]));
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("code"), text("details"))
}

#[tokio::test]
async fn credentials_that_are_not_good_are_refused() {
    let app = server("x").await;
    let get = async |headers: &[(&str, &str)]| app.call(Method::GET, BACKUPS, headers, "").await;
    for (headers, status, text) in [
        (&[][..], 400, "missing header 'Authorization'"),
        (
            &[("authorization", "Basic abc")],
            400,
            "Authorization type must be 'OAuth'",
        ),
        (
            &[("authorization", "ZStack a:b")],
            400,
            "'Date' must be incuded in request header",
        ),
    ] {
        assert_eq!(get(headers).await.expect(status).text(), text);
    }
    let token = app.token();
    for session in [
        "OAuth",
        "OAuth null",
        "OAuth b86c9016b4f24953a9edefb53ca0678c",
        &format!("OAuth {token}"),
    ] {
        let answer = get(&[("authorization", session)]).await.expect(503).json();
        assert_eq!(
            error(&answer),
            ("ID.1001".to_owned(), "Session expired".to_owned())
        );
    }
}

#[tokio::test]
async fn logins_that_are_not_good_are_refused() {
    let app = server("x").await;
    let name = app.tenant.tenant.name.clone();
    let plain = app.tenant.password.expose();
    let message = "org.zstack.header.identity.APILogInByAccountMsg";
    let missing = format!("field[password] of message[{message}] is mandatory, can not be null");
    let wrong = "wrong account name or password".to_owned();
    for (login, code, details) in [
        (
            json!({"accountName": name, "password": hashed("wrong")}),
            "ID.1000",
            wrong.clone(),
        ),
        (
            json!({"accountName": name, "password": plain}),
            "ID.1000",
            wrong.clone(),
        ),
        (
            json!({"accountName": "nobody", "password": hashed(plain)}),
            "ID.1000",
            wrong,
        ),
        (json!({"accountName": name}), "SYS.1007", missing),
    ] {
        let body = json!({"logInByAccount": login}).to_string();
        let answer = app
            .call(Method::PUT, "/zstack/v1/accounts/login", &[], body)
            .await;
        assert_eq!(
            error(&answer.expect(503).json()),
            (code.to_owned(), details)
        );
    }
    let user = json!({"logInByUser": {
        "accountName": name, "userName": "nobody", "password": hashed(plain),
    }});
    let answer = app
        .call(
            Method::PUT,
            "/v1/accounts/users/login",
            &[],
            user.to_string(),
        )
        .await;
    assert_eq!(
        error(&answer.expect(503).json()),
        (
            "ID.1000".to_owned(),
            "wrong account or username or password".to_owned()
        )
    );
    let answer = app
        .call(Method::PUT, "/v1/accounts/login", &[], "{}")
        .await
        .expect(503)
        .json();
    assert_eq!(error(&answer).0, "SYS.1007");
}

#[tokio::test]
async fn bad_bodies_and_headers_are_refused() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let authorization = format!("OAuth {}", client.session);
    let post = async |header: (&str, &str), body: String| {
        let headers = [("authorization", authorization.as_str()), header];
        app.call(Method::POST, BACKUPS, &headers, body).await
    };
    let none = ("x-none", "");
    for body in [
        "{",
        "[1]",
        r#"{"params": 7}"#,
        r#"{"params": {"name": {}}}"#,
    ] {
        let answer = post(none, body.to_owned()).await.expect(500);
        assert_eq!(answer.header("content-type"), "text/plain;charset=utf-8");
    }
    let text = "Invalid header[X-Job-UUID], it must be a UUID with '-' stripped";
    assert_eq!(
        post(("x-job-uuid", "short"), "{}".into())
            .await
            .expect(400)
            .text(),
        text
    );
    post(("x-api-timeout", "soon"), "{}".into())
        .await
        .expect(500);
    let huge = format!(r#"{{"params": {{"name": "{}"}}}}"#, "x".repeat(2 << 20));
    let answer = post(none, huge).await.expect(413);
    assert_eq!(answer.header("content-type"), "text/plain;charset=utf-8");
    // Scalars of another type are read as text, as the vendor's server does.
    let storage = app.repository.id.simple();
    let body = json!({"params": {"name": 7, "backupStorageUuid": storage, "unknown": {}}});
    post(none, body.to_string()).await.expect(202);
    app.work().await;
    assert_eq!(
        client.query("fields=name").await["inventories"],
        json!([{"name": "7"}])
    );
}

#[tokio::test]
async fn paths_and_verbs_that_are_not_there_are_told_in_text() {
    let app = server("x").await;
    let uuid = "b86c9016b4f24953a9edefb53ca0678c";
    for (method, path, status, text) in [
        (
            Method::GET,
            "/zstack/v1/nothing",
            404,
            "no api mapping to /v1/nothing",
        ),
        (
            Method::GET,
            "/v1/nothing",
            404,
            "no api mapping to /v1/nothing",
        ),
        (
            Method::DELETE,
            "/zstack/v1/database-backups",
            500,
            "No delete API found for the path[/v1/database-backups]",
        ),
        (
            Method::POST,
            "/zstack/v1/accounts/login",
            500,
            "No creational API found for the path[/v1/accounts/login]",
        ),
        (
            Method::GET,
            "/zstack/v1/accounts/login",
            500,
            "No query API found for the path[/v1/accounts/login]",
        ),
        (
            Method::PUT,
            "/zstack/v1/backup-storage",
            400,
            "the body doesn't contain action mapping to the URL[/v1/backup-storage]",
        ),
    ] {
        let answer = app.call(method.clone(), path, &[], "{}").await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (status, text),
            "{method} {path}"
        );
    }
    for job in [uuid, "short", "%ff"] {
        let path = format!("/zstack/v1/api-jobs/{job}");
        let answer = app.call(Method::GET, &path, &[], "").await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{answer:?}");
    }
    let path = format!("/zstack/v1/api-jobs/{uuid}");
    let answer = app.call(Method::POST, &path, &[], "").await.expect(405);
    assert_eq!(
        answer.text(),
        "only GET method is allowed for querying job status"
    );
}
