//! What can be done with database backups and backup storages: copied, exported, compared,
//! recovered; added, changed, removed. One test per row of the vendor's list of calls.

use std::io::Read as _;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode},
    routing::post,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use strongroom_domain::{
    Face,
    restore::{Restore, RestoreState, RestoreTarget},
};
use strongroom_service::{Caller, repositories::CreateRepository, restores::RequestRestore};
use strongroom_testkit::TestApp;
use tokio::{net::TcpListener, sync::mpsc};

use super::client::{Client, database, polling, server};

const BACKUPS: &str = "/zstack/v1/database-backups";
const STORAGES: &str = "/zstack/v1/backup-storage";

/// A backup called `nightly`, its uuid and its storage's.
async fn made(app: &TestApp, client: &Client<'_>) -> (String, String) {
    database(app, "orders", false).await;
    let storage = app.repository.id.simple();
    let job = client
        .create(&json!({"name": "nightly", "backupStorageUuid": storage}))
        .await;
    app.work().await;
    let made = client.poll(&job).await.expect(200).json();
    (
        made["inventory"]["uuid"].as_str().unwrap().to_owned(),
        storage,
    )
}

async fn another_storage(app: &TestApp) -> String {
    let request = CreateRepository::at("attic", "memory:attic");
    let made = app.service.create_repository(&app.owner, request).await;
    made.unwrap().id.simple()
}

/// Sends a call that runs as a job; its result, or its error.
async fn job(app: &TestApp, client: &Client<'_>, method: Method, path: &str, body: Value) -> Value {
    let accepted = client.call(method, path, &body).await.expect(202).json();
    app.work().await;
    client.poll(&polling(&accepted)).await.json()
}

async fn put(app: &TestApp, client: &Client<'_>, path: &str, body: Value) -> Value {
    job(app, client, Method::PUT, path, body).await
}

async fn delete(app: &TestApp, client: &Client<'_>, path: &str) -> Value {
    job(app, client, Method::DELETE, path, Value::Null).await
}

fn storages_of(backup: &Value) -> Vec<&str> {
    let refs = backup["backupStorageRefs"].as_array().unwrap();
    refs.iter()
        .map(|it| it["backupStorageUuid"].as_str().unwrap())
        .collect()
}

async fn copy(app: &TestApp, client: &Client<'_>, uuid: &str, from: &str, to: &str) -> Value {
    let places = json!({"srcBackupStorageUuid": from, "dstBackupStorageUuid": to});
    let body = json!({"syncDatabaseBackupFromImageStoreBackupStorage": places});
    put(app, client, &format!("{BACKUPS}/{uuid}/actions"), body).await
}

#[tokio::test]
async fn a_backup_is_copied_to_another_storage_and_removed_from_the_first() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (uuid, first) = made(&app, &client).await;
    let second = another_storage(&app).await;
    let copied = copy(&app, &client, &uuid, &first, &second).await;
    assert_eq!(storages_of(&copied["inventory"]), [&first, &second]);
    assert_eq!(
        copied["schema"]["inventory.backupStorageRefs[1]"],
        "org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory"
    );
    // Each condition on a copy may be met by another one.
    for (query, matches) in [
        (format!("q=backupStorageRefs.backupStorageUuid={second}"), 1),
        (
            format!("q=backupStorageRefs.backupStorageUuid!={second}"),
            1,
        ),
        ("q=backupStorageRefs.backupStorage.name=attic".to_owned(), 1),
        ("q=backupStorageRefs.status=Creating".to_owned(), 0),
    ] {
        let found = client.query(&query).await;
        assert_eq!(
            found["inventories"].as_array().unwrap().len(),
            matches,
            "{query}"
        );
    }
    let path = format!("{BACKUPS}/{uuid}?backupStorageUuids={first}");
    assert_eq!(delete(&app, &client, &path).await, json!({}));
    let left = client.query(&format!("q=uuid={uuid}")).await;
    assert_eq!(storages_of(&left["inventories"][0]), [&second]);
    let nowhere = copy(&app, &client, &uuid, &first, &second).await;
    assert_eq!(
        nowhere["error"]["details"],
        format!("database backup[uuid:{uuid}] not found in backup storage[uuid:{first}]")
    );
    let path = format!("{BACKUPS}/{uuid}?backupStorageUuids={first}&backupStorageUuids={second}");
    assert_eq!(delete(&app, &client, &path).await, json!({}));
    assert_eq!(client.query("count=true").await["total"], 0);
}

