//! Which rows a statement finds.

use rstest::rstest;
use serde_json::Value;
use strongroom_domain::{Backup, BackupId};
use strongroom_testkit::Engine;
use uuid::Uuid;

use super::{names, result};
use crate::{
    catalog::{backup_id, catalog},
    client::Client,
};

const TABLE: &[(&str, &[&str])] = &[
    ("query databasebackup where name = 'ALPHA'", &["alpha"]),
    (
        "query DatabaseBackup where name in ('alpha', 'beta') order by createDate asc",
        &["alpha", "Beta", "beta "],
    ),
    (
        "query databasebackup where size >= 13107 and status = 'Ready' order by size desc",
        &["100%_done", "Beta"],
    ),
    (
        "query databasebackup where (name = 'alpha' or name = 'beta') and status = 'Ready' order by name desc",
        &["Beta", "alpha"],
    ),
    // The right side of `and` is everything that follows.
    (
        "query databasebackup where status = 'Failed' and name = 'alpha' or name = 'beta'",
        &["beta "],
    ),
    (
        "query databasebackup where description is null order by createDate desc",
        &["gamma,delta", "Beta"],
    ),
    (
        "query databasebackup where description is not null and name not like '%a%' order by createDate asc",
        &["100%_done", "数据库", "' or 1=1 --"],
    ),
    (
        "query databasebackup where name = \"' or 1=1 --\"",
        &["' or 1=1 --"],
    ),
    (
        "query databasebackup where backupStorageRefs.backupStorage.name = 'default' and size = 5",
        &["数据库"],
    ),
    (
        "query databasebackup where backupStorageRefs.backupStorageUuid in (query backupstorage.uuid where name = 'nothing')",
        &[],
    ),
    (
        "query databasebackup where uuid not in (query databasebackup.backupStorageRefs.databaseBackupUuid)",
        &["beta "],
    ),
    (
        "query databasebackup where name = (query databasebackup.name where size = 7)",
        &["' or 1=1 --"],
    ),
    (
        "query databasebackup where name has ('alpha') or name has ('alpha','beta')",
        &["alpha"],
    ),
    (
        "query databasebackup where description not has ('first one') and size < 6 order by createDate asc",
        &["gamma,delta", "数据库"],
    ),
    (
        "query databasebackup where __userTag__ != 'x' and size = 5",
        &["数据库"],
    ),
    (
        "query databasebackup restrict by (databasebackup.size > 6, name like '%1=1%')",
        &["' or 1=1 --"],
    ),
    // Neither case nor trailing blanks count, on either side of the catalog.
    (
        "query databasebackup order by name asc, createDate desc",
        &[
            "' or 1=1 --",
            "100%_done",
            "alpha",
            "beta ",
            "Beta",
            "gamma,delta",
            "数据库",
        ],
    ),
    (
        "query databasebackup order by status desc, size desc",
        &[
            "' or 1=1 --",
            "100%_done",
            "Beta",
            "alpha",
            "beta ",
            "数据库",
            "gamma,delta",
        ],
    ),
    (
        "query databasebackup order by createDate asc limit 2 offset 1",
        &["Beta", "beta "],
    ),
    (
        "query databasebackup order by size asc, createDate desc limit 3 offset 5",
        &["Beta", "100%_done"],
    ),
    ("query databasebackup order by createDate asc limit 0", &[]),
    (
        "query backupstorage where totalCapacity > 13107",
        &["Remote"],
    ),
    (
        "query backupstorage where name like 'remote%' order by createDate desc",
        &["remote ", "Remote"],
    ),
    (
        "query imagestorebackupstorage where status = 'Disconnected'",
        &["remote "],
    ),
    (
        "query backupstorage where uuid in (query databasebackup.backupStorageRefs.backupStorageUuid) order by name asc",
        &["default", "Remote", "remote ", "Ёж%_x"],
    ),
    (
        "query backupstorage.name where name = 'Remote' order by name asc limit 1",
        &["Remote"],
    ),
    // Names of inventories have no case.
    ("query DATABASEBACKUP where name='alpha'", &["alpha"]),
    // Two quotes stand for one, and a backslash for what MySQL takes it for.
    (
        "query databasebackup where name = ''' or 1=1 --'",
        &["' or 1=1 --"],
    ),
    (
        r"query databasebackup where description = 'it''s\\quoted'",
        &["100%_done"],
    ),
    (
        r"query databasebackup where name like '100\%%'",
        &["100%_done"],
    ),
    // No letter has a case.
    (
        "query databasebackup where description = 'été Οδος'",
        &["' or 1=1 --"],
    ),
    (
        "query databasebackup where description in ('x', 'été Οδος')",
        &["' or 1=1 --"],
    ),
    (
        "query databasebackup where description like 'É%'",
        &["' or 1=1 --"],
    ),
    ("query backupstorage where name like 'ЁЖ%'", &["Ёж%_x"]),
    // Values of any kind.
    ("query databasebackup where size = 5.0", &["数据库"]),
    (
        "query databasebackup where size > -1 and size < 6 order by size desc limit 1",
        &["数据库"],
    ),
    (
        "query databasebackup where name in list('alpha', 'x')",
        &["alpha"],
    ),
    // Two columns of one row.
    (
        "query databasebackup where databasebackup.createDate < databasebackup.lastOpDate and size = 5",
        &["数据库"],
    ),
    (
        "query databasebackup where databasebackup.createDate = databasebackup.lastOpDate",
        &[],
    ),
    (
        "query databasebackup where uuid in (query databasebackup.uuid where databasebackup.name = databasebackup.description)",
        &[],
    ),
    // Filters are read, and nothing is done with them.
    (
        "query databasebackup where size = 5 filter by x{a{b}c}, y{} named as 'n'",
        &["数据库"],
    ),
    // An order by a column of the statement's own inventory.
    (
        "query databasebackup order by databasebackup.createDate desc limit 1",
        &["' or 1=1 --"],
    ),
];

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_statement_selects_its_rows(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    for (zql, expected) in TABLE {
        assert_eq!(names(&client, zql).await, *expected, "{zql}");
        assert_eq!(result(&client, zql).await["total"], Value::Null, "{zql}");
    }
}

#[tokio::test]
async fn there_is_no_limit_unless_one_is_given() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let one = app.service.backup(&app.owner, backup_id(0)).await.unwrap();
    let mut tx = app.store.begin().await.unwrap();
    for at in 0..1000 {
        let backup = Backup {
            id: BackupId::from_uuid(Uuid::from_u128(0xef01_4000_8000 << 64 | at)),
            ..one.clone()
        };
        tx.insert_backup(&backup).await.unwrap();
    }
    tx.commit().await.unwrap();
    let found = names(&client, "query databasebackup.name").await;
    assert_eq!(found.len(), 1007);
}

/// The inventories of copies are inventories too.
#[tokio::test]
async fn the_copies_of_all_backups_can_be_listed() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let all = result(&client, "count databasebackupstorageref").await;
    let listed = client.query("").await["inventories"].take();
    let copies = listed.as_array().unwrap().iter();
    let copies = copies.map(|it| it["backupStorageRefs"].as_array().unwrap().len());
    assert_eq!(all["total"], copies.sum::<usize>());
    let zql = "query databasebackupstorageref where status = 'Deleted'";
    let found = result(&client, zql).await["inventories"].take();
    assert_eq!(found[0]["databaseBackupUuid"], backup_id(5).simple());
    assert_eq!(found.as_array().unwrap().len(), 1);
}
