//! The seed page: every documented member, with its documented type.

use serde_json::{Value, json};

use super::client::{Client, database, server};

/// The example of the vendor's page.
const EXAMPLE: &str = r#"{
"inventories": [
{
"uuid": "742a7c7d4a4f3a01b206632a40ac414f",
"name": "db-backup",
"description": "db-backup",
"size": 13107.0
}
]
}"#;

/// The members of an inventory by the page's table. `metadata` and `description` may be absent.
const MEMBERS: [(&str, &str); 10] = [
    ("uuid", "String"),
    ("name", "String"),
    ("description", "String"),
    ("state", "String"),
    ("status", "String"),
    ("size", "Long"),
    ("metadata", "String"),
    ("createDate", "Timestamp"),
    ("lastOpDate", "Timestamp"),
    ("backupStorageRefs", "List"),
];

/// The members of a reference; `exportUrl` is absent unless exported.
const REFERENCE: [(&str, &str); 6] = [
    ("databaseBackupUuid", "String"),
    ("backupStorageUuid", "String"),
    ("installPath", "String"),
    ("status", "String"),
    ("createDate", "Timestamp"),
    ("lastOpDate", "Timestamp"),
];

fn check(row: &Value, members: &[(&str, &str)]) {
    for (name, kind) in members {
        let value = &row[name];
        let fits = match *kind {
            "String" => value.is_string(),
            "Long" => value.is_u64(),
            "List" => value.is_array(),
            _ => value.as_str().is_some_and(is_timestamp),
        };
        assert!(fits, "{name} is no {kind}: {value}");
    }
    let known = |name: &String| members.iter().any(|(it, _)| it == name);
    assert!(row.as_object().unwrap().keys().all(known), "{row}");
}

fn is_timestamp(text: &str) -> bool {
    jiff::civil::DateTime::strptime("%b %d, %Y %I:%M:%S %p", text).is_ok()
}

#[tokio::test]
async fn the_answer_has_the_pages_members_with_the_pages_types() {
    let app = server(&"x".repeat(13107)).await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let params = json!({
        "name": "db-backup",
        "description": "db-backup",
        "backupStorageUuid": storage,
        "resourceUuid": "742a7c7d4a4f4a01b206632a40ac414f",
    });
    client.create(&params).await;
    app.work().await;
    let answer = client
        .query("q=uuid=742a7c7d4a4f4a01b206632a40ac414f")
        .await;
    let row = &answer["inventories"][0];
    check(row, &MEMBERS);
    check(&row["backupStorageRefs"][0], &REFERENCE);

    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    for (name, value) in example["inventories"][0].as_object().unwrap() {
        match name.as_str() {
            // A version 3 uuid, which a client may not choose for a backup, stands in the page.
            "uuid" => assert_eq!(row[name], "742a7c7d4a4f4a01b206632a40ac414f"),
            _ => assert_eq!(row[name].as_f64(), value.as_f64(), "{name}"),
        }
        assert_eq!(
            row[name].as_str().is_some(),
            value.as_str().is_some(),
            "{name}"
        );
    }
}
