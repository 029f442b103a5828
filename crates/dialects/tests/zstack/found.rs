//! What a client of the vendor's met here and would not have met there.

use std::time::Duration;

use axum::{Router, http::Method, routing::post};
use serde_json::{Value, json};
use strongroom_testkit::TestApp;
use tokio::{net::TcpListener, sync::Notify};

use super::{
    actions::listen,
    client::{Client, database, polling, server},
    neighbours::{list, send},
};

const UNKNOWN: &str = "b86c9016b4f24953a9edefb53ca0678c";

fn uuid(answer: &Value) -> &str {
    answer["inventory"]["uuid"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

fn error(answer: &Value) -> (&str, &str) {
    let text = |name: &str| {
        let text = answer["error"][name].as_str();
        text.unwrap_or_else(|| panic!("{answer}"))
    };
    (text("code"), text("details"))
}

/// The parameters of a scheduler job.
fn job(app: &TestApp) -> Value {
    json!({
        "name": "nightly", "type": "databaseBackup", "targetResourceUuid": UNKNOWN,
        "parameters": {
            "retentionType": "Count", "retentionValue": 3,
            "backupStorageUuids": app.repository.id.simple(),
        },
    })
}

async fn create(client: &Client<'_>, path: &str, params: &Value) -> Value {
    send(client, Method::POST, path, json!({ "params": params })).await
}

async fn delete(client: &Client<'_>, path: &str) -> Value {
    send(client, Method::DELETE, path, Value::Null).await
}

/// A client's server that does not answer.
async fn listen_in_silence() -> (String, std::sync::Arc<Notify>) {
    let called = std::sync::Arc::new(Notify::new());
    let tell = called.clone();
    let hook = async move || {
        tell.notify_one();
        std::future::pending::<()>().await;
    };
    let router = Router::new().route("/hook", post(hook));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, called)
}

#[tokio::test]
async fn a_client_that_does_not_answer_a_callback_holds_up_no_other() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let background = strongroom_dialects::zstack::DIALECT.background.unwrap();
    let calling = tokio::spawn(background(app.service.clone()));
    let session = format!("OAuth {}", client.session);
    let call = async |hook: &str| {
        let headers = [("authorization", session.as_str()), ("x-web-hook", hook)];
        let path = "/zstack/v1/database-backups";
        app.call(Method::POST, path, &headers, "{}")
            .await
            .expect(202);
    };
    let (silent, called) = listen_in_silence().await;
    call(&silent).await;
    called.notified().await;
    let (url, mut told) = listen(Vec::new()).await;
    call(&url).await;
    let told = tokio::time::timeout(Duration::from_secs(20), told.recv()).await;
    let (headers, body) = told.unwrap().unwrap();
    assert_eq!(headers["x-job-success"], "false");
    assert_eq!(body["error"]["code"], "SYS.1007");
    calling.abort();
}

#[tokio::test]
async fn numbers_and_texts_are_taken_for_each_other() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    for interval in [json!(3600), json!(3600.0), json!("3600"), json!("3600.0")] {
        let params = json!({
            "name": "hourly", "schedulerType": "simple", "schedulerInterval": interval,
            "repeatCount": "0", "startTime": 0.0,
        });
        let made = create(&client, "/scheduler/triggers", &params).await;
        assert_eq!(made["inventory"]["schedulerInterval"], 3600, "{made}");
    }
    let params = json!({"schedulerInterval": 3600.5});
    let answer = client
        .call(
            Method::POST,
            "/zstack/v1/scheduler/triggers",
            &json!({ "params": params }),
        )
        .await;
    assert_eq!(answer.status, 500);
    let made = create(&client, "/scheduler/jobs", &job(&app)).await;
    let data: Value = serde_json::from_str(made["inventory"]["jobData"].as_str().unwrap()).unwrap();
    assert_eq!(data["retentionValue"], "3");
    let mut without = job(&app);
    without["parameters"] = Value::Null;
    let refused = create(&client, "/scheduler/jobs", &without).await;
    assert_eq!(
        error(&refused).1,
        "missing 'retentionType' in job parameters"
    );
    let path = format!("/accounts/sessions/{}/renew", client.session);
    let renewal = json!({"renewSession": {"duration": "3600"}});
    let renewed = send(&client, Method::PUT, &path, renewal).await;
    assert_eq!(uuid(&renewed), client.session);

    let storage = app.repository.id.simple();
    let params = json!({
        "name": 7, "backupStorageUuid": storage, "systemTags": [5], "userTags": null,
    });
    let body = json!({"params": params, "userTags": [2.5, true]});
    let path = "/zstack/v1/database-backups";
    let accepted = client.call(Method::POST, path, &body).await.expect(202);
    app.work().await;
    let made = client.poll(&polling(&accepted.json())).await.json();
    assert_eq!(made["inventory"]["name"], "7");
    assert_eq!(list(&client, "/system-tags").await[0]["tag"], "5");
    let tags = list(&client, "/user-tags?sort=tag").await;
    assert_eq!(
        (&tags[0]["tag"], &tags[1]["tag"]),
        (&json!("2.5"), &json!("true"))
    );
}

