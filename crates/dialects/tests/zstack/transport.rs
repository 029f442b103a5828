//! Verbs, actions, headers and query strings, before any call looks at its content.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_testkit::TestApp;

use super::client::{Client, database, hashed, polling, server};

const UNKNOWN: &str = "b86c9016b4f24953a9edefb53ca0678c";

async fn job(app: &TestApp, client: &Client<'_>, method: Method, path: &str, body: Value) -> Value {
    let accepted = client.call(method, path, &body).await.expect(202);
    app.work().await;
    client.poll(&polling(&accepted.json())).await.json()
}

#[tokio::test]
async fn head_is_not_allowed_on_any_path() {
    let app = server("x").await;
    for path in [
        "/zstack/v1/database-backups",
        "/v1/database-backups",
        "/zstack/v1/backup-storage/capacities",
        "/zstack/v1/database-backups/image-store",
        "/zstack/v1/database-backups/actions",
        "/zstack/v1/accounts/login",
        &format!("/zstack/v1/api-jobs/{UNKNOWN}"),
        &format!("/zstack/api/result/{UNKNOWN}"),
    ] {
        app.call(Method::HEAD, path, &[], "").await.expect(405);
    }
}

#[tokio::test]
async fn a_path_with_one_call_checks_neither_verb_nor_action() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let message = "org.zstack.header.storage.database.backup.APIRecoverDatabaseFromBackupMsg";
    let lacks =
        format!("field[mysqlRootPassword] of message[{message}] is mandatory, can not be null");
    let path = "/zstack/v1/database-backups/actions";
    for body in [json!({}), json!({"other": {"uuid": UNKNOWN}}), Value::Null] {
        for method in [Method::PUT, Method::POST] {
            let refused = job(&app, &client, method, path, body.clone()).await;
            assert_eq!(refused["error"]["details"], lacks);
        }
    }
    let listed = "/v1/database-backups/image-store";
    let answer = client
        .call(Method::POST, listed, &json!({}))
        .await
        .expect(503);
    let message = "org.zstack.header.storage.database.backup.APIGetDatabaseBackupFromImageStoreMsg";
    assert_eq!(
        answer.json()["error"]["details"],
        format!("field[url] of message[{message}] is mandatory, can not be null")
    );
    client
        .call(Method::PATCH, listed, &json!({}))
        .await
        .expect(405);
}

#[tokio::test]
async fn a_path_with_several_calls_wants_a_body_that_names_one() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    for path in [
        format!("/v1/backup-storage/{UNKNOWN}/actions"),
        format!("/v1/scheduler/triggers/{UNKNOWN}/actions"),
        "/v1/management-nodes/actions".to_owned(),
        // Without any action.
        "/v1/database-backups".to_owned(),
    ] {
        let text = format!("the body doesn't contain action mapping to the URL[{path}]");
        for body in [json!({}), json!({"explode": {}})] {
            let answer = client.call(Method::PUT, &path, &body).await.expect(400);
            assert_eq!(answer.text(), text);
        }
        let answer = client
            .call(Method::PUT, &path, &Value::Null)
            .await
            .expect(500);
        assert_eq!(answer.header("content-type"), "text/plain;charset=utf-8");
    }
}

#[tokio::test]
async fn a_query_parameter_is_given_once_and_has_its_type() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (list, capacities) = (
        "/v1/database-backups/image-store",
        "/v1/backup-storage/capacities",
    );
    for (path, query, text) in [
        (
            list,
            "url=ssh://a:b@c/d&url=ssh://a:b@c/d",
            "Invalid query parameter[url], only one value is allowed...",
        ),
        (
            list,
            "url=ssh://a:b@c/d&registryPort=http",
            "[registryPort] field is excepted an int or long, but was [http].",
        ),
        (
            capacities,
            "all=yes",
            "Invalid value for boolean field [all], [yes] is not a valid boolean string[true, false].",
        ),
        (
            capacities,
            "all=true&all=true",
            "Invalid query parameter[all], only one value is allowed...",
        ),
    ] {
        let answer = client.get(&format!("{path}?{query}")).await.expect(400);
        assert_eq!(answer.text(), text);
    }
    let password = app.tenant.password.expose();
    let url = format!("{list}?url=ssh://admin:{password}@10.0.0.7/default&registryPort");
    for port in ["8000", "8000.0", "1", "65535"] {
        client.get(&format!("{url}={port}")).await.expect(200);
    }
    for port in ["0", "65536", "-1"] {
        let error = client
            .get(&format!("{url}={port}"))
            .await
            .expect(503)
            .json()["error"]
            .take();
        assert_eq!(
            error["details"],
            "field[registryPort] must be in range of [1, 65535]"
        );
        assert_eq!(error["code"], "SYS.1007");
    }
    client
        .get(&format!("{capacities}?all=TRUE"))
        .await
        .expect(200);
}

