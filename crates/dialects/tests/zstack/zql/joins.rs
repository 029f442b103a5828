//! Rows of one inventory beside those of others.

use rstest::rstest;
use serde_json::json;
use strongroom_testkit::Engine;

use super::{names, result};
use crate::{
    catalog::{catalog, encoded},
    client::Client,
};

/// The copies of backups.
const COPIES: &str = "databasebackupstorageref on \
    databasebackup.uuid = databasebackupstorageref.databaseBackupUuid";
/// The storages of copies.
const STORAGES: &str =
    "backupstorage on databasebackupstorageref.backupStorageUuid = backupstorage.uuid";

/// A rule, what follows `query`, and the names of the rows; `COPIES` and `BOTH` stand for the joins.
const RULES: &[(&str, &str, &[&str])] = &[
    (
        "a row is there as often as it was found with another",
        "databasebackup inner join COPIES where size < 6 order by createDate asc",
        &["alpha", "alpha", "gamma,delta", "数据库"],
    ),
    (
        "different rows are there once",
        "distinct(databasebackup) inner join COPIES where size < 6 order by createDate asc",
        &["alpha", "gamma,delta", "数据库"],
    ),
    (
        "a row without another is left out",
        "databasebackup inner join COPIES where status = 'Failed'",
        &[],
    ),
    (
        "unless the join is a left one",
        "databasebackup left join COPIES where status = 'Failed'",
        &["beta "],
    ),
    (
        "what a left join leaves open is NULL",
        "databasebackup left join COPIES where databasebackupstorageref.status != 'x' \
         and status = 'Failed'",
        &[],
    ),
    (
        "of a right join there is nothing to show where the row is missing",
        "databasebackup right join backupstorage on databasebackup.name = backupstorage.url",
        &[],
    ),
    (
        "a join over two inventories, and a condition on the last",
        "databasebackup BOTH where backupstorage.name = 'REMOTE' order by name asc",
        &["alpha", "Beta"],
    ),
    (
        "the right side of and is everything that follows",
        "databasebackup BOTH where backupstorage.name = 'remote ' \
         and backupstorage.totalCapacity = 13107 or size = 5",
        &["Beta"],
    ),
    (
        "columns are compared in where as in on",
        "databasebackup BOTH where databasebackup.lastOpDate < backupstorage.createDate \
         and size = 0 order by name asc",
        &[],
    ),
    (
        "the order may be that of another inventory",
        "databasebackup BOTH where status = 'Ready' and size < 13108 \
         order by backupstorage.totalCapacity desc, name desc limit 1",
        &["alpha"],
    ),
    (
        "on may have several conditions",
        "databasebackup inner join backupstorage on databasebackup.uuid != backupstorage.uuid \
         and backupstorage.name = 'default' where size = 5",
        &["数据库"],
    ),
    (
        "text is compared without case",
        "backupstorage inner join imagestorebackupstorage \
         on backupstorage.name = imagestorebackupstorage.name \
         where imagestorebackupstorage.totalCapacity = 13107 order by createDate asc",
        &["Remote", "remote "],
    ),
    (
        "like takes its pattern from a column",
        "backupstorage inner join imagestorebackupstorage \
         on backupstorage.name like imagestorebackupstorage.name where name like 'Ёж%'",
        &["Ёж%_x"],
    ),
    (
        "nested names stand beside a join",
        "databasebackup inner join COPIES where backupStorageRefs.backupStorage.name = 'remote' \
         and size = 0 limit 1",
        &["alpha"],
    ),
];

/// `query` and what follows it, with the joins written out.
fn written(text: &str) -> String {
    let both = format!("inner join {COPIES} inner join {STORAGES}");
    text.replace("COPIES", COPIES).replace("BOTH", &both)
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_kind_of_join_has_its_rows(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    for (rule, zql, expected) in RULES {
        let zql = format!("query {}", written(zql));
        assert_eq!(names(&client, &zql).await, *expected, "{rule}");
    }
}

#[tokio::test]
async fn joined_rows_are_counted_grouped_and_summed() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    for (zql, expected) in [
        (
            "count databasebackup BOTH where size = 0",
            json!({"total": 3}),
        ),
        (
            "count distinct(databasebackup) BOTH where size = 0",
            json!({"total": 2}),
        ),
        (
            "count databasebackup BOTH where backupstorage.name = 'default' group by status \
             order by groupCount desc limit 1",
            json!({"total": 6, "inventoryCounts": [[{"status": "Ready"}, 3]]}),
        ),
        (
            "query databasebackup.name BOTH where size = 0 return with (total) \
             order by createDate asc limit 1 offset 1",
            json!({"inventories": [{"name": "alpha"}], "total": 3}),
        ),
        (
            "query max(databasebackup.size) BOTH where backupstorage.name = 'remote'",
            json!({"inventoryAggregateFunctions": [[{"size": 13107}, 13107]]}),
        ),
    ] {
        assert_eq!(result(&client, &written(zql)).await, expected, "{zql}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_join_is_said() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let many = " inner join backupstorage on a.b = c.d".repeat(9);
    for (zql, details) in [
        (
            " inner join vminstance on a.b = c.d",
            "cannot find inventory with name[vminstance]",
        ),
        (
            " inner join backupstorage on databasebackup.foo = backupstorage.uuid",
            "inventory class[class org.zstack.header.storage.database.backup.\
             DatabaseBackupInventory] not having field[foo]",
        ),
        (
            " inner join backupstorage on databasebackup.uuid = nothing.uuid",
            "cannot find inventory with name[nothing]",
        ),
        (
            " inner join backupstorage on databasebackup.uuid = longjob.uuid",
            "cannot find inventory with name[longjob]",
        ),
        (
            " join backupstorage on a.b = c.d",
            "error mismatched input 'join' expecting <EOF> at line 1:21, asebackup join backu",
        ),
        (
            " left join backupstorage where a = 1",
            "error mismatched input 'where' expecting 'on' at line 1:45, upstorage where a = ",
        ),
        (many.as_str(), "there are more than 8 joins"),
    ] {
        let zql = format!("query databasebackup{zql}");
        let path = format!("/v1/zql?zql={}", encoded(&zql));
        let error = client.get(&path).await.expect(503).json()["error"].take();
        assert_eq!(error["details"], details, "{zql}");
    }
}