#[tokio::test]
async fn a_tag_goes_with_what_it_is_on() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let backup = client.back_up("a").await["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let trigger = json!({
        "name": "hourly", "schedulerType": "simple", "schedulerInterval": 3600,
    });
    let data = json!({"name": "b", "backupStorageUuid": app.repository.id.simple()});
    let long = json!({"jobName": "APICreateDatabaseBackupMsg", "jobData": data.to_string()});
    let store = json!({
        "hostname": "10.0.0.7", "username": "root", "password": "a repository password",
        "url": "memory:added", "name": "added",
    });
    let made = async |path: &str, params: &Value| {
        let made = create(&client, path, params).await;
        uuid(&made).to_owned()
    };
    let pattern = json!({"name": "gold", "value": "gold"});
    let rows = [
        ("DatabaseBackupVO", "/database-backups", backup),
        (
            "SchedulerJobVO",
            "/scheduler/jobs",
            made("/scheduler/jobs", &job(&app)).await,
        ),
        (
            "SchedulerJobGroupVO",
            "/scheduler/jobgroups",
            made("/scheduler/jobgroups", &job(&app)).await,
        ),
        (
            "SchedulerTriggerVO",
            "/scheduler/triggers",
            made("/scheduler/triggers", &trigger).await,
        ),
        ("TagPatternVO", "/tags", made("/tags", &pattern).await),
        ("LongJobVO", "/longjobs", made("/longjobs", &long).await),
        (
            "ImageStoreBackupStorageVO",
            "/backup-storage",
            made("/backup-storage/image-store", &store).await,
        ),
    ];
    app.work().await;
    for (kind, _, uuid) in &rows {
        for path in ["/system-tags", "/user-tags"] {
            let tag = json!({"resourceType": kind, "resourceUuid": uuid, "tag": "x"});
            let made = create(&client, path, &tag).await;
            assert_eq!(made["inventory"]["resourceType"], *kind, "{made}");
        }
    }
    // A tag of what stays.
    let storage = app.repository.id.simple();
    let tag = json!({"resourceType": "BackupStorageVO", "resourceUuid": storage, "tag": "x"});
    create(&client, "/user-tags", &tag).await;
    for (kind, path, uuid) in &rows {
        let accepted = client
            .call(
                Method::DELETE,
                &format!("/zstack/v1{path}/{uuid}"),
                &Value::Null,
            )
            .await
            .expect(202);
        app.work().await;
        let done = client.poll(&polling(&accepted.json())).await;
        assert_eq!(done.json(), json!({}), "{kind}");
        for path in ["/system-tags", "/user-tags"] {
            let left = list(&client, &format!("{path}?q=resourceUuid={uuid}")).await;
            assert_eq!(left, [] as [Value; 0], "{kind}");
        }
    }
    assert_eq!(list(&client, "/user-tags").await.len(), 1);
}

#[tokio::test]
async fn only_what_there_is_can_be_tagged() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    for (kind, uuid) in [
        ("DatabaseBackupVO", UNKNOWN),
        ("DatabaseBackupVO", "x"),
        ("DatabaseBackupVO", storage.as_str()),
        ("VmInstanceVO", UNKNOWN),
    ] {
        for path in ["/system-tags", "/user-tags"] {
            let tag = json!({"resourceType": kind, "resourceUuid": uuid, "tag": "x"});
            let refused = create(&client, path, &tag).await;
            let details = format!(
                "invalid field[resourceUuid], resource[uuid:{uuid}, type:{kind}] not found"
            );
            assert_eq!(error(&refused), ("SYS.1003", details.as_str()));
        }
    }
    let account = app.owner.tenant_id.simple();
    let tag = json!({"resourceType": "AccountVO", "resourceUuid": account, "tag": "x"});
    let made = create(&client, "/user-tags", &tag).await;
    assert_eq!(made["inventory"]["resourceUuid"], account);
}

