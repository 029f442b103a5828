//! Which backup a recovery means, and what it is refused for.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_service::repositories::CreateRepository;
use strongroom_testkit::TestApp;

use super::client::{Client, database, hashed, polling, server};

const PATH: &str = "/zstack/v1/database-backups/actions";

async fn refused(client: &Client<'_>, path: &str, recovery: Value) -> (String, String) {
    let body = json!({"recoverDatabaseFromBackup": recovery});
    let accepted = client
        .call(Method::PUT, path, &body)
        .await
        .expect(202)
        .json();
    let error = client.poll(&polling(&accepted)).await.expect(503).json()["error"].take();
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("code"), text("details"))
}

async fn stranger(app: &TestApp) -> Client<'_> {
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
    Client { app, session }
}

#[tokio::test]
async fn a_backup_is_named_by_uuid_or_by_storage_and_path() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let backup = client.back_up("nightly").await;
    let uuid = backup["uuid"].as_str().unwrap();
    let password = app.tenant.password.expose();
    let at = |storage: &str| {
        json!({
            "backupStorageUrl": format!("ssh://admin:{password}@10.0.0.7/{storage}"),
            "backupInstallPath": format!("zstore://zsbak/{uuid}"),
            "mysqlRootPassword": "x",
        })
    };
    // A command without a restore is as far as one comes who named the backup.
    for (path, recovery) in [
        (
            PATH.to_owned(),
            json!({"uuid": uuid, "mysqlRootPassword": "x"}),
        ),
        (
            format!("{PATH}?uuid={uuid}"),
            json!({"mysqlRootPassword": "x"}),
        ),
        (PATH.to_owned(), at("default")),
    ] {
        let (code, details) = refused(&client, &path, recovery).await;
        let text = "`target`: command `dump` has no restore command; restore to a directory";
        assert_eq!((code.as_str(), details.as_str()), ("SYS.1007", text));
    }
    let attic = CreateRepository::at("attic", "memory:attic");
    let attic = app
        .service
        .create_repository(&app.owner, attic)
        .await
        .unwrap();
    assert_eq!(
        refused(&client, PATH, at("attic")).await.1,
        format!(
            "database backup[uuid:{uuid}] not found in backup storage[uuid:{}]",
            attic.id.simple()
        )
    );
    let stranger = stranger(&app).await;
    let foreign = refused(
        &stranger,
        PATH,
        json!({"uuid": uuid, "mysqlRootPassword": "x"}),
    )
    .await;
    let text =
        format!("invalid field[uuid], resource[uuid:{uuid}, type:DatabaseBackupVO] not found");
    assert_eq!(foreign, ("SYS.1003".to_owned(), text));
}

#[tokio::test]
async fn a_backup_that_is_not_ready_is_not_recovered_from() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    client
        .create(&json!({"name": "a", "backupStorageUuid": storage}))
        .await;
    let found = client.query("q=status=Creating").await["inventories"].take();
    let uuid = found[0]["uuid"].as_str().unwrap();
    let details = format!("databaseBackup[uuid:{uuid}] is not Enabled and Ready");
    assert_eq!(
        refused(
            &client,
            PATH,
            json!({"uuid": uuid, "mysqlRootPassword": "x"})
        )
        .await,
        ("SYS.1007".to_owned(), details)
    );
}
