//! `mariadb` with a real MySQL server, whose programs are MySQL's own.

mod own;

use std::{io::Read, path::PathBuf, process::Command};

use strongroom_domain::ResourceKind;
use strongroom_source::SourceError;

use self::own::Own;
use crate::{
    common::{Resource, free_port, open, password_file, programs, run, told},
    mariadb::{fingerprint_by, similar, transfers},
};

const EVERYTHING: &str = include_str!("mysql/everything.sql");
/// What the documentation says that a user needs to restore things that belong to others.
const TO_RESTORE: &str = "SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER, SYSTEM_USER, SUPER";

/// The directory of MySQL's programs.
fn bin() -> PathBuf {
    told("STRONGROOM_TEST_MYSQL_BIN", "mysql-server-core").into()
}

fn socket() -> String {
    told("STRONGROOM_TEST_MYSQL", "mysql-server-core")
}

/// Runs statements as root.
fn sql_at(socket: &str, statements: &str) -> String {
    let mut client = Command::new(bin().join("mysql"));
    client.args(["--no-defaults", "--user=root", "--batch", "--raw"]);
    client.arg("--skip-column-names");
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

/// The shared server, as root, with these databases.
fn server(databases: &str) -> Resource {
    let pairs = [
        ("socket", &*socket()),
        ("user", "root"),
        ("databases", databases),
    ];
    let mut server = Resource::new(ResourceKind::Mariadb, &pairs);
    server.programs = Some(bin());
    server
}

/// All that a database of the shared server holds, as the server tells it.
fn fingerprint(name: &str) -> String {
    // What was made by a dump says both.
    let both = "CHARACTER SET latin1 COLLATE latin1_german1_ci";
    let all = fingerprint_by(&sql, name).replace(both, "COLLATE latin1_german1_ci");
    // `CHECKSUM TABLE` gives another number each time for some types.
    let tables = sql(&format!(
        "SET group_concat_max_len = 10000; \
         SELECT CONCAT('SELECT ', GROUP_CONCAT(CONCAT('SHA2(CAST(`', \
             REPLACE(column_name, '`', '``'), '` AS BINARY), 256)') ORDER BY ordinal_position), \
           ' FROM `{name}`.`', REPLACE(table_name, '`', '``'), '` ORDER BY 1;') \
         FROM information_schema.columns JOIN information_schema.tables \
           USING (table_schema, table_name) \
         WHERE table_schema = '{name}' AND table_type = 'BASE TABLE' GROUP BY table_name"
    ));
    let rows = sql(&tables);
    assert_eq!(rows.lines().count(), 3 + 3 + 2 + 1 + 2, "{rows}");
    let mut lasting = Vec::new();
    lasting.extend(all.lines().filter(|it| !it.starts_with("DB.types\t")));
    lasting.extend(rows.lines());
    lasting.join("\n")
}

/// A database with everything that there is, and its name.
fn everything(name: &str) -> String {
    let name = unique(name);
    sql(&EVERYTHING.replace("`DB`", &format!("`{name}`")));
    name
}

/// A user with the grants that the documentation says are enough for a backup. Its password is
/// checked as MySQL does by default, by `caching_sha2_password`.
fn least_user(database: &str, password: &str) -> String {
    let user = unique("least");
    let pattern = database.replace('_', "\\_");
    sql(&format!(
        "CREATE USER {user}@localhost IDENTIFIED BY '{password}'; \
         GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `{pattern}`.* TO {user}@localhost; \
         GRANT SHOW_ROUTINE ON *.* TO {user}@localhost"
    ));
    user
}

#[test]
fn a_database_comes_back_with_everything_in_it_from_a_backup_of_the_least_privileged_user() {
    let name = everything("every");
    let before = fingerprint(&name);
    let (_dir, file) = password_file("pa\"ss#w\\o rd'");
    let user = least_user(&name, "pa\"ss#w\\\\o rd''");
    let plugin = format!("SELECT plugin FROM mysql.user WHERE user = '{user}'");
    assert_eq!(sql(&plugin), "caching_sha2_password\n");
    let least = server(&name)
        .with("user", &user)
        .with("password_file", &file);
    let stored = least.back_up();
    assert_eq!(
        stored.names(),
        [format!("databases/{name}.sql"), "server.json".to_owned()]
    );
    let about = stored.server();
    assert_eq!(about["product"], "MySQL");
    assert_eq!(about["version"], sql("SELECT @@version").trim());
    assert!(
        about["databases"][0]["size_bytes"].as_u64() > Some(300_000),
        "{about}"
    );
    assert_eq!(
        about["databases"][0]["tables_without_transactions"], 1,
        "MyISAM"
    );

    sql(&format!("DROP DATABASE `{name}`"));
    let report = server(&name).restore(&stored, &[], &[]).unwrap();
    assert_eq!((report.files, report.failures.len()), (1, 0));
    similar(&before, &fingerprint(&name));

    // A client of MariaDB restores it as well.
    sql(&format!("DROP DATABASE `{name}`"));
    let mut with_mariadb = server(&name);
    with_mariadb.programs = None;
    with_mariadb.restore(&stored, &[], &[]).unwrap();
    similar(&before, &fingerprint(&name));
}

#[test]
fn what_the_user_may_not_make_is_found_before_anything_is_dropped() {
    let name = everything("mine");
    let stored = server(&name).back_up();
    let user = unique("restorer");
    let (_dir, file) = password_file("pw");
    sql(&format!(
        "CREATE USER {user}@localhost IDENTIFIED BY 'pw'; \
         GRANT ALL ON `mine\\_%`.* TO {user}@localhost"
    ));
    let restorer = server("").with("user", &user).with("password_file", &file);
    let copy = format!("{name}_copy");
    sql(&format!(
        "CREATE DATABASE {copy}; CREATE TABLE {copy}.t SELECT 'there' v"
    ));
    let restore = || restorer.restore(&stored, &[], &[(&name, &copy)]);
    let refused = || {
        let refused = restore().unwrap_err().to_string();
        assert_eq!(sql(&format!("SELECT v FROM {copy}.t")), "there\n");
        refused
    };
    for (lacks, about) in [
        ("SET_ANY_DEFINER", "things for `root`@`localhost`"),
        ("SYSTEM_USER", "things for `root`@`localhost`"),
        ("SUPER", "functions or triggers"),
    ] {
        let refused = refused();
        assert!(
            refused.contains(lacks) && refused.contains(about),
            "{refused}"
        );
        sql(&format!("GRANT {lacks} ON *.* TO {user}@localhost"));
    }
    // All that the documentation names.
    sql(&format!("GRANT {TO_RESTORE} ON *.* TO {user}@localhost"));
    let report = restore().unwrap();
    assert_eq!((report.files, report.failures.len()), (1, 0));
    let original = fingerprint(&name);
    similar(&original, &fingerprint(&copy));
}

#[test]
fn what_is_committed_during_a_dump_is_in_it_as_a_whole_or_not_at_all() {
    let name = unique("transfers");
    // The first table is dumped first and does not fit into a pipe.
    sql(&format!(
        "CREATE DATABASE `{name}`; USE `{name}`; SET cte_max_recursion_depth = 20000; \
         CREATE TABLE a (id INT PRIMARY KEY, balance INT, filler CHAR(250)); \
         INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
           WHERE i < 20000) SELECT i, 1000, REPEAT('x', 250) FROM n; \
         CREATE TABLE z LIKE a; INSERT INTO z SELECT * FROM a;"
    ));
    let gtid = || sql("SELECT @@GLOBAL.gtid_executed");
    let stored = server(&name).back_up_while(|| {
        sql(&format!("USE `{name}`; {}", transfers()));
    });
    let before = stored.server()["position"].clone();
    assert!(before["offset"].is_u64(), "root may know it: {before}");
    let set = before["gtid"].as_str();
    if let Some(set) = set {
        let within = format!("SELECT GTID_SUBSET('{set}', '{}')", gtid().trim());
        assert_eq!(sql(&within), "1\n");
    }
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
fn a_user_who_would_not_see_everything_is_refused() {
    let name = everything("hidden");
    let (_dir, file) = password_file("pw");
    let user = least_user(&name, "pw");
    let least = server(&name)
        .with("user", &user)
        .with("password_file", &file);
    least.entries().unwrap();
    sql(&format!("REVOKE SHOW_ROUTINE ON *.* FROM {user}@localhost"));
    let routines = least.refusal().to_string();
    assert!(routines.contains("SHOW_ROUTINE"), "{routines}");
    let pattern = name.replace('_', "\\_");
    sql(&format!(
        "GRANT SHOW_ROUTINE, BACKUP_ADMIN ON *.* TO {user}@localhost; \
         REVOKE TRIGGER ON `{pattern}`.* FROM {user}@localhost"
    ));
    let triggers = least.refusal().to_string();
    assert!(triggers.contains("lacks TRIGGER"), "{triggers}");
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let (_dir, file) = password_file("wrong-secret");
    let user = least_user("none", "right-secret");
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
fn what_would_make_a_backup_that_is_worth_nothing_is_refused() {
    let mut server = server("sys_none");
    let physical = server
        .clone()
        .with("databases", "")
        .with("mode", "physical");
    let physical = physical.refusal().to_string();
    assert!(physical.contains("has no physical backups"), "{physical}");
    // By the name of MySQL's program, as Debian has it.
    let mariadb = programs(
        "mysqldump",
        "mysqldump from 11.8.3-MariaDB, client 10.19 for Linux",
        &["mariadb"],
    );
    server.programs = Some(mariadb.path().to_owned());
    let error = server.refusal().to_string();
    assert!(error.contains("needs MySQL's own `mysqldump`"), "{error}");
    let old = programs("mysqldump", "mysqldump  Ver 8.0.40 for Linux", &["mariadb"]);
    server.programs = Some(old.path().to_owned());
    let error = server.refusal().to_string();
    assert!(
        error.contains("version 8.0.40 is older than the server"),
        "{error}"
    );
}

#[test]
fn a_server_is_reached_over_the_network_and_its_death_fails_the_dump() {
    let port = free_port();
    let own = Own::start(port);
    own.sql(
        "CREATE USER tls@localhost IDENTIFIED BY 'pw' REQUIRE SSL; \
         GRANT ALL ON *.* TO tls@localhost; \
         CREATE DATABASE big; USE big; SET cte_max_recursion_depth = 100000; \
         CREATE TABLE t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
           WHERE i < 100000) SELECT REPEAT('x', 250) AS v FROM n",
    );
    let (_dir, file) = password_file("pw");
    let port = port.to_string();
    let pairs = [
        ("host", "localhost"),
        ("port", &port),
        ("user", "tls"),
        ("password_file", &file),
    ];
    let plain = Resource::new(ResourceKind::Mariadb, &pairs);
    let own_programs = Resource {
        programs: Some(bin()),
        ..plain.clone()
    };
    own_programs.clone().with("tls", "required").back_up();
    // The server's own certificate is for another name.
    let ca = own.file("ca.pem");
    let verified = own_programs.with("tls", "verified").with("tls_ca", &ca);
    let refused = verified.refusal().to_string();
    assert!(refused.contains("ERROR 2026"), "{refused}");
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
