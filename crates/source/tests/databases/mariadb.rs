//! `mariadb` with a real server.

mod own;
mod rights;

use std::{io::Read, process::Command};

use serde_json::json;
use strongroom_domain::{ResourceKind, Secret, tree::Overwrite};
use strongroom_source::{RestoreTarget, SourceError};

use self::own::Own;
use crate::common::{Resource, certificate, free_port, open, password_file, programs, run, told};

const EVERYTHING: &str = include_str!("mariadb/everything.sql");

fn socket() -> String {
    told(
        "STRONGROOM_TEST_MARIADB",
        "mariadb-server-core mariadb-client mariadb-backup",
    )
}

/// Runs statements as root.
fn sql_at(socket: &str, statements: &str) -> String {
    let mut client = Command::new("mariadb");
    client.args([
        "--no-defaults",
        "--user=root",
        "--batch",
        "--raw",
        "--skip-column-names",
        "--comments",
    ]);
    client.arg(format!("--socket={socket}"));
    run(&mut client, statements)
}

fn sql(statements: &str) -> String {
    sql_at(&socket(), statements)
}

/// A name that no other test uses.
fn unique(name: &str) -> String {
    format!("{name}_{}", std::process::id())
}

/// An empty database.
fn database(name: &str) -> String {
    let name = unique(name);
    sql(&format!("CREATE OR REPLACE DATABASE `{name}`"));
    name
}

/// The shared server, as root, with these databases.
fn server(databases: &str) -> Resource {
    let pairs = [
        ("socket", &*socket()),
        ("user", "root"),
        ("databases", databases),
    ];
    Resource::new(ResourceKind::Mariadb, &pairs)
}

/// All that a database of the shared server holds, as the server tells it.
fn fingerprint(database: &str) -> String {
    fingerprint_by(&sql, database)
}

/// The same of a server that answers statements.
pub(crate) fn fingerprint_by(sql: &dyn Fn(&str) -> String, database: &str) -> String {
    let tables = sql(&format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}' \
         ORDER BY 1"
    ));
    let mut text = sql(&format!("SHOW CREATE DATABASE `{database}`"));
    for table in tables.lines() {
        let table = format!("`{database}`.`{}`", table.replace('`', "``"));
        text += &sql(&format!(
            "SHOW CREATE TABLE {table}; CHECKSUM TABLE {table} EXTENDED"
        ));
    }
    for (table, schema) in [
        ("routines", "routine_schema"),
        ("triggers", "trigger_schema"),
        ("events", "event_schema"),
        ("parameters", "specific_schema"),
    ] {
        // What is told of these but for when they were made.
        let columns = sql(&format!(
            "SELECT GROUP_CONCAT(CONCAT('`', column_name, '`') ORDER BY ordinal_position) \
             FROM information_schema.columns \
             WHERE table_schema = 'information_schema' AND LOWER(table_name) = '{table}' \
             AND column_name NOT IN ('CREATED', 'LAST_ALTERED', 'LAST_EXECUTED')"
        ));
        let columns = columns.trim();
        text += &sql(&format!(
            "SELECT {columns} FROM information_schema.{table} WHERE {schema} = '{database}' \
             ORDER BY 1, 2, 3, 4"
        ));
    }
    text.replace(database, "DB")
}

/// A user with the grants that the documentation says are enough for a backup.
fn least_user(databases: &[&str], password: &str) -> String {
    let user = unique("least");
    sql(&format!(
        "CREATE OR REPLACE USER {user}@localhost IDENTIFIED BY '{password}'"
    ));
    sql(&format!("GRANT SELECT ON mysql.proc TO {user}@localhost"));
    for database in databases {
        let database = database.replace('_', "\\_");
        sql(&format!(
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `{database}`.* TO {user}@localhost"
        ));
    }
    user
}

#[test]
fn a_database_comes_back_with_everything_in_it_from_a_backup_of_the_least_privileged_user() {
    let name = unique("every");
    sql(&EVERYTHING.replace("DB", &name));
    let before = fingerprint(&name);
    assert!(
        before.contains("-- Dump completed"),
        "a comment in a routine"
    );
    let (_dir, file) = password_file("pa\"ss#w\\o rd'");
    let user = least_user(&[&name], "pa\"ss#w\\\\o rd''");
    let least = server(&name)
        .with("user", &user)
        .with("password_file", &file);
    let stored = least.back_up();
    assert_eq!(
        stored.names(),
        [format!("databases/{name}.sql"), "server.json".to_owned()]
    );
    let server_json = stored.server();
    assert_eq!(server_json["product"], "MariaDB");
    assert!(server_json["position"]["gtid"].is_string(), "{server_json}");
    assert_eq!(server_json["databases"][0]["name"], *name);
    let dump = String::from_utf8_lossy(stored.get(&format!("databases/{name}.sql")));
    assert!(dump.contains("-- CHANGE MASTER TO MASTER_LOG_FILE="));

    sql(&format!("DROP DATABASE `{name}`"));
    let report = server(&name).restore(&stored, &[], &[]).unwrap();
    assert_eq!((report.files, report.failures.len()), (1, 0));
    similar(&before, &fingerprint(&name));
}

