//! What the answer to a statement looks like.

use rstest::rstest;
use serde_json::json;
use strongroom_testkit::Engine;

use super::{ask, result};
use crate::{catalog::catalog, client::Client};

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn counts_groups_and_sums_have_the_vendors_shapes(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    for (zql, expected) in [
        ("count databasebackup", json!({"total": 7})),
        (
            "count databasebackup where size > 5 named as 'n'",
            json!({"total": 4, "name": "n"}),
        ),
        ("count backupstorage", json!({"total": 4})),
        (
            "count databasebackup where status != 'Unknown' group by status order by groupCount desc limit 2",
            json!({"total": 6, "inventoryCounts": [[{"status": "Ready"}, 3], [{"status": "Deleted"}, 1]]}),
        ),
        (
            "count databasebackup where name = 'beta' group by name,size",
            json!({"total": 2, "inventoryCounts": [[{"name": "beta ", "size": 13107}, 2]]}),
        ),
        (
            "count databasebackup where size < 0 group by name",
            json!({"total": 0}),
        ),
        ("count databasebackup.description", json!({"total": 5})),
        ("count distinct(databasebackup.name)", json!({"total": 6})),
        (
            "query distinct(databasebackup.size) return with (total) order by size desc limit 1",
            json!({"inventories": [{"size": 9_007_199_254_740_993_u64}], "total": 5}),
        ),
        (
            "count databasebackup where description is not null group by description limit 0",
            json!({"total": 5}),
        ),
        (
            "query max(databasebackup.size) where size < 0",
            json!({"inventoryAggregateFunctions": [[{}, null]]}),
        ),
        (
            "query max(databasebackup.size,name) where size = 5",
            json!({"inventoryAggregateFunctions": [[{"size": 5, "name": "数据库"}, "数据库"]]}),
        ),
        (
            "sum databasebackup.size by status where size < 20000 order by size desc",
            json!({"inventories": [["Failed", 13107], ["Ready", 13107], ["Unknown", 7], ["Deleted", 5], ["Creating", 0]]}),
        ),
        (
            "sum backupstorage.totalCapacity,availableCapacity by status order by status asc limit 1 offset 1",
            json!({"inventories": [["Disconnected", 13107, 13107]]}),
        ),
        (
            "query databasebackup.name,size where size = 13107 return with (total) order by createDate asc limit 1 named as 'page'",
            json!({"inventories": [{"name": "Beta", "size": 13107}], "total": 2, "name": "page"}),
        ),
        (
            "query distinct(databasebackup.size) order by size desc limit 2 offset 1",
            json!({"inventories": [{"size": 13107}, {"size": 7}]}),
        ),
        (
            "query databasebackup.name where name like 'beta%' group by name order by createDate asc",
            json!({"inventories": [{"name": "Beta"}]}),
        ),
        // Not by the bytes of the letters, by which `Remote` would be the least.
        (
            "query min(backupstorage.name)",
            json!({"inventoryAggregateFunctions": [[{"name": "default"}, "default"]]}),
        ),
        (
            "query max(backupstorage.name) where totalCapacity is not null",
            json!({"inventoryAggregateFunctions": [[{"name": "remote "}, "remote "]]}),
        ),
        (
            "query max(databasebackup.size) where size < 20000",
            json!({"inventoryAggregateFunctions": [[{"size": 13107}, 13107]]}),
        ),
        (
            "query avg(backupstorage.totalCapacity) where name = 'remote ' or name = 'default' group by type",
            json!({"inventoryAggregateFunctions": [[{"type": "ImageStoreBackupStorage", "totalCapacity": 549_755_820_441.5}, 549_755_820_441.5]]}),
        ),
    ] {
        assert_eq!(result(&client, zql).await, expected, "{zql}");
    }
}

#[tokio::test]
async fn the_schema_names_every_row_of_every_statement() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let zql = "query databasebackup where size = 5; count backupstorage; \
               query backupstorage.uuid where name = 'default';";
    let answer = ask(&client, zql).await;
    let backups = "org.zstack.header.storage.database.backup";
    assert_eq!(
        answer["schema"],
        json!({
            "results[0]": "org.zstack.zql.ZQLQueryReturn",
            "results[0].inventories[0]": format!("{backups}.DatabaseBackupInventory"),
            "results[0].inventories[0].backupStorageRefs[0]":
                format!("{backups}.DatabaseBackupStorageRefInventory"),
            "results[1]": "org.zstack.zql.ZQLQueryReturn",
            "results[2]": "org.zstack.zql.ZQLQueryReturn",
            "results[2].inventories[0]": "org.zstack.header.storage.backup.BackupStorageInventory",
        })
    );
    let listed = client.query("q=size=5").await;
    assert_eq!(answer["results"][0]["inventories"], listed["inventories"]);
}
