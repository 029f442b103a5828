//! A PostgreSQL server, backed up and recovered through the vendor's calls.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, process::Command};

use strongroom_domain::{ResourceKind, resource::Settings};
use strongroom_testkit::TestApp;

use super::{
    client::Client,
    servers::{Writers, ask, check_description, recover, told},
};

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

/// A checksum over all rows of every table that nobody writes to.
fn checksums(database: &str) -> String {
    let queries = sql(
        database,
        "SELECT format('SELECT %L, count(*), md5(string_agg(t::text, E''\\n'' ORDER BY t::text))
             FROM %I.%I t;', tablename, schemaname, tablename) FROM pg_tables
         WHERE schemaname !~ '^pg_|information_schema'
           AND tablename NOT IN ('accounts', 'transfers') ORDER BY schemaname, tablename",
    );
    sql(database, &queries)
}

#[tokio::test]
async fn a_server_is_backed_up_while_others_write_dropped_and_recovered() {
    let name = format!("zstack_{}", std::process::id());
    sql("postgres", &format!("CREATE DATABASE {name}"));
    sql(&name, EVERYTHING);
    sql(
        &name,
        "CREATE TABLE accounts (id int PRIMARY KEY, balance int);
         INSERT INTO accounts VALUES (1, 1000), (2, 1000);
         CREATE TABLE transfers (id int PRIMARY KEY, amount int)",
    );
    let before = checksums(&name);
    // This server trusts everybody else.
    sql(
        "postgres",
        &format!(
            "CREATE ROLE {name}_admin SUPERUSER LOGIN PASSWORD 'sesame';
             GRANT with_password TO {name}_admin"
        ),
    );
    let app = TestApp::start().await;
    let password_file = app.directory().join("password");
    std::fs::write(&password_file, "sesame\n").unwrap();
    std::fs::set_permissions(&password_file, Permissions::from_mode(0o600)).unwrap();
    let pairs = [
        ("socket", socket()),
        ("user", format!("{name}_admin")),
        ("password_file", password_file.to_str().unwrap().to_owned()),
        ("databases", name.clone()),
    ];
    let settings = Settings(pairs.map(|(key, value)| (key.to_owned(), value)).into());
    app.resource(ResourceKind::Postgres, "shop", settings).await;
    let client = Client::log_in(&app).await;

    let database = name.clone();
    let writers = Writers::start(move |number| {
        sql(
            &database,
            &format!(
                "BEGIN; UPDATE accounts SET balance = balance - 1 WHERE id = 1;
                 INSERT INTO transfers VALUES ({number}, 1);
                 UPDATE accounts SET balance = balance + 1 WHERE id = 2; COMMIT"
            ),
        );
    });
    let backup = client.back_up("nightly").await;
    writers.stop();
    assert_eq!(backup["status"], "Ready", "{backup}");
    check_description(&app, &client, &backup).await;
    sql("postgres", &format!("DROP DATABASE {name}"));

    let refused = recover(&app, &client, &backup, "a wrong password").await;
    assert_eq!(refused["error"]["code"], "SYS.1006", "{refused}");
    let done = recover(&app, &client, &backup, "sesame").await;
    assert_eq!(done, serde_json::json!({}));
    assert_eq!(checksums(&name), before);
    let invariant = "SELECT sum(balance), (SELECT coalesce(sum(amount), 0) FROM transfers) =
         (SELECT balance - 1000 FROM accounts WHERE id = 2) FROM accounts";
    assert_eq!(sql(&name, invariant), "2000|t\n");
    for what in [format!("DATABASE {name}"), format!("ROLE {name}_admin")] {
        sql("postgres", &format!("DROP {what}"));
    }
}
