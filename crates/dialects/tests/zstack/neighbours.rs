//! What clients use besides database backups: tags, accounts, access keys, long jobs, the
//! management node, and the messages of `zstack-cli`.

use aws_lc_rs::hmac;
use axum::http::Method;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use strongroom_testkit::TestApp;

use super::client::{Client, database, hashed, polling, server};

pub(crate) async fn send(client: &Client<'_>, method: Method, path: &str, body: Value) -> Value {
    let path = format!("/zstack/v1{path}");
    let accepted = client.call(method, &path, &body).await.expect(202);
    client.poll(&polling(&accepted.json())).await.json()
}

pub(crate) async fn list(client: &Client<'_>, path: &str) -> Vec<Value> {
    let answer = client.get(&format!("/zstack/v1{path}")).await.expect(200);
    answer.json()["inventories"].as_array().unwrap().clone()
}

#[tokio::test]
async fn rows_are_found_by_the_tags_they_were_given() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let job = client
        .create(&json!({"name": "a", "backupStorageUuid": storage, "userTags": ["blue"]}))
        .await;
    app.work().await;
    let tagged = client.poll(&job).await.expect(200).json()["inventory"]["uuid"].clone();
    client.back_up("b").await;
    for (query, names) in [
        ("q=__userTag__=blue", vec!["a"]),
        ("q=__userTag__!=blue", vec!["b"]),
        ("q=__systemTag__=blue", vec![]),
    ] {
        let found = client.query(query).await;
        let found: Vec<_> = found["inventories"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].clone())
            .collect();
        assert_eq!(found, names, "{query}");
    }
    let tag = json!({"params": {
        "resourceType": "BackupStorageVO", "resourceUuid": storage, "tag": "fast",
    }});
    let made = send(&client, Method::POST, "/user-tags", tag).await;
    assert_eq!(made["inventory"]["type"], "User");
    assert_eq!(
        list(&client, "/backup-storage?q=__userTag__~=f%25")
            .await
            .len(),
        1
    );
    let path = format!("/user-tags?q=resourceUuid={}", tagged.as_str().unwrap());
    assert_eq!(list(&client, &path).await[0]["tag"], "blue");
    let path = format!("/tags/{}", made["inventory"]["uuid"].as_str().unwrap());
    assert_eq!(
        send(&client, Method::DELETE, &path, Value::Null).await,
        json!({})
    );
    assert_eq!(list(&client, "/user-tags").await.len(), 1);
    let lacks = send(&client, Method::POST, "/system-tags", json!({"params": {}})).await;
    assert_eq!(lacks["error"]["code"], "SYS.1007");
}

pub(crate) fn signed(app: &TestApp, id: &str, secret: &str) -> [(&'static str, String); 2] {
    let date = app
        .service
        .now()
        .strftime("%a, %d %b %Y %H:%M:%S UTC")
        .to_string();
    let message = format!("GET\n{date}\n/v1/accesskeys");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, message.as_bytes()));
    [
        ("date", date),
        ("authorization", format!("ZStack {id}:{signature}")),
    ]
}

#[tokio::test]
async fn an_access_key_is_made_used_and_revoked() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let account = list(&client, "/accounts").await.remove(0);
    assert_eq!(account["name"], app.tenant.tenant.name);
    let user = app.owner.principal_id.simple();
    let chosen = json!({
        "accountUuid": account["uuid"], "userUuid": user,
        "AccessKeyID": "AKIDchosen", "AccessKeySecret": "a chosen secret",
    });
    let left = json!({"accountUuid": account["uuid"], "userUuid": user});
    for params in [chosen, left] {
        let made = send(
            &client,
            Method::POST,
            "/accesskeys",
            json!({ "params": params }),
        )
        .await;
        let key = &made["inventory"];
        let (id, secret) = (&key["AccessKeyID"], &key["AccessKeySecret"]);
        let headers = signed(&app, id.as_str().unwrap(), secret.as_str().unwrap());
        let headers = [
            (headers[0].0, &*headers[0].1),
            (headers[1].0, &*headers[1].1),
        ];
        let call = || app.call(Method::GET, "/zstack/v1/accesskeys", &headers, "");
        let listed = call().await.expect(200);
        assert!(
            !listed.text().contains(secret.as_str().unwrap()),
            "{}",
            listed.text()
        );
        let path = format!("/accesskeys/{}", key["uuid"].as_str().unwrap());
        assert_eq!(
            send(&client, Method::DELETE, &path, Value::Null).await,
            json!({})
        );
        assert_ne!(call().await.status, 200);
    }
    let short = json!({
        "accountUuid": account["uuid"], "userUuid": user,
        "AccessKeyID": "short", "AccessKeySecret": "a chosen secret",
    });
    let refused = send(
        &client,
        Method::POST,
        "/accesskeys",
        json!({ "params": short }),
    )
    .await;
    assert_eq!(refused["error"]["code"], "SYS.1007");
}

