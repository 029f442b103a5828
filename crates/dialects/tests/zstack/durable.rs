//! What outlasts a call: jobs and callbacks after a restart, long lists; and what does not:
//! passwords.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::json;
use strongroom_domain::{Backup, BackupId, BackupState, Face, Page, query::Filter};
use strongroom_service::repositories::UpdateRepository;
use strongroom_testkit::{Database, Engine, TestApp, TestParts};
use tracing::{Event, Metadata, Subscriber, field::Field, field::Visit, span};
use uuid::Uuid;

use super::{
    actions::listen,
    client::{Client, database, hashed, server},
};

const BACKUPS: &str = "/zstack/v1/database-backups";

fn parts(database: &Database) -> TestParts {
    TestParts {
        database_url: Some(database.url().to_owned()),
        ..TestParts::with_command("dump", &["printf", "a dump"], Face::Zstack)
    }
}

/// Has due calls looked for.
async fn stir(app: &TestApp) {
    app.clock.advance(SignedDuration::from_secs(3));
    let change = UpdateRepository {
        enabled: Some(true),
        ..UpdateRepository::default()
    };
    let id = app.repository.id;
    app.service
        .update_repository(&app.owner, id, None, change)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_never_answers_well_is_called_15_times() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let (url, mut told) = listen(vec![StatusCode::SERVICE_UNAVAILABLE; 100]).await;
    let background = strongroom_dialects::zstack::DIALECT.background.unwrap();
    let calling = tokio::spawn(background(app.service.clone()));
    let session = format!("OAuth {}", client.session);
    let send = async |job: &str| {
        let headers = [
            ("authorization", session.as_str()),
            ("x-web-hook", url.as_str()),
            ("x-job-uuid", job),
        ];
        app.call(Method::POST, BACKUPS, &headers, "{}")
            .await
            .expect(202);
    };
    let (first, second) = ("a".repeat(32), "b".repeat(32));
    send(&first).await;
    let polled = client
        .poll(&format!("/v1/api-jobs/{first}"))
        .await
        .expect(503)
        .json();
    for _ in 0..15 {
        let (headers, body) = told.recv().await.unwrap();
        assert_eq!(headers["x-job-uuid"], first);
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(headers["x-job-success"], "false");
        assert_eq!(body, polled);
        stir(&app).await;
    }
    // Only the next job's calls follow, though the first one's would be due with them.
    send(&second).await;
    for _ in 0..2 {
        let (headers, _) = told.recv().await.unwrap();
        assert_eq!(headers["x-job-uuid"], second);
        stir(&app).await;
    }
    calling.abort();
}

#[tokio::test]
async fn a_job_and_a_call_that_is_due_outlast_a_restart() {
    let on_disk = Database::new(Engine::Postgres).await;
    let app = TestApp::with(parts(&on_disk)).await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let (url, mut told) = listen(Vec::new()).await;
    let job = "742a7c7d4a4f3a01b206632a40ac414f";
    let storage = app.repository.id.simple();
    let body = json!({"params": {
        "name": "nightly", "description": "of all", "backupStorageUuid": storage,
        "resourceUuid": "742a7c7d4a4f4a01a206632a40ac414f",
    }});
    let headers = [
        ("authorization", &*format!("OAuth {}", client.session)),
        ("x-web-hook", &url),
        ("x-job-uuid", job),
    ];
    app.call(Method::POST, BACKUPS, &headers, body.to_string())
        .await
        .expect(202);
    app.work().await;
    let poll = format!("/zstack/v1/api-jobs/{job}");
    let before = client.poll(&poll).await.expect(200).json();
    let made = &before["inventory"];
    let (created, changed) = (&made["createDate"], &made["lastOpDate"]);
    let uuid = "742a7c7d4a4f4a01a206632a40ac414f";
    assert_eq!(
        before,
        json!({"inventory": {
            "uuid": uuid, "name": "nightly", "description": "of all", "state": "Enabled",
            "status": "Ready", "size": 6,
            "metadata": format!(
                r#"{{"kind":"command","name":"nightly","createdTime":{created}}}"#
            ),
            "createDate": created, "lastOpDate": changed,
            "backupStorageRefs": [{
                "databaseBackupUuid": uuid, "backupStorageUuid": storage,
                "installPath": format!("zstore://zsbak/{uuid}"), "status": "Ready",
                "createDate": created, "lastOpDate": changed,
            }],
        }})
    );

    let app = app.restarted(parts(&on_disk)).await;
    app.clock.advance(SignedDuration::from_hours(4));
    let answer = app
        .call(Method::GET, &poll, &[("authorization", "OAuth null")], "")
        .await;
    assert_eq!(answer.expect(200).json(), before);
    let background = strongroom_dialects::zstack::DIALECT.background.unwrap();
    let calling = tokio::spawn(background(app.service.clone()));
    let (headers, body) = told.recv().await.unwrap();
    assert_eq!(
        (headers["x-job-uuid"].to_str().unwrap(), body),
        (job, before)
    );
    calling.abort();
}

