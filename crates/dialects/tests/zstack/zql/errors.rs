//! What is wrong with a statement is said in the vendor's words.

use rstest::rstest;
use serde_json::json;
use strongroom_testkit::Engine;

use super::result;
use crate::{
    catalog::{catalog, encoded},
    client::Client,
};

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn bad_statements_are_refused_and_change_nothing(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    let class = "org.zstack.header.storage.database.backup.DatabaseBackupInventory";
    for (zql, code, details) in [
        ("", "SYS.1007", "field[zql] cannot be an empty string".to_owned()),
        ("query vminstance", "SYS.1000", "cannot find inventory with name[vminstance]".to_owned()),
        (
            "query databasebackup where",
            "SYS.1000",
            "error mismatched input '<EOF>' expecting ID at line 1:26, ckup wher".to_owned(),
        ),
        (
            "query databasebackup; drop table backups",
            "SYS.1000",
            "error mismatched input 'drop' expecting {'query', 'count', 'sum', 'search'} at line 1:22, sebackup; drop table".to_owned(),
        ),
        (
            "query databasebackup where backups = '1'",
            "SYS.1000",
            format!("inventory class[class {class}] not having field[backups]"),
        ),
        (
            "query databasebackup.id",
            "SYS.1000",
            "inventory[${selfInventoryClass}] has no field[id]".to_owned(),
        ),
        (
            "query backupstorage order by id asc",
            "SYS.1000",
            "invalid order by clause, inventory[BackupStorageInventory] doesn't have field[id]".to_owned(),
        ),
        (
            "count databasebackup group by tenant_id",
            "SYS.1000",
            format!("inventory class[class {class}] not having field[tenant_id]"),
        ),
        (
            "query databasebackup where zone.uuid = '1'",
            "SYS.1000",
            format!("invalid nested query condition[zone.uuid] on class {class},the expanded target[class {class}] have no expanded query[zone]"),
        ),
        (
            "query databasebackup where uuid = (query databasebackup.uuid)",
            "SYS.1000",
            "Subquery returns more than 1 row".to_owned(),
        ),
        (
            "query databasebackup where uuid in (query databasebackup.nothing)",
            "SYS.1000",
            format!("inventory class[class {class}] not having field[nothing]"),
        ),
        (
            "query databasebackup; query 数",
            "SYS.1000",
            "error token recognition error at: '数' at line 1:28, up; query ".to_owned(),
        ),
        (
            "query databasebackup\nwhere name ! 'a'",
            "SYS.1000",
            "error token recognition error at: '!' at line 2:11, here name ! 'a".to_owned(),
        ),
        (
            "query databasebackup return with (total, zwatch{x})",
            "SYS.1000",
            "cannot find any ReturnWithExtensionPoint dealing with zwatch".to_owned(),
        ),
        (
            "query sum(databasebackup.size)",
            "SYS.1000",
            "query grammar can't support, sum".to_owned(),
        ),
        (
            "query databasebackup where uuid in getapi(api='QueryHost', output='inventories.uuid')",
            "SYS.1006",
            "org.zstack.sdk.QueryHostAction".to_owned(),
        ),
        (
            "query databasebackup filter by x{",
            "SYS.1000",
            "error mismatched input '<EOF>' expecting '}' at line 1:33, lter by x".to_owned(),
        ),
        ("search 'x'", "SEARCH.1000", "search module disabled".to_owned()),
    ] {
        let path = format!("/v1/zql?zql={}", encoded(zql));
        let error = client.get(&path).await.expect(503).json()["error"].take();
        assert_eq!(error["code"], code, "{zql}");
        assert_eq!(error["details"], json!(details), "{zql}");
    }
    for value in [
        "' or '1'='1",
        "x'); delete from backups; --",
        "\\' or 1=1 #",
        "%' --",
    ] {
        for operator in ["=", "in", "like", "has"] {
            for field in [
                "uuid",
                "name",
                "metadata",
                "size",
                "createDate",
                "backupStorageRefs.installPath",
            ] {
                let zql = format!("count databasebackup where {field} {operator} \"{value}\"");
                let found = result(&client, &zql).await["total"].as_u64().unwrap();
                // As a number, text is 0.
                let zeros = if field == "size" && matches!(operator, "=" | "in" | "has") {
                    2
                } else {
                    0
                };
                assert_eq!(found, zeros, "{zql}");
            }
        }
    }
    assert_eq!(
        result(&client, "count databasebackup").await,
        json!({"total": 7})
    );
}

#[tokio::test]
async fn a_session_is_needed() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let headers = [("authorization", "OAuth 742a7c7d4a4f3a01b206632a40ac414f")];
    let path = "/zstack/v1/zql?zql=query%20backupstorage";
    let answer = app.call(axum::http::Method::GET, path, &headers, "").await;
    assert_eq!(answer.expect(503).json()["error"]["code"], "ID.1001");
}