#[tokio::test]
async fn an_export_is_downloaded_without_a_credential_until_it_is_ended() {
    let app = server("a dump of 16 B").await;
    let client = Client::log_in(&app).await;
    let (uuid, storage) = made(&app, &client).await;
    let path = format!("{BACKUPS}/{uuid}/backup-storage/{storage}/actions");
    let body = json!({"exportDatabaseBackupFromBackupStorage": {}});
    let exported = put(&app, &client, &path, body.clone()).await;
    let url = exported["databaseBackupUrl"].as_str().unwrap();
    let local = url.strip_prefix("http://backup.example:8080").unwrap();
    assert!(
        url.rsplit('.').next() == Some("gz") && url.len() <= 255,
        "{url}"
    );
    let listed = client.query(&format!("q=uuid={uuid}")).await;
    assert_eq!(
        listed["inventories"][0]["backupStorageRefs"][0]["exportUrl"],
        url
    );

    let answer = app.call(Method::GET, local, &[], "").await.expect(200);
    assert_eq!(answer.header("content-type"), "application/gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*answer.body)
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "a dump of 16 B");

    let again = put(&app, &client, &path, body).await;
    assert_eq!(
        again["error"]["details"],
        format!("database backup[uuid{uuid}] has been exported from backupStorage[uuid:{storage}]")
    );
    let end = format!("/zstack/v1/exported-database-backup/{uuid}/backup-storage/{storage}");
    assert_eq!(delete(&app, &client, &end).await, json!({}));
    app.call(Method::GET, local, &[], "").await.expect(404);
    assert_eq!(
        delete(&app, &client, &end).await["error"]["details"],
        format!(
            "database backup[uuid{uuid}] has not been exported from backupStorage[uuid:{storage}]"
        )
    );
}

#[tokio::test]
async fn a_sync_says_how_many_backups_have_come_and_gone() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (uuid, storage) = made(&app, &client).await;
    let ids: Vec<_> = app.snapshots().iter().map(|it| it.id).collect();
    app.engine().forget(&ids).unwrap();
    let path = format!("{BACKUPS}/imageStore/{storage}/actions");
    let synced = put(&app, &client, &path, json!({"syncDatabaseBackup": {}})).await;
    assert_eq!(
        synced,
        json!({
            "result": {"deletedBackupCount": 1, "newBackupCount": 0},
            "schema": {"result": "org.zstack.header.storage.backup.SyncBackupResult"},
        })
    );
    let gone = client.query(&format!("q=uuid={uuid}")).await;
    assert_eq!(gone["inventories"][0]["status"], "Deleted");
}

#[tokio::test]
async fn what_a_storage_holds_is_listed_for_whoever_can_log_in() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (uuid, _) = made(&app, &client).await;
    let password = app.tenant.password.expose();
    let list = async |user: &str, password: &str, path: &str| {
        let path = format!("{BACKUPS}/image-store?url=ssh://{user}:{password}@10.0.0.7{path}");
        client.get(&path).await
    };
    let stored = list("admin", password, "/default").await.expect(200).json();
    let backup = &stored["backups"][0];
    assert_eq!(backup["name"], "nightly");
    assert_eq!(backup["installPath"], format!("zstore://zsbak/{uuid}"));
    assert_eq!(backup["size"], 6);
    assert_eq!(stored["backups"].as_array().unwrap().len(), 1);
    for (user, secret, path) in [
        ("admin", "wrong", "/default"),
        ("nobody", password, "/default"),
        ("admin", password, "/elsewhere"),
    ] {
        let refused = list(user, secret, path).await.expect(503);
        let details = refused.json()["error"]["details"].to_string();
        assert!(!details.contains(secret), "{details}");
    }
    let illegal = client
        .get(&format!("{BACKUPS}/image-store?url=nonsense"))
        .await
        .expect(503);
    assert_eq!(
        illegal.json()["error"]["details"],
        "illegal url[nonsense], correct example is ssh://username:password@hostname[:sshPort]/path"
    );
}

