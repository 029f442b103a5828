//! What is said of a value that is refused.

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    bad_input::error,
    client::{Client, database, polling, server},
};

#[tokio::test]
async fn what_is_wrong_with_a_new_backup_is_said_of_the_field() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let foreign = app.another_tenant("other").await.1;
    let foreign = app.service.list_repositories(&foreign).await.unwrap()[0]
        .id
        .simple();
    let message = "org.zstack.header.storage.database.backup.APICreateDatabaseBackupMsg";
    let no_storage = |it: &str| {
        format!(
            "invalid field[backupStorageUuid], resource[uuid:{it}, type:BackupStorageVO] not found"
        )
    };
    let unknown = "b86c9016b4f24953a9edefb53ca0678c";
    for (params, code, details) in [
        (
            json!({}),
            "SYS.1007",
            format!("field[name] of message[{message}] is mandatory, can not be null"),
        ),
        (
            json!({"name": " "}),
            "SYS.1007",
            "field[name] cannot be an empty string".to_owned(),
        ),
        (
            json!({"name": "a", "description": "", "backupStorageUuid": storage}),
            "SYS.1007",
            "field[description] cannot be an empty string".to_owned(),
        ),
        (
            json!({"name": "a", "description": "é".repeat(1025), "backupStorageUuid": storage}),
            "SYS.1007",
            format!("field[description] of message[{message}] exceeds max length of string. expected was <= 1024, actual was 1025"),
        ),
        (
            json!({"name": "a", "backupStorageUuid": storage, "resourceUuid": "A"}),
            "SYS.1007",
            "resourceUuid[A] is not a valid uuid. A valid uuid is a UUID(v4 recommended) with '-' stripped".to_owned(),
        ),
        (
            json!({"name": "a"}),
            "SYS.1007",
            format!("field[backupStorageUuid] of message[{message}] is mandatory, can not be null"),
        ),
        (
            json!({"name": "a", "backupStorageUuid": unknown}),
            "SYS.1003",
            no_storage(unknown),
        ),
        (
            json!({"name": "a", "backupStorageUuid": foreign}),
            "SYS.1003",
            no_storage(&foreign),
        ),
    ] {
        let job = client.create(&params).await;
        let answer = client.poll(&job).await.expect(503).json();
        assert_eq!(error(&answer), (code.to_owned(), details));
    }
    assert_eq!(client.query("count=true").await["total"], 0);
}

#[tokio::test]
async fn a_word_is_one_of_the_fields_and_a_number_in_its_range() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let state = format!("/v1/backup-storage/{storage}/actions");
    let message = "org.zstack.header.storage.backup.APIChangeBackupStorageStateMsg";
    let session = format!("/v1/accounts/sessions/{}/renew", client.session);
    for (path, body, details) in [
        (
            &state,
            json!({"changeBackupStorageState": {"stateEvent": "explode"}}),
            format!(
                "valid value for field[stateEvent] of message[{message}] are [enable, disable], \
                 but explode found"
            ),
        ),
        (
            &session,
            json!({"renewSession": {"duration": 59}}),
            "field[duration] must be in range of [60, 31536000]".to_owned(),
        ),
    ] {
        let accepted = client.call(Method::PUT, path, &body).await.expect(202);
        let failed = client.poll(&polling(&accepted.json())).await.expect(503);
        assert_eq!(error(&failed.json()), ("SYS.1007".to_owned(), details));
    }
}

#[tokio::test]
async fn what_is_to_be_deleted_need_not_be_there_but_its_uuid_must_be_one() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let delete = async |uuid: &str| {
        let path = format!("/v1/database-backups/{uuid}");
        let accepted = client.call(Method::DELETE, &path, &Value::Null).await;
        client.poll(&polling(&accepted.expect(202).json())).await
    };
    let gone = delete("742a7c7d4a4f4a01a206632a40ac414f").await;
    assert_eq!(gone.expect(200).json(), json!({}));
    for uuid in ["short", "742a7c7d4a4f4a01a206632a40ac414g"] {
        let (code, details) = error(&delete(uuid).await.expect(503).json());
        assert_eq!(code, "SYS.1003");
        assert_eq!(details, format!("invalid value[{uuid}] of field [uuid]"));
    }
}

#[tokio::test]
async fn texts_are_trimmed_before_they_are_looked_at() {
    let app = server("x").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let storage = format!(" {} ", app.repository.id.simple());
    // With its blanks the name would be too long.
    let name = format!(" {} ", "x".repeat(255));
    let job = client
        .create(&json!({"name": name, "backupStorageUuid": storage}))
        .await;
    app.work().await;
    let made = client.poll(&job).await.expect(200).json();
    assert_eq!(made["inventory"]["name"], name.trim());
}
