//! Log in, make a backup, poll the job, query, delete, log out.

use aws_lc_rs::hmac;
use axum::http::Method;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use strongroom_domain::query::Filter;
use strongroom_testkit::TestApp;

use super::client::{Client, database, hashed, polling, server};

const BACKUPS: &str = "/zstack/v1/database-backups";

#[tokio::test]
async fn a_backup_is_made_polled_queried_and_deleted() {
    let app = server("a dump of 16 B").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let storages = client
        .get("/zstack/v1/backup-storage")
        .await
        .expect(200)
        .json();
    let storage = storages["inventories"][0]["uuid"].as_str().unwrap();

    let job = client
        .create(&json!({"name": "nightly", "backupStorageUuid": storage}))
        .await;
    assert_eq!(client.poll(&job).await.expect(202).json(), json!({}));
    let listed = client.query("q=name=nightly").await;
    assert_eq!(listed["inventories"][0]["status"], "Creating");

    app.work().await;
    let made = client.poll(&job).await.expect(200).json();
    let backup = &made["inventory"];
    assert_eq!(backup["name"], "nightly");
    assert_eq!(backup["status"], "Ready");
    assert_eq!(backup["size"], 14);
    assert_eq!(backup["backupStorageRefs"][0]["backupStorageUuid"], storage);
    assert_eq!(
        made["schema"],
        json!({
            "inventory": "org.zstack.header.storage.database.backup.DatabaseBackupInventory",
            "inventory.backupStorageRefs[0]":
                "org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory",
        })
    );
    let uuid = backup["uuid"].as_str().unwrap();
    for path in [
        format!("{BACKUPS}/{uuid}"),
        format!("/v1/database-backups?q=uuid={uuid}"),
    ] {
        assert_eq!(
            client.get(&path).await.expect(200).json()["inventories"],
            json!([backup])
        );
    }

    // The Go SDK always adds `deleteMode`.
    let path = format!("{BACKUPS}/{uuid}?deleteMode=Permissive");
    let deleting = client
        .call(Method::DELETE, &path, &Value::Null)
        .await
        .expect(202);
    app.work().await;
    let deleted = client.poll(&polling(&deleting.json())).await.expect(200);
    assert_eq!(deleted.json(), json!({}));
    assert_eq!(
        client.query("count=true").await,
        json!({"total": 0, "schema": {}})
    );
    // The result of the job that made it is still there.
    assert_eq!(
        client.poll(&job).await.expect(200).json()["inventory"]["uuid"],
        uuid
    );
}

#[tokio::test]
async fn the_default_database_is_taken_and_none_if_that_is_not_clear() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let params = json!({"name": "a", "backupStorageUuid": storage});
    let details = async || {
        let job = client.create(&params).await;
        let error = client.poll(&job).await.expect(503).json();
        assert_eq!(error["error"]["code"], "SYS.1006");
        error["error"]["details"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        details().await,
        "fail to backup database: no database is registered"
    );
    database(&app, "one", false).await;
    database(&app, "two", false).await;
    assert_eq!(
        details().await,
        "fail to backup database: none of the 2 databases is the default one"
    );
    let default = database(&app, "three", true).await;
    client.back_up("b").await;
    let made = app.service.resource(&app.owner, default.id).await.unwrap();
    assert_eq!(made.name, "three");
    let page = strongroom_domain::Page::ALL;
    let backups = app
        .service
        .list_backups(&app.owner, &Filter::default(), &[], &page)
        .await;
    let of: Vec<_> = backups
        .unwrap()
        .items
        .into_iter()
        .map(|it| it.resource_id)
        .collect();
    assert_eq!(of, [default.id]);
}

#[tokio::test]
async fn a_dump_that_fails_fails_the_job_and_is_listed_as_failed() {
    let parts = strongroom_testkit::TestParts::with_command(
        "dump",
        &["sh", "-c", "echo half; echo no room >&2; exit 3"],
        strongroom_domain::Face::Zstack,
    );
    let app = TestApp::with(parts).await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let job = client
        .create(&json!({"name": "a", "backupStorageUuid": storage}))
        .await;
    app.work().await;
    let error = client.poll(&job).await.expect(503).json()["error"].clone();
    let details = error["details"].as_str().unwrap();
    assert!(
        details.starts_with("fail to backup database: "),
        "{details}"
    );
    assert_eq!(error["description"], "An operation failed");
    let listed = client.query("q=status=Failed").await["inventories"].clone();
    assert_eq!(listed[0]["backupStorageRefs"], json!([]));
}

