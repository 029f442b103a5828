//! Restores by a user who may not do everything.

use super::{EVERYTHING, fingerprint_by, own::Own, server, similar, sql, unique};
use crate::common::password_file;

#[test]
fn a_user_with_the_documented_privileges_restores_to_another_server() {
    let name = unique("moved");
    sql(&EVERYTHING.replace("DB", &name));
    let stored = server(&name).back_up();
    let own = Own::start();
    let (_dir, file) = password_file("pw");
    // These are the privileges that the documentation says are enough.
    own.sql(&format!(
        "CREATE USER restorer@localhost IDENTIFIED BY 'pw'; \
         GRANT ALL PRIVILEGES ON `{}`.* TO restorer@localhost; \
         GRANT SET USER, SUPER ON *.* TO restorer@localhost",
        name.replace('_', "\\_")
    ));
    let restorer = own
        .resource()
        .with("user", "restorer")
        .with("password_file", &file);
    let report = restorer.restore(&stored, &[], &[]).unwrap();
    assert_eq!((report.files, report.failures.len()), (1, 0));
    let own = |statements: &str| own.sql(statements);
    similar(&fingerprint_by(&sql, &name), &fingerprint_by(&own, &name));

    for (privilege, about) in [
        ("SUPER", "may not make functions or triggers"),
        ("SET USER", "may not make things for `root`@`localhost`"),
    ] {
        own(&format!(
            "REVOKE {privilege} ON *.* FROM restorer@localhost"
        ));
        let refused = restorer.restore(&stored, &[], &[]).unwrap_err().to_string();
        assert!(refused.contains(about), "{refused}");
    }
    // Which was found before anything was dropped.
    assert_eq!(own(&format!("SELECT COUNT(*) FROM `{name}`.types")), "3\n");
}

#[test]
fn what_the_user_may_not_make_is_found_before_the_database_is_dropped() {
    let own = Own::start();
    let (_dir, file) = password_file("pw");
    own.sql(
        "CREATE DATABASE other; CREATE TABLE other.t (v INT); \
         CREATE DATABASE shop; USE shop; CREATE TABLE t (v INT); INSERT INTO t VALUES (7); \
         CREATE USER restorer@localhost IDENTIFIED BY 'pw'; \
         GRANT ALL PRIVILEGES ON shop.* TO restorer@localhost; \
         GRANT SET USER ON *.* TO restorer@localhost",
    );
    let root = own.resource().with("databases", "shop");
    let restorer = (root.clone().with("user", "restorer")).with("password_file", &file);
    let there = || own.sql("SELECT v FROM shop.t");
    // As it is written, so MariaDB keeps it.
    let code = "the user may not make functions or triggers";
    for (make, drop, about) in [
        ("CREATE TRIGGER tr BEFORE INSERT ON t", "TRIGGER tr", code),
        (
            "create trigger\n `tr` before insert on t",
            "TRIGGER tr",
            code,
        ),
        (
            "CREATE VIEW v AS SELECT * FROM other.t",
            "VIEW v",
            "making view `v` of",
        ),
        (
            "CREATE VIEW v AS SELECT a.v FROM t a JOIN other.t b",
            "VIEW v",
            "denied",
        ),
    ] {
        let rest = if drop.starts_with('T') {
            " FOR EACH ROW SET NEW.v = 1"
        } else {
            ""
        };
        own.sql(&format!("USE shop; {make}{rest}"));
        let stored = root.back_up();
        let refused = restorer.restore(&stored, &[], &[]).unwrap_err().to_string();
        assert!(refused.contains(about), "{make}: {refused}");
        assert_eq!(there(), "7\n", "{make}");
        own.sql(&format!("USE shop; DROP {drop}"));
    }

    own.sql("USE shop; CREATE VIEW a AS SELECT v FROM t; CREATE VIEW b AS SELECT v FROM other.t");
    let stored = root.back_up();
    own.sql("USE shop; DROP VIEW a; DROP VIEW b; ALTER TABLE t RENAME COLUMN v TO w");
    root.restore(&stored, &[], &[]).unwrap();
    assert_eq!(there(), "7\n");
    own.sql("DROP DATABASE other");
    let refused = root.restore(&stored, &[], &[]).unwrap_err().to_string();
    assert!(refused.contains("making view `b` of"), "{refused}");
    assert_eq!(there(), "7\n");
    own.sql("GRANT SELECT ON other.* TO restorer@localhost; CREATE DATABASE other; CREATE TABLE other.t (v INT)");
    restorer.restore(&stored, &[], &[]).unwrap();
}