#[tokio::test]
async fn what_a_recovery_lacks_is_said_in_the_vendors_words() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (uuid, _) = made(&app, &client).await;
    let path = format!("{BACKUPS}/actions");
    let recover = async |body: Value| {
        let body = json!({"recoverDatabaseFromBackup": body});
        put(&app, &client, &path, body).await["error"]["details"].clone()
    };
    assert_eq!(
        recover(json!({"uuid": uuid})).await,
        "field[mysqlRootPassword] of message[org.zstack.header.storage.database.backup.\
         APIRecoverDatabaseFromBackupMsg] is mandatory, can not be null"
    );
    assert_eq!(
        recover(json!({"mysqlRootPassword": "x"})).await,
        "installPath and bsUrl are both need"
    );
    let unknown = "0".repeat(32);
    assert_eq!(
        recover(json!({"uuid": unknown, "mysqlRootPassword": "x"})).await,
        format!("invalid field[uuid], resource[uuid:{unknown}, type:DatabaseBackupVO] not found")
    );
}

#[tokio::test]
async fn a_recovery_of_which_a_part_is_missing_has_failed() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (uuid, _) = made(&app, &client).await;
    let caller = Caller {
        face: Some(Face::Zstack),
        ..app.owner.clone()
    };
    let path = app.directory().join("recovered").display().to_string();
    let directory = RestoreTarget::Directory { path };
    let request = RequestRestore::of(uuid.parse().unwrap(), directory);
    let started = app.service.request_restore(&caller, request).await;
    let (restore, operation) = started.unwrap();
    app.work().await;
    let mut tx = app.store.begin().await.unwrap();
    let found = tx.restore(restore.tenant_id, restore.id).await.unwrap();
    let partial = Restore {
        state: RestoreState::Partial,
        reason: Some("1 entries were not restored exactly, first: `b`".to_owned()),
        ..found.unwrap()
    };
    tx.update_restore(&partial).await.unwrap();
    tx.commit().await.unwrap();
    let job = format!("/zstack/v1/api-jobs/{}", operation.id.simple());
    let error = &client.poll(&job).await.expect(503).json()["error"];
    assert_eq!(error["code"], "SYS.1006");
    assert_eq!(error["details"], partial.reason.unwrap());
}