#[tokio::test]
async fn a_client_chooses_the_uuids_of_job_and_backup_once() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let (job, backup) = (
        "0f5a7c7d4a4f4a01a206632a40ac414f",
        "742a7c7d4a4f4a01a206632a40ac414f",
    );
    let storage = app.repository.id.simple();
    let create = async |job: &str| {
        let body = json!({"params": {
            "name": "a", "backupStorageUuid": storage, "resourceUuid": backup,
        }});
        let authorization = format!("OAuth {}", client.session);
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-job-uuid", job),
            ("x-api-timeout", "60"),
            ("host", "backup.example:8080"),
        ];
        app.call(Method::POST, BACKUPS, &headers, body.to_string())
            .await
    };
    let accepted = create(job).await.expect(202).json();
    let location = format!("http://backup.example:8080/zstack/v1/api-jobs/{job}");
    assert_eq!(
        accepted,
        json!({"location": location, "apiTimeout": 60_000})
    );
    app.work().await;
    let made = client.poll(&polling(&accepted)).await.expect(200).json();
    assert_eq!(made["inventory"]["uuid"], backup);
    assert_eq!(made.get("schema"), None);

    let again = create(job).await.expect(400);
    assert_eq!(again.text(), format!("Duplicate job uuid[{job}]"));
    // The backup's uuid is taken too; the content of a call is answered by its job.
    let accepted = create("1f5a7c7d4a4f4a01a206632a40ac414f")
        .await
        .expect(202)
        .json();
    let error = client.poll(&polling(&accepted)).await.expect(503).json();
    assert_eq!(error["error"]["code"], "SYS.1007");
}

#[tokio::test]
async fn a_session_slides_can_be_renewed_and_ends() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let valid = async |uuid: &str| {
        let path = format!("/zstack/v1/accounts/sessions/{uuid}/valid");
        app.call(Method::GET, &path, &[], "")
            .await
            .expect(200)
            .json()["valid"]
            .clone()
    };
    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_mins(110));
        client.get(BACKUPS).await.expect(200);
    }
    let path = format!("/zstack/v1/accounts/sessions/{}/renew", client.session);
    let renewal = json!({"renewSession": {"duration": 86400}});
    let accepted = client
        .call(Method::PUT, &path, &renewal)
        .await
        .expect(202)
        .json();
    let renewed = client.poll(&polling(&accepted)).await.expect(200).json();
    assert_eq!(renewed["inventory"]["uuid"], client.session);
    app.clock.advance(SignedDuration::from_hours(23));
    assert_eq!(valid(&client.session).await, true);
    app.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(valid(&client.session).await, false);
    let error = client.get(BACKUPS).await.expect(503).json();
    assert_eq!(error["error"]["code"], "ID.1001");
    assert_eq!(error["error"]["details"], "Session expired");

    let other = Client::log_in(&app).await;
    for _ in 0..2 {
        let path = format!("/zstack/v1/accounts/sessions/{}", other.session);
        let answer = app.call(Method::DELETE, &path, &[], "").await.expect(200);
        assert_eq!(answer.text(), "{}");
    }
    other.get(BACKUPS).await.expect(503);
}

#[tokio::test]
async fn users_log_in_with_their_account_and_viewers_only_look() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let password = strongroom_domain::Secret::new("a long enough password");
    let role = strongroom_domain::Role::Viewer;
    app.service
        .create_principal(&app.owner, "eve", role, &password)
        .await
        .unwrap();
    for account in [
        json!({"accountName": app.tenant.tenant.name}),
        json!({"accountUuid": app.tenant.tenant.id.simple()}),
    ] {
        let mut login = account;
        login["userName"] = "eve".into();
        login["password"] = hashed(password.expose()).into();
        let path = "/v1/accounts/users/login";
        let body = json!({"logInByUser": login}).to_string();
        let answer = app
            .call(Method::PUT, path, &[], body)
            .await
            .expect(200)
            .json();
        let session = answer["inventory"]["uuid"].as_str().unwrap().to_owned();
        let client = Client { app: &app, session };
        client.get(BACKUPS).await.expect(200);
        let storage = app.repository.id.simple();
        let job = client
            .create(&json!({"name": "a", "backupStorageUuid": storage}))
            .await;
        let error = client.poll(&job).await.expect(503).json();
        assert_eq!(error["error"]["code"], "ID.1002");
    }
}