#[tokio::test]
async fn a_long_job_is_submitted_watched_and_forgotten() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let data = json!({"name": "nightly", "backupStorageUuid": app.repository.id.simple()});
    let params = json!({
        "name": "long", "jobName": "APICreateDatabaseBackupMsg", "jobData": data.to_string(),
    });
    let submitted = send(
        &client,
        Method::POST,
        "/longjobs",
        json!({ "params": params }),
    )
    .await;
    assert_eq!(submitted["inventory"]["state"], "Waiting");
    app.work().await;
    let jobs = list(&client, "/longjobs?q=state=Succeeded").await;
    assert_eq!(jobs[0]["uuid"], submitted["inventory"]["uuid"]);
    assert_eq!(submitted["inventory"].get("jobResult"), None);
    // What it made, as JSON text, for clients that go on with it.
    let result: Value = serde_json::from_str(jobs[0]["jobResult"].as_str().unwrap()).unwrap();
    assert_eq!(
        result["inventory"],
        client.query("q=name=nightly").await["inventories"][0]
    );
    assert_eq!(jobs[0]["executeTime"], 1);
    assert_eq!(list(&client, "/longjobs?q=executeTime%3C2").await, jobs);
    assert_eq!(
        client.query("q=name=nightly").await["inventories"][0]["status"],
        "Ready"
    );

    let data = json!({"uuid": "0".repeat(32), "mysqlRootPassword": "secret"});
    let params = json!({"jobName": "APIRecoverDatabaseFromBackupMsg", "jobData": data.to_string()});
    let refused = send(
        &client,
        Method::POST,
        "/longjobs",
        json!({ "params": params }),
    )
    .await;
    assert_eq!(refused["error"]["code"], "SYS.1003");
    let params = json!({"jobName": "APIExplodeMsg", "jobData": "{}"});
    let refused = send(
        &client,
        Method::POST,
        "/longjobs",
        json!({ "params": params }),
    )
    .await;
    assert_eq!(
        refused["error"]["details"],
        "there is no long job of [APIExplodeMsg]"
    );

    let path = format!("/longjobs/{}", jobs[0]["uuid"].as_str().unwrap());
    let rename = json!({"updateLongJob": {"name": "longer"}});
    let renamed = send(&client, Method::PUT, &format!("{path}/actions"), rename).await;
    assert_eq!(renamed["inventory"]["name"], "longer", "{renamed}");
    let cancel = json!({"cancelLongJob": {}});
    let late = send(&client, Method::PUT, &format!("{path}/actions"), cancel).await;
    assert_eq!(late["error"]["code"], "SYS.1006");
    assert_eq!(
        send(&client, Method::DELETE, &path, Value::Null).await,
        json!({})
    );
    assert!(list(&client, "/longjobs").await.is_empty());
}

#[tokio::test]
async fn no_other_action_on_a_long_job_cancels_it() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let data = json!({"name": "a", "backupStorageUuid": app.repository.id.simple()});
    let params = json!({"jobName": "APICreateDatabaseBackupMsg", "jobData": data.to_string()});
    let submitted = json!({ "params": params });
    let submitted = send(&client, Method::POST, "/longjobs", submitted).await;
    let uuid = submitted["inventory"]["uuid"].as_str().unwrap();
    let path = format!("/zstack/v1/longjobs/{uuid}/actions");
    for body in [json!({"rerunLongJob": {}}), json!({})] {
        let refused = client.call(Method::PUT, &path, &body).await;
        assert_eq!(refused.status.as_u16(), 400, "{body}");
    }
    assert_eq!(list(&client, "/longjobs").await[0]["state"], "Waiting");
    let cancel = json!({"cancelLongJob": {}});
    let path = format!("/longjobs/{uuid}/actions");
    assert_eq!(send(&client, Method::PUT, &path, cancel).await, json!({}));
}