pub(crate) fn similar(before: &str, after: &str) {
    for (before, after) in before.lines().zip(after.lines()) {
        assert_eq!(before, after);
    }
    assert_eq!(before.lines().count(), after.lines().count());
}

/// Two hundred transfers from table `a` to table `z`, each in a transaction.
pub(crate) fn transfers() -> String {
    let transfer = |id: u32| {
        format!(
            "START TRANSACTION; UPDATE a SET balance = balance - {id} WHERE id = {id}; \
             UPDATE z SET balance = balance + {id} WHERE id = {id}; COMMIT;"
        )
    };
    (1..=200).map(|it| transfer(it * 100)).collect()
}

#[test]
fn what_is_committed_during_a_dump_is_in_it_as_a_whole_or_not_at_all() {
    let name = database("transfers");
    // The first table is dumped first and does not fit into a pipe.
    sql(&format!(
        "USE `{name}`; CREATE TABLE a (id INT PRIMARY KEY, balance INT, filler CHAR(250)); \
         INSERT INTO a SELECT seq, 1000, REPEAT('x', 250) FROM seq_1_to_20000; \
         CREATE TABLE z LIKE a; INSERT INTO z SELECT * FROM a;"
    ));
    let stored = server(&name).back_up_while(|| {
        sql(&format!("USE `{name}`; {}", transfers()));
    });
    let copy = unique("transfers_copy");
    server("").restore(&stored, &[], &[(&name, &copy)]).unwrap();
    let sums = |name: &str| {
        sql(&format!(
            "USE `{name}`; SELECT (SELECT SUM(balance) FROM a) + (SELECT SUM(balance) FROM z), \
             (SELECT MIN(balance) FROM a), (SELECT MAX(balance) FROM z)"
        ))
    };
    assert_eq!(sums(&name).trim(), "40000000\t-19000\t21000");
    assert_eq!(sums(&copy).trim(), "40000000\t1000\t1000");
}

#[test]
fn one_database_of_several_is_restored_alone_and_under_a_new_name() {
    let [one, two] = ["one", "two"].map(database);
    for name in [&one, &two] {
        sql(&format!(
            "USE `{name}`; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('before')"
        ));
    }
    let both = server(&format!("{one}, {two}"));
    let stored = both.back_up();
    assert!(
        stored.server()["position"]["offset"].is_u64(),
        "root may know it"
    );
    for name in [&one, &two] {
        sql(&format!("USE `{name}`; UPDATE t SET v = 'after'"));
    }
    let value = |name: &str| sql(&format!("SELECT v FROM `{name}`.t")).trim().to_owned();

    let include = format!("/databases/{two}.sql");
    let copy = unique("two_copy");
    let report = both
        .restore(&stored, &[&include], &[(&two, &copy)])
        .unwrap();
    assert_eq!(report.files, 1);
    assert_eq!(
        [&one, &two, &copy].map(|it| value(it)),
        ["after", "after", "before"]
    );

    both.restore(&stored, &[&include], &[]).unwrap();
    assert_eq!([&one, &two].map(|it| value(it)), ["after", "before"]);

    let target = RestoreTarget::Resource {
        name: "db".to_owned(),
        settings: both.settings.clone(),
    };
    let kept = both
        .restore_to(&stored, target, &[], &[], Overwrite::Never)
        .unwrap();
    assert_eq!((kept.files, kept.skipped), (0, 2));
    assert_eq!(value(&one), "after");

    for (include, rename) in [
        (&["/databases/none.sql"][..], &[][..]),
        (&[], &[("none", "x")]),
        (&[], &[(&*one, &*two)]),
        (&[], &[(&*one, "mysql")]),
    ] {
        let refused = both.restore(&stored, include, rename).unwrap_err();
        assert!(matches!(refused, SourceError::Invalid(_)), "{refused}");
    }
    assert_eq!(value(&two), "before");
}

#[test]
fn a_dump_that_is_cut_off_does_not_touch_the_database_that_is_there() {
    let name = database("cut");
    sql(&format!(
        "USE `{name}`; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('there')"
    ));
    let mut stored = server(&name).back_up();
    let path = format!("databases/{name}.sql");
    let dump = stored.get(&path).to_vec();
    stored.set(&path, &dump[..dump.len() / 2]);
    let error = server(&name)
        .restore(&stored, &[], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("cut off"), "{error}");
    assert_eq!(sql(&format!("SELECT v FROM `{name}`.t")), "there\n");
}

