//! What the answer to a query looks like.

use serde_json::{Value, json};
use strongroom_testkit::Engine;

use crate::{
    catalog::{ROWS, catalog, names},
    client::Client,
};

const BACKUP: &str = "org.zstack.header.storage.database.backup.DatabaseBackupInventory";
const COPY: &str = "org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory";

#[tokio::test]
async fn no_rows_are_an_empty_list_with_an_empty_schema() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let none = json!({"inventories": [], "schema": {}});
    assert_eq!(client.query("q=name=nothing").await, none);
    let counted = json!({"inventories": [], "schema": {}, "total": 0});
    let query = "q=name=nothing&replyWithCount=true";
    assert_eq!(client.query(query).await, counted);
}

#[tokio::test]
async fn without_a_sort_the_order_is_the_same_every_time() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let all = names(&client, "").await;
    assert_eq!(all.len(), ROWS.len());
    for at in 0..all.len() {
        let one = names(&client, &format!("limit=1&start={at}")).await;
        assert_eq!(one, all[at..=at]);
    }
}

#[tokio::test]
async fn null_is_left_out_and_numbers_are_whole() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let answer = client
        .query("q=name=Beta&q=size=13107&sort=createDate&limit=1")
        .await;
    let row = &answer["inventories"][0];
    assert_eq!(row.get("description"), None);
    assert_eq!(row["size"].to_string(), "13107");
    let copies = row["backupStorageRefs"].as_array().unwrap();
    assert!(
        copies.iter().all(|it| it.get("exportUrl").is_none()),
        "{row}"
    );
    let text = answer.to_string();
    assert!(!text.contains("null") && !text.contains("\"id\""), "{text}");
}

#[tokio::test]
async fn the_schema_names_each_object_after_the_one_that_it_is_in() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let path = "/zstack/v1/database-backups?sort=createDate&limit=2";
    let answer = client.get(path).await.expect(200);
    // `Beta` has two copies beside the one that every backup begins with.
    let expected = json!({
        "inventories[0]": BACKUP,
        "inventories[0].backupStorageRefs[0]": COPY,
        "inventories[0].backupStorageRefs[1]": COPY,
        "inventories[1]": BACKUP,
        "inventories[1].backupStorageRefs[0]": COPY,
        "inventories[1].backupStorageRefs[1]": COPY,
        "inventories[1].backupStorageRefs[2]": COPY,
    });
    assert_eq!(answer.json()["schema"], expected);
    let text = answer.text();
    let place = |path: &str| text.find(&format!("\"{path}\":")).unwrap();
    for (parent, child) in [
        ("inventories[0]", "inventories[0].backupStorageRefs[0]"),
        ("inventories[1]", "inventories[1].backupStorageRefs[0]"),
    ] {
        assert!(place(parent) < place(child), "{parent}");
    }
}

/// A path that is not in the answer makes the Java SDK fail.
#[tokio::test]
async fn the_schema_names_only_what_is_in_the_answer() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    for query in [
        "",
        "fields=name",
        "fields=uuid,backupStorageRefs",
        "q=status=Failed",
    ] {
        let answer = client.query(query).await;
        for path in answer["schema"].as_object().unwrap().keys() {
            let pointer = path.replace(['.', '['], "/").replace(']', "");
            let found = answer.pointer(&format!("/{pointer}"));
            assert!(found.is_some_and(Value::is_object), "{query}: {path}");
        }
    }
}

#[tokio::test]
async fn a_query_has_a_schema_whether_it_asks_for_one_or_not() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let authorization = format!("OAuth {}", client.session);
    let headers = [("authorization", authorization.as_str())];
    let path = "/zstack/v1/backup-storage";
    let answer = app.call(axum::http::Method::GET, path, &headers, "").await;
    let class = "org.zstack.header.storage.backup.BackupStorageInventory";
    assert_eq!(answer.expect(200).json()["schema"]["inventories[0]"], class);
}

#[tokio::test]
async fn a_time_is_shown_in_english_with_twelve_hours() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let rows = client.query("sort=createDate").await["inventories"].take();
    for row in rows.as_array().unwrap() {
        for member in ["createDate", "lastOpDate"] {
            let shown = row[member].as_str().unwrap();
            let at = jiff::civil::DateTime::strptime("%b %d, %Y %I:%M:%S %p", shown).unwrap();
            assert_eq!(at.strftime("%b %-d, %Y %-I:%M:%S %p").to_string(), shown);
        }
    }
}