#[tokio::test]
async fn an_access_key_signs_requests() {
    let app = server("x").await;
    let key = &app.tenant.access_key;
    let sign = |secret: &str, date: &str, path: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        let message = format!("GET\n{date}\n{path}");
        BASE64_STANDARD.encode(hmac::sign(&key, message.as_bytes()))
    };
    let now = app.service.now();
    let date = |at: jiff::Timestamp| at.strftime("%a, %d %b %Y %H:%M:%S Etc/UTC").to_string();
    let get = async |id: &str, signature: &str, date: &str| {
        let authorization = format!("ZStack {id}:{signature}");
        let headers = [("authorization", authorization.as_str()), ("date", date)];
        app.call(
            Method::GET,
            "/zstack/v1/database-backups?limit=1",
            &headers,
            "",
        )
        .await
    };
    let (id, secret) = (key.credential.lookup.as_str(), key.secret_key.expose());
    let path = "/v1/database-backups";
    let today = date(now);
    get(id, &sign(secret, &today, path), &today)
        .await
        .expect(200);
    for (signature, wrong) in [
        (sign("another", &today, path), "wrong accessKey signature"),
        (
            sign(secret, &today, "/v1/backup-storage"),
            "wrong accessKey signature",
        ),
        ("?".to_owned(), "wrong accessKey signature"),
    ] {
        assert_eq!(get(id, &signature, &today).await.expect(403).text(), wrong);
    }
    let unknown = get("nobody", &sign(secret, &today, path), &today)
        .await
        .expect(403);
    assert_eq!(unknown.text(), "cannot find access key id[nobody]");
    let late = date(now - SignedDuration::from_mins(16));
    let skewed = get(id, &sign(secret, &late, path), &late).await.expect(403);
    assert_eq!(skewed.text(), "requestTimeTooSkewed");
}

#[tokio::test]
async fn other_tenants_and_other_faces_are_not_seen() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let uuid = client.back_up("mine").await["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let files = app.files_with("home", &[("a", b"1")]).await;
    let foreign_face = app.back_up(&files).await;

    let (other, _) = app.another_tenant("other").await;
    let login = json!({"logInByAccount": {
        "accountName": "other", "password": hashed(other.password.expose()),
    }});
    let path = "/zstack/v1/accounts/login";
    let answer = app
        .call(Method::PUT, path, &[], login.to_string())
        .await
        .expect(200)
        .json();
    let session = answer["inventory"]["uuid"].as_str().unwrap().to_owned();
    let stranger = Client { app: &app, session };

    for (client, uuid) in [
        (&stranger, uuid.as_str()),
        (&client, &foreign_face.id.simple()),
    ] {
        let nothing = json!({"inventories": [], "schema": {}});
        let path = format!("{BACKUPS}/{uuid}");
        assert_eq!(client.get(&path).await.expect(200).json(), nothing);
        assert_eq!(client.query(&format!("q=uuid={uuid}")).await, nothing);
        // Deleting what is not there succeeds and deletes nothing.
        let deleted = client
            .call(Method::DELETE, &path, &Value::Null)
            .await
            .expect(202);
        let deleted = client.poll(&polling(&deleted.json())).await.expect(200);
        assert_eq!(deleted.json(), json!({}));
    }
    app.work().await;
    assert_eq!(client.query("replyWithCount=true").await["total"], 1);
    let state = app
        .service
        .backup(&app.owner, foreign_face.id)
        .await
        .unwrap()
        .state;
    assert_eq!(state, strongroom_domain::BackupState::Completed);
    let storages = stranger.get("/zstack/v1/backup-storage").await.json();
    let mine = json!(app.repository.id.simple());
    assert!(
        storages["inventories"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["uuid"] != mine)
    );
}

#[tokio::test]
async fn jobs_of_other_faces_are_not_told() {
    let app = server("x").await;
    let files = app.files_with("home", &[("a", b"1")]).await;
    let (_, operation) = app.request(&files).await;
    let path = format!("/zstack/v1/api-jobs/{}", operation.id.simple());
    let answer = app.call(Method::GET, &path, &[], "").await.expect(404);
    assert_eq!(answer.text(), "the job has been expired");
}