#[tokio::test]
async fn a_query_gives_1000_rows_at_most_and_zql_all_of_them() {
    let app = server("x").await;
    let orders = database(&app, "orders", true).await;
    let (template, _) = app.request(&orders).await;
    let mut tx = app.store.begin().await.unwrap();
    for at in 0..1000 {
        let backup = Backup {
            id: BackupId::from_uuid(Uuid::from_u128(0xabcd_4000_8000 << 64 | at)),
            state: BackupState::Completed,
            ..template.clone()
        };
        tx.insert_backup(&backup).await.unwrap();
    }
    tx.commit().await.unwrap();
    let client = Client::log_in(&app).await;
    for (query, rows) in [
        ("replyWithCount=true", 1000),
        ("replyWithCount=true&limit=1001", 1001),
        ("replyWithCount=true&start=999&sort=name", 2),
    ] {
        let answer = client.query(query).await;
        assert_eq!(
            answer["inventories"].as_array().unwrap().len(),
            rows,
            "{query}"
        );
        assert_eq!(answer["total"], 1001, "{query}");
    }
    for order in [
        "",
        "%20order%20by%20status%20asc",
        "%20order%20by%20name%20desc",
    ] {
        let path = format!("/zstack/v1/zql?zql=query%20databasebackup.uuid{order}");
        let found = client.get(&path).await.expect(200).json()["results"][0]["inventories"].take();
        let found = found.as_array().unwrap().iter();
        let found: std::collections::HashSet<_> = found.map(|it| it["uuid"].to_string()).collect();
        assert_eq!(found.len(), 1001, "{order}");
    }
}

/// Writes down all that is logged.
#[derive(Debug, Default, Clone)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}: {value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn passwords_are_neither_logged_nor_kept_with_jobs_and_events() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let backup = client.back_up("nightly").await;
    let password = app.tenant.password.expose();
    let put = async |body| {
        let answer = client
            .call(Method::PUT, &format!("{BACKUPS}/actions"), &body)
            .await;
        answer.expect(202);
        app.work().await;
    };
    put(json!({"recoverDatabaseFromBackup": {
        "uuid": backup["uuid"], "mysqlRootPassword": "the root password",
    }}))
    .await;
    let url = |secret: &str| format!("ssh://admin:{secret}@10.0.0.7/default");
    put(json!({"recoverDatabaseFromBackup": {
        "backupStorageUrl": url(password), "mysqlRootPassword": "the root password",
        "backupInstallPath": backup["backupStorageRefs"][0]["installPath"],
    }}))
    .await;
    for (secret, status) in [(password, 200), ("a-wrong-one", 503)] {
        let path = format!("{BACKUPS}/image-store?url={}", url(secret));
        client.get(&path).await.expect(status);
    }
    let storage = json!({"params": {
        "hostname": "h", "username": "u", "password": "a repository password",
        "url": "memory:added", "name": "added",
    }});
    let path = "/zstack/v1/backup-storage/image-store";
    client.call(Method::POST, path, &storage).await.expect(202);

    let service = &app.service;
    let all = Filter::default();
    let operations = service.list_operations(&app.owner, &all, &[], &Page::ALL);
    let operations = operations.await.unwrap().items;
    assert!(operations.len() >= 4, "{operations:?}");
    let events = service
        .list_events(&app.owner, &Page::ALL)
        .await
        .unwrap()
        .items;
    let logged = log.0.lock().unwrap();
    assert!(logged.contains("image-store"), "{logged}");
    let kept = format!("{logged}\n{operations:?}\n{events:?}");
    for secret in [
        password,
        &hashed(password),
        "the root password",
        "a repository password",
        "a-wrong-one",
        &client.session,
    ] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
}