#[tokio::test]
async fn the_management_node_says_what_it_is_without_a_session() {
    let app = server("a dump").await;
    let ask = async |body: Value| {
        let headers = [("content-type", "application/json")];
        let path = "/zstack/v1/management-nodes/actions";
        app.call(Method::PUT, path, &headers, body.to_string())
            .await
            .expect(200)
            .json()
    };
    assert_eq!(
        ask(json!({"getVersion": {}})).await,
        json!({"version": "5.2.1"})
    );
    let now = app.service.now();
    assert_eq!(
        ask(json!({"getCurrentTime": {}})).await["currentTime"],
        json!({"MillionSeconds": now.as_millisecond(), "Seconds": now.as_second()})
    );
    let ready = "/zstack/v1/management-nodes/ready";
    assert_eq!(
        app.call(Method::GET, ready, &[], "")
            .await
            .expect(200)
            .json(),
        json!({})
    );
}

/// What `zstack-cli` does: post a message, poll until it is done, read the one reply.
async fn message(app: &TestApp, class: &str, content: Value) -> Value {
    let headers = [("content-type", "application/json")];
    let body = json!({ class: content }).to_string();
    let mut answer = app
        .call(Method::POST, "/zstack/api/", &headers, body)
        .await
        .expect(200);
    if answer.json()["state"] == "Processing" {
        app.work().await;
        let path = format!(
            "/zstack/api/result/{}",
            answer.json()["uuid"].as_str().unwrap()
        );
        answer = app.call(Method::GET, &path, &[], "").await.expect(200);
    }
    assert_eq!(answer.json()["state"], "Done", "{}", answer.text());
    let result: Value = serde_json::from_str(answer.json()["result"].as_str().unwrap()).unwrap();
    result.as_object().unwrap().values().next().unwrap().clone()
}

#[tokio::test]
async fn messages_do_what_the_command_line_asks_for() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let tenant = &app.tenant;
    let login = json!({
        "accountName": tenant.tenant.name, "password": hashed(tenant.password.expose()),
    });
    let session = message(
        &app,
        "org.zstack.header.identity.APILogInByAccountMsg",
        login,
    )
    .await;
    assert_eq!(session["success"], true, "{session}");
    let session = json!({"uuid": session["inventory"]["uuid"]});
    let create = "org.zstack.header.storage.database.backup.APICreateDatabaseBackupMsg";
    let content = json!({
        "name": "it's \"quoted\" a!=b", "backupStorageUuid": app.repository.id.simple(),
        "session": session, "resourceUuid": null,
    });
    let made = message(&app, create, content).await;
    assert_eq!(
        (&made["success"], &made["inventory"]["status"]),
        (&json!(true), &json!("Ready"))
    );

    let query = "org.zstack.header.storage.database.backup.APIQueryDatabaseBackupMsg";
    let content = json!({
        "conditions": [
            {"name": "name", "op": "=", "value": "it's \"quoted\" a!=b"},
            {"name": "description", "op": "is null"},
            {"name": "status", "op": "in", "value": "Ready,Creating"},
        ],
        "limit": "10", "start": "0", "replyWithCount": true, "session": session,
        "sortBy": "createDate", "sortDirection": "desc",
    });
    let found = message(&app, query, content).await;
    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(found["inventories"][0]["uuid"], made["inventory"]["uuid"]);
    let storages = "org.zstack.header.storage.backup.APIQueryBackupStorageMsg";
    let found = message(
        &app,
        storages,
        json!({"conditions": [], "session": session}),
    )
    .await;
    assert_eq!(found["inventories"].as_array().unwrap().len(), 1);

    let lacks = message(&app, create, json!({"session": session})).await;
    assert_eq!(
        (&lacks["success"], &lacks["error"]["code"]),
        (&json!(false), &json!("SYS.1007"))
    );
    let stranger = message(&app, query, json!({"session": {"uuid": "x"}})).await;
    assert_eq!(stranger["error"]["code"], "ID.1001");
    let unknown = message(
        &app,
        "org.zstack.APIExplodeMsg",
        json!({"session": session}),
    )
    .await;
    assert_eq!(unknown["error"]["code"], "SYS.1008");
    let delete = "org.zstack.header.storage.database.backup.APIDeleteDatabaseBackupMsg";
    let content = json!({"uuid": made["inventory"]["uuid"], "session": session});
    assert_eq!(
        message(&app, delete, content).await,
        json!({"success": true})
    );
}