#[tokio::test]
async fn a_storage_is_added_changed_disabled_and_removed() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let params = json!({
        "hostname": "10.0.0.7", "username": "root", "password": "a repository password",
        "sshPort": 2222, "url": "memory:added", "name": "added", "description": "on the attic",
        "importImages": false,
    });
    let path = format!("{STORAGES}/image-store");
    let added = job(
        &app,
        &client,
        Method::POST,
        &path,
        json!({"params": params}),
    )
    .await;
    let storage = &added["inventory"];
    assert_eq!(storage["hostname"], "10.0.0.7");
    assert_eq!(storage["sshPort"], 2222);
    assert_eq!(storage["description"], "on the attic");
    assert_eq!(storage["status"], "Connected");
    assert!(!added.to_string().contains("a repository password"));
    let uuid = storage["uuid"].as_str().unwrap().to_owned();

    let actions = format!("{STORAGES}/{uuid}/actions");
    let change = json!({"updateBackupStorage": {"name": "moved"}});
    let changed = put(&app, &client, &actions, change).await;
    assert_eq!(changed["inventory"]["name"], "moved");
    let off = json!({"changeBackupStorageState": {"stateEvent": "disable"}});
    let off = put(&app, &client, &actions, off).await;
    assert_eq!(off["inventory"]["state"], "Disabled");
    let refused = client
        .create(&json!({"name": "x", "backupStorageUuid": uuid}))
        .await;
    assert_eq!(
        client.poll(&refused).await.expect(503).json()["error"]["details"],
        format!("backup storage[uuid:{uuid}] is not enabled and connected")
    );
    let wrong = json!({"changeBackupStorageState": {"stateEvent": "explode"}});
    let wrong = put(&app, &client, &actions, wrong).await;
    assert_eq!(
        wrong["error"]["details"],
        "valid value for field[stateEvent] of message[org.zstack.header.storage.backup.\
         APIChangeBackupStorageStateMsg] are [enable, disable], but explode found"
    );
    let on = json!({"changeBackupStorageState": {"stateEvent": "enable"}});
    assert_eq!(
        put(&app, &client, &actions, on).await["inventory"]["state"],
        "Enabled"
    );
    let reconnect = json!({"reconnectBackupStorage": {}});
    let checked = put(&app, &client, &actions, reconnect).await;
    assert_eq!(checked["inventory"]["uuid"], uuid, "{checked}");
    assert_eq!(checked["inventory"]["status"], "Connected");
    assert_eq!(
        checked["schema"]["inventory"],
        "org.zstack.storage.backup.imagestore.ImageStoreBackupStorageInventory"
    );
    let disk = tempfile::tempdir().unwrap();
    let place = disk.path().join("store");
    let params = json!({
        "hostname": "h", "username": "u", "password": "p", "name": "disk",
        "url": place.display().to_string(),
    });
    let body = json!({ "params": params });
    let accepted = client
        .call(Method::POST, &format!("{STORAGES}/image-store"), &body)
        .await
        .expect(202)
        .json();
    let added = client.poll(&polling(&accepted)).await.expect(200).json();
    let added = added["inventory"]["uuid"].as_str().unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    let reconnect = json!({"reconnectBackupStorage": {}});
    let lost = put(
        &app,
        &client,
        &format!("{STORAGES}/{added}/actions"),
        reconnect,
    )
    .await;
    assert_eq!(lost["error"]["code"], "BS.1500", "{lost}");
    assert_eq!(
        lost["error"]["description"],
        "Unable to connect a backup storage"
    );
    let none = client
        .call(Method::PUT, &actions, &json!({"explode": {}}))
        .await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);

    let path = format!("{STORAGES}/{uuid}?deleteMode=Permissive");
    assert_eq!(delete(&app, &client, &path).await, json!({}));
    assert_eq!(delete(&app, &client, &path).await, json!({}));
    let (_, first) = made(&app, &client).await;
    let in_use = delete(&app, &client, &format!("{STORAGES}/{first}")).await;
    assert_eq!(in_use["error"]["code"], "SYS.1004");
}