#[tokio::test]
async fn what_is_deleted_is_named_by_a_uuid() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    for path in [
        "/scheduler/jobs",
        "/scheduler/jobgroups",
        "/scheduler/triggers",
        "/tags",
        "/accesskeys",
        "/longjobs",
        "/database-backups",
        "/backup-storage",
    ] {
        let refused = delete(&client, &format!("{path}/zzz")).await;
        let details = "invalid value[zzz] of field [uuid]";
        assert_eq!(error(&refused), ("SYS.1003", details), "{path}");
        let unknown = delete(&client, &format!("{path}/{UNKNOWN}")).await;
        assert_eq!(unknown, json!({}), "{path}");
    }
    let binding = format!("/scheduler/jobs/{UNKNOWN}/scheduler/triggers");
    let refused = delete(&client, &format!("{binding}/zzz")).await;
    assert_eq!(
        error(&refused).1,
        "invalid value[zzz] of field [schedulerTriggerUuid]"
    );
    let unbound = delete(&client, &format!("{binding}/{UNKNOWN}")).await;
    assert_eq!(unbound, json!({}));
}

/// What is wrong with texts: members to set, and what is said of them.
fn bad_texts(message: &str) -> Vec<(&'static str, Value, String)> {
    let long = |field: &str, most: usize| {
        format!(
            "field[{field}] of message[{message}] exceeds max length of string. expected was <= \
             {most}, actual was {}",
            most + 1
        )
    };
    vec![
        (
            "name",
            json!(" "),
            "field[name] cannot be an empty string".to_owned(),
        ),
        ("name", json!("é".repeat(256)), long("name", 255)),
        (
            "description",
            json!("é".repeat(2049)),
            long("description", 2048),
        ),
    ]
}

#[tokio::test]
async fn names_and_descriptions_have_the_vendors_lengths() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let trigger = json!({
        "name": "hourly", "schedulerType": "simple", "schedulerInterval": 3600,
    });
    let header = "org.zstack.header";
    for (path, params, name, action) in [
        (
            "/scheduler/jobs",
            job(&app),
            "CreateSchedulerJob",
            "SchedulerJob",
        ),
        (
            "/scheduler/jobgroups",
            job(&app),
            "CreateSchedulerJobGroup",
            "",
        ),
        (
            "/scheduler/triggers",
            trigger,
            "CreateSchedulerTrigger",
            "SchedulerTrigger",
        ),
    ] {
        let message = format!("{header}.scheduler.API{name}Msg");
        for (field, value, details) in bad_texts(&message) {
            let mut params = params.clone();
            params[field] = value;
            let refused = create(&client, path, &params).await;
            assert_eq!(error(&refused), ("SYS.1007", details.as_str()), "{path}");
        }
        let mut params = params.clone();
        (params["name"], params["description"]) = (json!("é".repeat(255)), json!("é".repeat(2048)));
        let made = create(&client, path, &params).await;
        if action.is_empty() {
            continue;
        }
        let path = format!("{path}/{}/actions", uuid(&made));
        let message = format!("{header}.scheduler.APIUpdate{action}Msg");
        for (field, value, details) in bad_texts(&message) {
            let change = json!({ format!("update{action}"): { field: value } });
            let refused = send(&client, Method::PUT, &path, change).await;
            assert_eq!(error(&refused), ("SYS.1007", details.as_str()), "{path}");
        }
    }
    let path = format!("/backup-storage/{}/actions", app.repository.id.simple());
    let message = format!("{header}.storage.backup.APIUpdateBackupStorageMsg");
    for (field, value, details) in bad_texts(&message) {
        let change = json!({"updateBackupStorage": { field: value }});
        let refused = send(&client, Method::PUT, &path, change).await;
        assert_eq!(error(&refused), ("SYS.1007", details.as_str()));
    }
}

#[tokio::test]
async fn an_interval_out_of_range_is_said_in_the_vendors_words() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    for (interval, from) in [
        (json!(10), 60),
        (json!(0), 1),
        (json!(-1), 1),
        (json!(1_i64 << 31), 1),
    ] {
        let params = json!({
            "name": "often", "schedulerType": "simple", "schedulerInterval": interval,
        });
        let refused = create(&client, "/scheduler/triggers", &params).await;
        let details = format!("field[schedulerInterval] must be in range of [{from}, 2147483647]");
        assert_eq!(error(&refused), ("SYS.1007", details.as_str()));
    }
    let params = json!({
        "name": "once", "schedulerType": "simple", "schedulerInterval": 10, "repeatCount": 1,
    });
    let once = create(&client, "/scheduler/triggers", &params).await;
    let path = format!("/scheduler/triggers/{}/actions", uuid(&once));
    let run = json!({"runSchedulerTrigger": {"jobUuids": [UNKNOWN]}});
    let refused = send(&client, Method::PUT, &path, run).await;
    let details = format!(
        "invalid field[jobUuids], resource[uuids:[{UNKNOWN}], type:SchedulerJobVO] not found"
    );
    assert_eq!(error(&refused), ("SYS.1003", details.as_str()));
    let job = create(&client, "/scheduler/jobs", &job(&app)).await;
    let run = json!({"runSchedulerTrigger": {"jobUuids": [uuid(&job)]}});
    assert_eq!(send(&client, Method::PUT, &path, run).await, json!({}));
}