#[tokio::test]
async fn lists_of_uuids_name_only_what_there_is() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let backup = client.back_up("nightly").await;
    let known = app.repository.id.simple();
    let other = "742a7c7d4a4f4a01a206632a40ac414f";
    let path = format!(
        "/zstack/v1/database-backups/{}",
        backup["uuid"].as_str().unwrap()
    );
    let list = format!(
        "backupStorageUuids.1={other}&backupStorageUuids.0={UNKNOWN}&backupStorageUuids.2={known}"
    );
    let text = format!(
        "invalid field[backupStorageUuids], resource[uuids:[{UNKNOWN}, {other}], \
         type:BackupStorageVO] not found"
    );
    let refused = job(
        &app,
        &client,
        Method::DELETE,
        &format!("{path}?{list}"),
        Value::Null,
    )
    .await;
    assert_eq!(refused["error"]["code"], "SYS.1003");
    assert_eq!(refused["error"]["details"], text);
    assert_eq!(client.query("count=true").await["total"], 1);

    let capacities = "/zstack/v1/backup-storage/capacities";
    let refused = client
        .get(&format!("{capacities}?{list}"))
        .await
        .expect(503);
    assert_eq!(refused.json()["error"]["details"], text);
    let refused = client
        .get(&format!("{capacities}?zoneUuids={UNKNOWN}"))
        .await
        .expect(503);
    assert_eq!(
        refused.json()["error"]["details"],
        format!("invalid field[zoneUuids], resource[uuids:[{UNKNOWN}], type:ZoneVO] not found")
    );
    let query = format!("{capacities}?backupStorageUuids.0={known}");
    client.get(&query).await.expect(200);

    // By index, and the only place that it has.
    let path = format!("{path}?backupStorageUuids.0={known}");
    assert_eq!(
        job(&app, &client, Method::DELETE, &path, Value::Null).await,
        json!({})
    );
    assert_eq!(client.query("count=true").await["total"], 0);
    let malformed = "/zstack/v1/database-backups/short";
    let refused = job(&app, &client, Method::DELETE, malformed, Value::Null).await;
    assert_eq!(refused["error"]["code"], "SYS.1003");
    assert_eq!(
        refused["error"]["details"],
        "invalid value[short] of field [uuid]"
    );
}

#[tokio::test]
async fn any_32_characters_are_a_job_uuid() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let session = format!("OAuth {}", client.session);
    for id in ["a-job-of-my-own/with?32%letters.", &"z".repeat(32), UNKNOWN] {
        let headers = [
            ("authorization", session.as_str()),
            ("host", "backup.example:8080"),
            ("x-job-uuid", id),
        ];
        let path = format!("/zstack/v1/tags/{UNKNOWN}");
        let send = async || app.call(Method::DELETE, &path, &headers, "").await;
        let accepted = send().await.expect(202).json();
        let location = accepted["location"].as_str().unwrap();
        let shown = location.rsplit('/').next().unwrap();
        let shown = percent_encoding::percent_decode_str(shown)
            .decode_utf8()
            .unwrap();
        assert_eq!(shown, id);
        assert_eq!(
            client.poll(&polling(&accepted)).await.expect(200).json(),
            json!({})
        );
        let twice = send().await.expect(400);
        assert_eq!(twice.text(), format!("Duplicate job uuid[{id}]"));
        // A query may use it again.
        app.call(Method::GET, "/v1/backup-storage", &headers, "")
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn a_user_has_at_most_500_sessions() {
    let app = server("x").await;
    let lifetime = jiff::SignedDuration::from_hours(2);
    for _ in 0..500 {
        app.service
            .open_session(&app.owner, lifetime)
            .await
            .unwrap();
    }
    let login = json!({"logInByAccount": {
        "accountName": app.tenant.tenant.name,
        "password": hashed(app.tenant.password.expose()),
    }});
    let log_in = async || {
        let path = "/zstack/v1/accounts/login";
        app.call(Method::PUT, path, &[], login.to_string()).await
    };
    let error = log_in().await.expect(503).json()["error"].take();
    assert_eq!(error["code"], "ID.1006");
    assert_eq!(
        error["description"],
        "Max number of active sessions exceeded"
    );
    // Those that have ended do not count.
    app.clock.advance(lifetime);
    log_in().await.expect(200);
}

#[tokio::test]
async fn a_storage_has_the_uuid_and_the_tags_it_was_added_with() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let path = "/zstack/v1/backup-storage/image-store";
    let params = json!({
        "hostname": "10.0.0.7", "username": "root", "password": "a repository password",
        "url": "memory:added", "name": "added", "resourceUuid": "742a7c7d4a4f4a01a206632a40ac414f",
        "userTags": ["fast"],
    });
    let with = |member: &str, value: Value| {
        let mut params = params.clone();
        params[member] = value;
        json!({"params": params, "systemTags": ["ha"]})
    };
    let message = "org.zstack.storage.backup.imagestore.APIAddImageStoreBackupStorageMsg";
    for (body, details) in [
        (
            with("name", json!("é".repeat(256))),
            format!("field[name] of message[{message}] exceeds max length of string. expected was <= 255, actual was 256"),
        ),
        (
            with("resourceUuid", json!("7")),
            "resourceUuid[7] is not a valid uuid. A valid uuid is a UUID(v4 recommended) with '-' stripped".to_owned(),
        ),
        (
            with("url", json!("srv/backups")),
            "field[url] must be an absolute path, but was [srv/backups]".to_owned(),
        ),
        (
            with("sshPort", json!(0)),
            "field[sshPort] must be in range of [1, 65535]".to_owned(),
        ),
    ] {
        let refused = job(&app, &client, Method::POST, path, body).await;
        assert_eq!(refused["error"]["code"], "SYS.1007");
        assert_eq!(refused["error"]["details"], details);
    }
    let added = job(
        &app,
        &client,
        Method::POST,
        path,
        with("description", json!("x")),
    )
    .await;
    assert_eq!(added["inventory"]["uuid"], params["resourceUuid"]);
    for query in ["q=__userTag__=fast", "q=__systemTag__=ha"] {
        let found = client
            .get(&format!("/v1/backup-storage?{query}"))
            .await
            .json();
        assert_eq!(
            found["inventories"][0]["uuid"], params["resourceUuid"],
            "{query}"
        );
    }
}