#[tokio::test]
async fn an_image_store_is_changed_and_checked_at_its_own_path() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let uuid = app.repository.id.simple();
    let actions = format!("{STORAGES}/image-store/{uuid}/actions");
    let change = json!({"hostname": "10.0.0.8", "sshPort": 2022, "description": "moved"});
    let change = json!({ "updateImageStoreBackupStorage": change });
    let changed = put(&app, &client, &actions, change).await;
    let store = &changed["inventory"];
    assert_eq!(store["hostname"], "10.0.0.8");
    assert_eq!(store["sshPort"], 2022);
    assert_eq!(store["description"], "moved");
    let next = json!({"updateImageStoreBackupStorage": {"username": "backup"}});
    let next = put(&app, &client, &actions, next).await;
    assert_eq!(next["inventory"]["username"], "backup");
    assert_eq!(next["inventory"]["hostname"], "10.0.0.8");

    let secret = json!({"updateImageStoreBackupStorage": {"password": "another"}});
    let secret = put(&app, &client, &actions, secret).await;
    assert_eq!(secret["error"]["code"], "SYS.1006", "{secret}");
    let reconnect = json!({"reconnectImageStoreBackupStorage": {}});
    let checked = put(&app, &client, &actions, reconnect).await;
    assert_eq!(checked["inventory"]["username"], "backup", "{checked}");
    let none = client.call(Method::PUT, &actions, &json!({})).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn capacities_are_summed_over_the_storages_asked_for() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let limited = CreateRepository {
        capacity_bytes: Some(1000),
        ..CreateRepository::at("limited", "memory:limited")
    };
    let limited = app.service.create_repository(&app.owner, limited).await;
    let limited = limited.unwrap().id.simple();
    let expected = json!({"totalCapacity": 1000, "availableCapacity": 1000});
    for query in [
        "all=true".to_owned(),
        format!("backupStorageUuids={limited}"),
    ] {
        let path = format!("{STORAGES}/capacities?{query}");
        assert_eq!(
            client.get(&path).await.expect(200).json(),
            expected,
            "{query}"
        );
    }
    client
        .get(&format!("{STORAGES}/capacities"))
        .await
        .expect(503);
}

/// A client's own server: what it is told, and whether it answers well.
pub(crate) async fn listen(
    answers: Vec<StatusCode>,
) -> (String, mpsc::UnboundedReceiver<(HeaderMap, Value)>) {
    let (send, receive) = mpsc::unbounded_channel();
    let answers = std::sync::Arc::new(std::sync::Mutex::new(answers.into_iter()));
    let hook = async move |headers: HeaderMap, body: Bytes| {
        let body = serde_json::from_slice(&body).unwrap();
        send.send((headers, body)).unwrap();
        answers.lock().unwrap().next().unwrap_or(StatusCode::OK)
    };
    let router = Router::new().route("/hook", post(hook));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, receive)
}

#[tokio::test]
async fn a_client_is_called_back_until_it_has_heard_how_its_job_ended() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    database(&app, "orders", false).await;
    let (url, mut told) = listen(vec![StatusCode::SERVICE_UNAVAILABLE]).await;
    let background = strongroom_dialects::zstack::DIALECT.background.unwrap();
    let calling = tokio::spawn(background(app.service.clone()));
    let headers = [
        ("authorization", &*format!("OAuth {}", client.session)),
        ("content-type", "application/json"),
        ("x-web-hook", &url),
        ("x-job-uuid", "742a7c7d4a4f3a01b206632a40ac414f"),
    ];
    let storage = app.repository.id.simple();
    let body = json!({"params": {"name": "nightly", "backupStorageUuid": storage}});
    app.call(Method::POST, BACKUPS, &headers, body.to_string())
        .await
        .expect(202);
    app.work().await;
    let (first, body) = told.recv().await.unwrap();
    assert_eq!(first["x-job-uuid"], "742a7c7d4a4f3a01b206632a40ac414f");
    assert_eq!(first["x-job-success"], "true");
    assert_eq!(body["inventory"]["name"], "nightly");
    // It answered badly, so it is told again once its time has come.
    app.clock.advance(SignedDuration::from_secs(3));
    let (_, again) = told.recv().await.unwrap();
    assert_eq!(again, body);

    // A job that fails is told too.
    let headers = [
        headers[0],
        headers[1],
        headers[2],
        ("host", "backup.example"),
    ];
    app.call(Method::POST, BACKUPS, &headers, "{}")
        .await
        .expect(202);
    let (failed, body) = told.recv().await.unwrap();
    assert_eq!(failed["x-job-success"], "false");
    assert_eq!(body["error"]["code"], "SYS.1007");
    calling.abort();
    let bad = [headers[0], ("x-web-hook", "http://169.254.169.254/")];
    app.call(Method::POST, BACKUPS, &bad, "{}")
        .await
        .expect(400);
}