#[tokio::test]
async fn a_long_job_that_has_not_ended_cannot_be_forgotten() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let data = json!({"name": "long", "backupStorageUuid": app.repository.id.simple()});
    let params = json!({"jobName": "APICreateDatabaseBackupMsg", "jobData": data.to_string()});
    let job = create(&client, "/longjobs", &params).await;
    let path = format!("/longjobs/{}", uuid(&job));
    let refused = delete(&client, &path).await;
    let (code, details) = error(&refused);
    assert_eq!(code, "SYS.1004");
    assert!(details.contains("is Waiting"), "{details}");
    assert_eq!(list(&client, "/longjobs").await.len(), 1);
    app.work().await;
    assert_eq!(delete(&client, &path).await, json!({}));
    assert_eq!(list(&client, "/longjobs").await.len(), 0);
}

#[tokio::test]
async fn a_second_access_key_of_an_id_is_refused_by_that_id() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let params = json!({
        "accountUuid": app.owner.tenant_id.simple(), "userUuid": app.owner.principal_id.simple(),
        "description": "mine", "AccessKeyID": "AKIDchosen", "AccessKeySecret": "a chosen secret",
    });
    uuid(&create(&client, "/accesskeys", &params).await);
    let refused = create(&client, "/accesskeys", &params).await;
    let details = "there is an access key with AccessKeyID[AKIDchosen] already";
    assert_eq!(error(&refused), ("SYS.1007", details));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_before_its_session_is_looked_at() {
    let app = server("a dump").await;
    let action = format!("/v1/backup-storage/{UNKNOWN}/actions");
    let trigger = format!("/v1/scheduler/triggers/{UNKNOWN}/actions");
    let backups = "/v1/database-backups".to_owned();
    for (method, path, body, status) in [
        (Method::PUT, &action, "{\"nope\":{}}", 400),
        (Method::PUT, &trigger, "{\"nope\":{}}", 400),
        (Method::PUT, &action, "{\"nope\"", 500),
        (Method::POST, &backups, "{\"params\"", 500),
        (Method::POST, &backups, "{}", 202),
        (Method::PUT, &action, "{\"reconnectBackupStorage\":{}}", 202),
    ] {
        let headers = [
            ("authorization", "OAuth x"),
            ("host", "backup.example:8080"),
        ];
        let answer = app.call(method, path, &headers, body).await;
        assert_eq!(answer.status, status, "{path} {body}");
    }
}

#[tokio::test]
async fn renewing_a_session_takes_one() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let body = json!({"renewSession": {"duration": 3600}});
    let path = format!("/zstack/v1/accounts/sessions/{UNKNOWN}/renew");
    let answer = app.call(Method::PUT, &path, &[], body.to_string()).await;
    assert_eq!(answer.expect(400).text(), "missing header 'Authorization'");
    let stranger = Client {
        app: &app,
        session: UNKNOWN.to_owned(),
    };
    for client in [&stranger, &client] {
        let accepted = client.call(Method::PUT, &path, &body).await.expect(202);
        let refused = client.poll(&polling(&accepted.json())).await.expect(503);
        assert_eq!(error(&refused.json()), ("ID.1001", "Session expired"));
    }
}

#[tokio::test]
async fn small_things_of_the_transport_are_as_the_vendors() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let job = format!("/zstack/v1/api-jobs/{UNKNOWN}");
    let answer = app.call(Method::PUT, &job, &[], "").await.expect(405);
    assert_eq!(
        answer.text(),
        "only GET method is allowed for querying job status"
    );

    let session = format!("OAuth {}", client.session);
    let headers = [("authorization", session.as_str())];
    let export = format!("/v1/database-backups/{UNKNOWN}/backup-storage/{UNKNOWN}/actions");
    let answer = app.call(Method::PUT, &export, &headers, "{\"broken").await;
    let answer = answer.expect(500);
    assert_eq!(answer.header("content-type"), "text/plain;charset=utf-8");

    for path in ["", &format!("/{UNKNOWN}")] {
        let path = format!("/zstack/v1/backup-storage/sftp{path}");
        let listed = client.get(&path).await.expect(200).json();
        assert_eq!(listed, json!({"inventories": [], "schema": {}}));
    }

    let id = UNKNOWN.to_uppercase();
    let headers = [
        headers[0],
        ("x-job-uuid", &id),
        ("host", "backup.example:8080"),
    ];
    let path = format!("/zstack/v1/tags/{UNKNOWN}");
    let accepted = app.call(Method::DELETE, &path, &headers, "").await;
    let location = polling(&accepted.expect(202).json());
    assert_eq!(location, format!("/zstack/v1/api-jobs/{id}"));
    client.poll(&location).await.expect(200);
}
