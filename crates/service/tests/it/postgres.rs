//! A PostgreSQL server through the whole service: backed up, emptied, restored, compared.

use std::process::Command;

use strongroom_domain::{
    BackupState, Resource, ResourceKind, resource::Settings, restore::RestoreState,
};
use strongroom_testkit::TestService;

use crate::servers::{ask, back_up_twice, check_server, restore_in_place, told};

const EVERYTHING: &str = include_str!("../../../source/tests/databases/postgres/everything.sql");

/// The directory with the socket of the server, whose address ends with it.
fn socket() -> String {
    let url = told("STRONGROOM_TEST_POSTGRES");
    url.split_once("?host=").unwrap().1.to_owned()
}

fn sql(database: &str, statements: &str) -> String {
    let mut client = Command::new("psql");
    client.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
    client.args([
        "--set=ON_ERROR_STOP=1",
        "--username=postgres",
        "--host",
        &socket(),
    ]);
    ask(client.arg(format!("--dbname={database}")), statements)
}

/// A checksum over all rows of every table of a database, and over its large objects.
fn checksums(database: &str) -> String {
    let queries = sql(
        database,
        "SELECT format('SELECT %L, count(*), md5(string_agg(t::text, E''\\n'' ORDER BY t::text))
             FROM %I.%I t;', tablename, schemaname, tablename) FROM pg_tables
         WHERE schemaname !~ '^pg_|information_schema' ORDER BY schemaname, tablename;
         SELECT 'SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata;'",
    );
    assert_eq!(queries.matches("FROM").count(), 8, "{queries}");
    sql(database, &queries)
}

async fn register(t: &TestService, databases: &str) -> Resource {
    let pairs = [
        ("socket", &*socket()),
        ("user", "postgres"),
        ("databases", databases),
    ];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let settings = Settings(pairs.into());
    t.resource(ResourceKind::Postgres, "shop", settings).await
}

#[tokio::test]
async fn databases_are_backed_up_once_dropped_and_restored_as_they_were() {
    let [one, two] = ["one", "two"].map(|it| format!("service_{it}_{}", std::process::id()));
    for name in [&one, &two] {
        sql("postgres", &format!("CREATE DATABASE {name}"));
        sql(name, EVERYTHING);
        sql(
            name,
            &format!(
                "CREATE TABLE bulk AS SELECT n, md5(n || '{name}') AS v
                 FROM generate_series(1, 400000) n"
            ),
        );
    }
    let before = [&one, &two].map(|it| checksums(it));
    let t = TestService::start().await;
    let resource = register(&t, &format!("{one},{two}")).await;
    let backup = back_up_twice(&t, &resource).await;
    check_server(&backup, "PostgreSQL", 2);
    for name in [&one, &two] {
        sql("postgres", &format!("DROP DATABASE {name}"));
    }

    let restore = restore_in_place(&t, &backup, &[]).await;
    assert_eq!(
        restore.state,
        RestoreState::Completed,
        "{:?}",
        restore.reason
    );
    assert_eq!([&one, &two].map(|it| checksums(it)), before);

    sql(&two, "DELETE FROM bulk");
    sql("postgres", &format!("DROP DATABASE {one}"));
    let restore = restore_in_place(&t, &backup, &[&format!("/databases/{one}.dump")]).await;
    assert_eq!(
        restore.state,
        RestoreState::Completed,
        "{:?}",
        restore.reason
    );
    assert_eq!(checksums(&one), before[0]);
    assert_ne!(checksums(&two), before[1]);
}

#[tokio::test]
async fn a_dump_that_fails_leaves_neither_backup_nor_snapshot() {
    let name = format!("service_hidden_{}", std::process::id());
    sql(
        "postgres",
        &format!("CREATE DATABASE {name};\nCREATE ROLE {name} LOGIN;"),
    );
    sql(&name, "CREATE TABLE hidden (v int)");
    let t = TestService::start().await;
    let mut settings = register(&t, &name).await.settings;
    settings.0.insert("user".to_owned(), name.clone());
    let resource = t.resource(ResourceKind::Postgres, "other", settings).await;
    let backup = t.back_up(&resource).await;
    assert_eq!(backup.state, BackupState::Failed);
    let reason = backup.reason.unwrap();
    assert!(
        reason.contains("permission denied for table hidden"),
        "{reason}"
    );
    assert!(t.snapshots().is_empty());
}
