//! A MariaDB server, backed up and recovered through the vendor's calls.

use std::process::Command;

use strongroom_domain::{ResourceKind, resource::Settings};
use strongroom_testkit::TestApp;

use super::{
    client::Client,
    servers::{Writers, ask, check_description, recover, told},
};

const EVERYTHING: &str = include_str!("../../../source/tests/databases/mariadb/everything.sql");

fn sql(statements: &str) -> String {
    let mut client = Command::new("mariadb");
    let socket = format!("--socket={}", told("STRONGROOM_TEST_MARIADB"));
    client.args([
        "--no-defaults",
        "--user=root",
        "--batch",
        "--skip-column-names",
        &socket,
    ]);
    ask(&mut client, statements)
}

/// The checksum of every table that nobody writes to.
fn checksums(database: &str) -> String {
    let names = sql(&format!(
        "SELECT GROUP_CONCAT(CONCAT('`', REPLACE(table_name, '`', '``'), '`') ORDER BY 1) \
         FROM information_schema.tables WHERE table_schema = '{database}' \
         AND table_type = 'BASE TABLE' AND table_name NOT IN ('accounts', 'transfers')"
    ));
    sql(&format!(
        "USE {database}; CHECKSUM TABLE {} EXTENDED",
        names.trim()
    ))
}

#[tokio::test]
async fn a_server_is_backed_up_while_others_write_dropped_and_recovered() {
    let name = format!("zstack_{}", std::process::id());
    // Besides none, as the set-up has it, `root` takes the password that the vendor asks for.
    sql(
        "ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('sesame') \
         OR mysql_native_password USING ''",
    );
    sql(&EVERYTHING.replace("DB", &name));
    sql(&format!(
        "USE {name}; CREATE TABLE accounts (id INT PRIMARY KEY, balance INT) ENGINE=InnoDB; \
         INSERT INTO accounts VALUES (1, 1000), (2, 1000); \
         CREATE TABLE transfers (id INT PRIMARY KEY, amount INT) ENGINE=InnoDB"
    ));
    let before = checksums(&name);
    let app = TestApp::start().await;
    let pairs = [
        ("socket", told("STRONGROOM_TEST_MARIADB")),
        ("user", "root".to_owned()),
        ("databases", name.clone()),
        ("default", "true".to_owned()),
    ];
    let settings = Settings(pairs.map(|(key, value)| (key.to_owned(), value)).into());
    app.resource(ResourceKind::Mariadb, "shop", settings).await;
    let client = Client::log_in(&app).await;

    let database = name.clone();
    let writers = Writers::start(move |number| {
        sql(&format!(
            "USE {database}; START TRANSACTION; \
             UPDATE accounts SET balance = balance - 1 WHERE id = 1; \
             INSERT INTO transfers VALUES ({number}, 1); \
             UPDATE accounts SET balance = balance + 1 WHERE id = 2; COMMIT"
        ));
    });
    let backup = client.back_up("nightly").await;
    writers.stop();
    assert_eq!(backup["status"], "Ready", "{backup}");
    check_description(&app, &client, &backup).await;
    sql(&format!("DROP DATABASE {name}"));

    let refused = recover(&app, &client, &backup, "a wrong password").await;
    let details = refused["error"]["details"].as_str().unwrap();
    assert!(
        details.starts_with("not pass the restore security check"),
        "{details}"
    );
    assert!(!details.contains("a wrong password"), "{details}");
    let done = recover(&app, &client, &backup, "sesame").await;
    assert_eq!(done, serde_json::json!({}));
    assert_eq!(checksums(&name), before);
    let invariant = format!(
        "USE {name}; SELECT SUM(balance), (SELECT COALESCE(SUM(amount), 0) FROM transfers) = \
         (SELECT balance - 1000 FROM accounts WHERE id = 2) FROM accounts"
    );
    assert_eq!(sql(&invariant), "2000\t1\n");
    sql(&format!("DROP DATABASE {name}"));
}