#[test]
fn no_database_is_replaced_if_the_dump_of_another_is_damaged() {
    let names = ["whole", "damaged"].map(database);
    for name in &names {
        sql(&format!(
            "USE `{name}`; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('before')"
        ));
    }
    let both = server(&names.join(","));
    let mut stored = both.back_up();
    let path = format!("databases/{}.sql", names[1]);
    let dump = stored.get(&path).to_vec();
    stored.set(&path, &dump[..dump.len() / 2]);
    for name in &names {
        sql(&format!("UPDATE `{name}`.t SET v = 'after'"));
    }
    let error = both.restore(&stored, &[], &[]).unwrap_err().to_string();
    assert!(
        error.contains("cut off") && error.contains(&names[1]),
        "{error}"
    );
    for name in &names {
        assert_eq!(sql(&format!("SELECT v FROM `{name}`.t")), "after\n");
    }
}

#[test]
fn what_cannot_be_restored_here_is_refused_before_anything_is_touched() {
    let name = database("refused");
    sql(&format!(
        "USE `{name}`; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('there')"
    ));
    let stored = server(&name).back_up();
    let include = format!("/databases/{name}.sql");
    for (pointer, value, reason) in [
        (
            "/databases/0/size_bytes",
            json!(1_u64 << 60),
            "bytes are needed",
        ),
        (
            "/version",
            json!("10.99.1-MariaDB"),
            "is older than the backup",
        ),
        ("/product", json!("MySQL"), "the server is MariaDB"),
    ] {
        let other = stored.saying(pointer, value);
        let refused = server(&name).restore(&other, &[&include], &[]);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    assert_eq!(sql(&format!("SELECT v FROM `{name}`.t")), "there\n");
}

#[test]
fn a_statement_that_fails_is_named_and_nothing_half_restored_stays() {
    let name = database("broken");
    sql(&format!(
        "USE `{name}`; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('there')"
    ));
    let mut stored = server(&name).back_up();
    let path = format!("databases/{name}.sql");
    let dump = String::from_utf8(stored.get(&path).to_vec()).unwrap();
    let dump = dump.replace("INSERT INTO `t`", "INSERT INTO `u`");
    stored.set(&path, dump.as_bytes());
    let error = server(&name)
        .restore(&stored, &[], &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("failed: ERROR 1100 (HY000) at line"),
        "{error}"
    );
    assert!(
        error.contains("the statement is `INSERT INTO `u` VALUES"),
        "{error}"
    );
    assert!(error.contains("was removed"), "{error}");
    assert_eq!(sql(&format!("SHOW DATABASES LIKE '{name}'")), "");
}

#[test]
fn a_user_who_would_not_see_everything_is_refused() {
    let name = database("hidden");
    let (_dir, file) = password_file("pw");
    let user = least_user(&[&name], "pw");
    let least = server(&name)
        .with("user", &user)
        .with("password_file", &file);
    least.entries().unwrap();
    let all = least.clone().with("databases", "").refusal().to_string();
    assert!(all.contains("SHOW DATABASES"), "{all}");
    let other = least
        .clone()
        .with("databases", "mysql_none")
        .refusal()
        .to_string();
    assert!(other.contains("`mysql_none`"), "{other}");
    let escaped = name.replace('_', "\\_");
    sql(&format!(
        "REVOKE TRIGGER ON `{escaped}`.* FROM {user}@localhost"
    ));
    let hidden = least.refusal().to_string();
    assert!(hidden.contains("lacks TRIGGER"), "{hidden}");
    let restore = least
        .restore(&server(&name).back_up(), &[], &[])
        .unwrap_err();
    assert!(restore.to_string().contains("lacks ALTER"), "{restore}");
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let (_dir, file) = password_file("wrong-secret");
    let user = least_user(&[], "right-secret");
    let error = server("")
        .with("user", &user)
        .with("password_file", &file)
        .refusal();
    assert!(matches!(error, SourceError::Failed { .. }), "{error:?}");
    let error = error.to_string();
    assert!(error.contains("Access denied"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_login_is_checked_with_the_password_that_is_given() {
    let user = least_user(&[], "right");
    let server = server("");
    let registry = server.registry();
    let source = registry.get(ResourceKind::Mariadb).unwrap();
    let check = |user: &str, password: &str| {
        source.check_login(&server.settings, user, &Secret::new(password))
    };
    check(&user, "right").unwrap();
    for (user, password) in [
        (&*user, "wrong"),
        (&*user, ""),
        ("root", "x"),
        ("nobody_at_all", "x"),
    ] {
        let error = check(user, password).unwrap_err();
        assert!(matches!(error, SourceError::Invalid(_)), "{error:?}");
    }
    let gone = Resource::new(ResourceKind::Mariadb, &[("socket", "/nonexistent/sock")]);
    let error = source.check_login(&gone.settings, &user, &Secret::new("right"));
    assert!(
        matches!(error, Err(SourceError::Unavailable { .. })),
        "{error:?}"
    );
}

#[test]
fn a_program_that_is_missing_or_too_old_is_named_with_its_package() {
    let mut server = server("");
    let empty = tempfile::tempdir().unwrap();
    server.programs = Some(empty.path().to_owned());
    let error = server.refusal().to_string();
    assert!(error.contains("`mariadb` or `mysql`"), "{error}");
    assert!(error.contains("`mariadb-client`"), "{error}");
    let old = programs(
        "mariadb-dump",
        "mysqldump  Ver 10.13 Distrib 5.5.1-MariaDB",
        &["mariadb"],
    );
    server.programs = Some(old.path().to_owned());
    let error = server.refusal().to_string();
    assert!(
        error.contains("version 5.5.1 is older than the server (10."),
        "{error}"
    );
}

#[test]
fn a_server_that_is_killed_during_a_dump_fails_it() {
    let own = Own::start();
    own.sql(
        "CREATE DATABASE big; USE big; CREATE TABLE t (v CHAR(250)); \
         INSERT INTO t SELECT REPEAT('x', 250) FROM seq_1_to_100000",
    );
    let mut entries = own.resource().entries().unwrap();
    let mut dump = open(entries.remove(0));
    let mut content = vec![0; 100_000];
    dump.read_exact(&mut content).unwrap();
    own.kill();
    let error = dump.read_to_end(&mut content).unwrap_err().to_string();
    assert!(error.contains("exited with"), "{error}");
    let gone = own.resource().refusal();
    assert!(matches!(gone, SourceError::Unavailable { .. }), "{gone:?}");
}

#[test]
fn a_physical_backup_becomes_a_directory_that_a_server_starts_on() {
    let own = Own::start();
    own.sql(
        "CREATE DATABASE shop; USE shop; CREATE TABLE a (id INT PRIMARY KEY, balance INT); \
         INSERT INTO a SELECT seq, 1000 FROM seq_1_to_20000; \
         CREATE TABLE z LIKE a; INSERT INTO z SELECT * FROM a",
    );
    let (_dir, file) = password_file("pw");
    own.sql(
        "CREATE USER copier@localhost IDENTIFIED BY 'pw'; \
         GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR ON *.* TO copier@localhost",
    );
    let resource = own.resource().with("mode", "physical");
    let least = resource
        .clone()
        .with("user", "copier")
        .with("password_file", &file);
    let stored = least.back_up_while(|| {
        own.sql(&format!("USE shop; {}", transfers()));
    });
    assert_eq!(stored.names(), ["backup.mbstream", "server.json"]);
    assert_eq!(resource.about(&stored), ("physical".to_owned(), 1));
    assert!(stored.server()["position"]["offset"].is_u64());
    own.sql("DROP DATABASE shop");
    own.kill();

    let to_server = resource.restore(&stored, &[], &[]).unwrap_err();
    assert!(matches!(to_server, SourceError::Invalid(_)), "{to_server}");
    let into = |path: &std::path::Path| {
        let target = RestoreTarget::Directory(path.to_owned());
        resource.restore_to(&stored, target, &[], &[], Overwrite::IfChanged)
    };
    let occupied = into(own.home()).unwrap_err();
    assert!(occupied.to_string().contains("must be empty"), "{occupied}");
    let data = own.home().join("restored");
    into(&data).unwrap();
    let again = own.start_on(&data);
    let sum = "USE shop; SELECT (SELECT SUM(balance) FROM a) + (SELECT SUM(balance) FROM z)";
    assert_eq!(again.sql(sum), "40000000\n");
}

#[test]
fn a_connection_over_the_network_is_encrypted_and_the_server_known_if_that_is_wanted() {
    let port = free_port();
    let own = Own::start_with_tls(port);
    let (_dir, file) = password_file("pw");
    own.sql("CREATE USER tls@localhost IDENTIFIED BY 'pw' REQUIRE SSL; GRANT ALL ON *.* TO tls@localhost");
    let port = port.to_string();
    let pairs = [
        ("host", "localhost"),
        ("port", &port),
        ("user", "tls"),
        ("password_file", &file),
    ];
    let plain = Resource::new(ResourceKind::Mariadb, &pairs);
    plain.clone().with("tls", "required").back_up();
    let verified = plain.with("tls", "verified");
    let own_ca = own.home().join("server.crt");
    verified
        .clone()
        .with("tls_ca", own_ca.to_str().unwrap())
        .back_up();
    certificate(own.home(), "other", "root");
    let other = own.home().join("other.crt");
    let refused = verified
        .with("tls_ca", other.to_str().unwrap())
        .refusal()
        .to_string();
    assert!(refused.contains("certificate"), "{refused}");
}
