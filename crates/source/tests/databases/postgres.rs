//! `postgres` with a real server.

mod own;

use std::{io::Read, process::Command};

use serde_json::json;
use strongroom_domain::{ResourceKind, Secret, tree::Overwrite};
use strongroom_source::{RestoreTarget, Source, SourceError, postgres::PostgresSource};

use self::own::Own;
use crate::common::{
    Resource, Stored, certificate, free_port, open, password_file, programs, run, told,
};

const EVERYTHING: &str = include_str!("postgres/everything.sql");

/// The directory with the socket of the shared server, whose address ends with it.
fn socket() -> String {
    let url = told("STRONGROOM_TEST_POSTGRES", "postgresql");
    let (_, host) = url.split_once("?host=").expect("a server with a socket");
    host.to_owned()
}

/// Runs statements as superuser.
fn psql(socket: &str, database: &str, statements: &str) -> String {
    let mut client = Command::new("psql");
    client.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
    client.args(["--set=ON_ERROR_STOP=1", "--username=postgres"]);
    client.arg(format!("--host={socket}"));
    client.arg(format!("--dbname={database}"));
    run(&mut client, statements)
}

fn sql(database: &str, statements: &str) -> String {
    psql(&socket(), database, statements)
}

/// A name that no other test uses.
fn unique(name: &str) -> String {
    format!("{name}_{}", std::process::id())
}

/// An empty database.
fn database(name: &str) -> String {
    let name = unique(name);
    let text = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE);\nCREATE DATABASE {name}");
    sql("postgres", &text);
    name
}

/// The shared server, as superuser, with these databases.
fn server(databases: &str) -> Resource {
    let pairs = [
        ("socket", &*socket()),
        ("user", "postgres"),
        ("databases", databases),
    ];
    Resource::new(ResourceKind::Postgres, &pairs)
}

/// A database with one table, and the value in it.
fn with_value(name: &str, value: &str) -> String {
    let name = database(name);
    sql(
        &name,
        &format!("CREATE TABLE t (v text); INSERT INTO t VALUES ('{value}')"),
    );
    name
}

fn value(name: &str) -> String {
    sql(name, "SELECT v FROM t").trim().to_owned()
}

/// All that a database holds: its definitions, as `pg_dump` tells them, all data as the server
/// casts it to text, its large objects and its properties.
fn fingerprint(name: &str) -> String {
    let mut schema = Command::new("pg_dump");
    schema.args([
        "--schema-only",
        "--username=postgres",
        "--restrict-key=k",
        "--host",
    ]);
    let mut text = run(schema.arg(socket()).arg(name), "");
    let tables = sql(
        name,
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
         WHERE schemaname !~ '^pg_|information_schema' ORDER BY 1",
    );
    for table in tables.lines() {
        text += &sql(
            name,
            &format!("SELECT md5(t::text), t.* FROM {table} t ORDER BY 1"),
        );
    }
    text += &sql(
        name,
        "SELECT last_value, is_called FROM numbers; SELECT n FROM counted",
    );
    text += &sql(
        name,
        "SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1",
    );
    text += &sql(
        name,
        &format!(
            "SELECT pg_get_userbyid(datdba), encoding, datcollate, datconnlimit, datacl,
                 shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}';
             SELECT setrole::regrole, setconfig FROM pg_db_role_setting s JOIN pg_database d
                 ON d.oid = s.setdatabase WHERE datname = '{name}' ORDER BY 2"
        ),
    );
    text.replace(name, "DB")
}

#[test]
fn a_database_comes_back_with_everything_in_it() {
    let name = database("every");
    let owner = unique("owner");
    sql(&name, EVERYTHING);
    sql(
        &name,
        &format!(
            "CREATE ROLE {owner}; ALTER TABLE log OWNER TO {owner};
             GRANT SELECT (id) ON types TO {owner};
             ALTER DATABASE {name} OWNER TO {owner};
             ALTER DATABASE {name} SET search_path = \"$user\", public, \"odd \"\"name; ü\";
             ALTER DATABASE {name} SET default_transaction_read_only = on;
             ALTER ROLE {owner} IN DATABASE {name} SET work_mem = '7MB';
             ALTER DATABASE {name} CONNECTION LIMIT 17;
             COMMENT ON DATABASE {name} IS 'it''s ours';
             REVOKE ALL ON DATABASE {name} FROM PUBLIC;
             GRANT CONNECT ON DATABASE {name} TO pg_monitor WITH GRANT OPTION"
        ),
    );
    let before = fingerprint(&name);
    assert!(
        before.contains("7MB") && before.contains("it's ours"),
        "{before}"
    );
    let stored = server(&name).back_up();
    let files = [
        format!("databases/{name}.dump"),
        "globals.sql".into(),
        "server.json".into(),
    ];
    assert_eq!(stored.names(), files);
    let about = stored.server();
    assert_eq!(about["product"], "PostgreSQL");
    assert!(
        about["position"]["lsn"].as_str().unwrap().contains('/'),
        "{about}"
    );

    sql(
        "postgres",
        &format!("DROP DATABASE {name} WITH (FORCE); DROP ROLE {owner}"),
    );
    let report = server(&name).restore(&stored, &[], &[]).unwrap();
    assert_eq!((report.files, report.failures), (2, Vec::new()));
    let after = fingerprint(&name);
    for (before, after) in before.lines().zip(after.lines()) {
        assert_eq!(before, after);
    }
    assert_eq!(before.lines().count(), after.lines().count());
}

#[test]
fn the_least_privileged_user_backs_up_all_but_passwords() {
    let name = with_value("least", "seen");
    let user = unique("least_user");
    // These are the grants that the documentation says are enough.
    sql(
        &name,
        &format!(
            "CREATE ROLE {user} LOGIN PASSWORD 'p:a\\s''s';
             GRANT pg_read_all_data TO {user}; GRANT with_password TO {user}"
        ),
    );
    let (_dir, file) = password_file("p:a\\s's");
    let least = server(&name)
        .with("user", &user)
        .with("password_file", &file);
    let stored = least.back_up();
    let copy = unique("least_copy");
    let include = format!("/databases/{name}.dump");
    server("")
        .restore(&stored, &[&include], &[(&name, &copy)])
        .unwrap();
    assert_eq!(value(&copy), "seen");

    let refused = least
        .restore(&stored, &[&include], &[])
        .unwrap_err()
        .to_string();
    assert!(refused.contains("CREATEDB"), "{refused}");
    let refused = least
        .restore(&stored, &["globals.sql"], &[])
        .unwrap_err()
        .to_string();
    assert!(refused.contains("only a superuser"), "{refused}");
    let physical = least
        .with("databases", "")
        .with("mode", "physical")
        .refusal()
        .to_string();
    assert!(physical.contains("REPLICATION"), "{physical}");
}

#[test]
fn a_user_who_may_make_databases_restores_to_another_server() {
    let owner = unique("owner");
    let name = database("moved");
    sql(
        "postgres",
        &format!("CREATE ROLE {owner} LOGIN; ALTER DATABASE {name} OWNER TO {owner}"),
    );
    sql(
        &name,
        &format!("CREATE TABLE t AS SELECT 'seen' AS v; ALTER TABLE t OWNER TO {owner}"),
    );
    let stored = server(&name).back_up();
    let own = Own::start();
    own.sql("postgres", &format!("CREATE ROLE {owner} LOGIN CREATEDB"));
    let owned = own.resource().with("user", &owner);
    let report = owned.restore(&stored, &["databases"], &[]).unwrap();
    assert_eq!((report.files, report.failures.len()), (1, 0));
    assert_eq!(own.sql(&name, "SELECT v FROM t"), "seen\n");
}

#[test]
fn everything_but_the_roles_is_restored_by_a_user_who_may_not_make_them_if_they_are_there() {
    let [owner, other] = ["plain_owner", "plain_other"].map(unique);
    let name = with_value("plain", "before");
    sql(
        "postgres",
        &format!(
            "CREATE ROLE {other}; CREATE ROLE {owner} LOGIN CREATEDB;
             ALTER DATABASE {name} OWNER TO {owner}"
        ),
    );
    sql(&name, &format!("ALTER TABLE t OWNER TO {owner}"));
    let plain = server(&name).with("user", &owner);
    let stored = server(&name).back_up();
    sql(&name, "UPDATE t SET v = 'after'");
    let report = plain.restore(&stored, &[], &[]).unwrap();
    assert_eq!((report.files, report.failures), (1, Vec::new()));
    assert!(report.warnings[0].contains("`globals.sql` was left out"));
    assert_eq!(value(&name), "before");
    let asked = plain.restore(&stored, &["globals.sql", "databases"], &[]);
    let asked = asked.unwrap_err().to_string();
    assert!(asked.contains("only a superuser"), "{asked}");

    sql(
        &name,
        &format!("CREATE VIEW w AS SELECT 1; ALTER VIEW w OWNER TO {other}"),
    );
    let stored = server(&name).back_up();
    let own = Own::start();
    own.sql("postgres", &format!("CREATE ROLE {owner} LOGIN CREATEDB"));
    let refused = own.resource().with("user", &owner);
    let refused = refused.restore(&stored, &[], &[]).unwrap_err().to_string();
    assert!(
        refused.contains(&format!("lacks the roles \"{other}\",")),
        "{refused}"
    );
}

/// Two hundred transfers from table `a` to table `z`, each in a transaction.
const TRANSFERS: &str = "DO $$ BEGIN FOR i IN 1..200 LOOP
         UPDATE a SET balance = balance - i WHERE id = i * 100;
         UPDATE z SET balance = balance + i WHERE id = i * 100;
         COMMIT;
     END LOOP; END $$";

#[test]
fn what_is_committed_during_a_dump_is_in_it_as_a_whole_or_not_at_all() {
    let name = database("transfers");
    // The first table is dumped first and does not fit into a pipe.
    sql(
        &name,
        "CREATE TABLE a AS SELECT id, 1000 AS balance, repeat('x', 250) AS filler
             FROM generate_series(1, 20000) id;
         CREATE TABLE z AS SELECT * FROM a",
    );
    let stored = server(&name).back_up_while(|| {
        sql(&name, TRANSFERS);
    });
    let copy = unique("transfers_copy");
    let include = format!("/databases/{name}.dump");
    server("")
        .restore(&stored, &[&include], &[(&name, &copy)])
        .unwrap();
    let sums = |name: &str| {
        sql(
            name,
            "SELECT (SELECT sum(balance) FROM a) + (SELECT sum(balance) FROM z),
                 (SELECT min(balance) FROM a), (SELECT max(balance) FROM z)",
        )
    };
    assert_eq!(sums(&name).trim(), "40000000|800|1200");
    assert_eq!(sums(&copy).trim(), "40000000|1000|1000");
}

#[test]
fn one_database_of_several_is_restored_alone_over_open_sessions_and_under_a_new_name() {
    let [one, two] = ["one", "two"].map(|it| with_value(it, "before"));
    let both = server(&format!("{one}, {two}"));
    let stored = both.back_up();
    for name in [&one, &two] {
        sql(name, "UPDATE t SET v = 'after'");
    }
    let include = format!("/databases/{two}.dump");
    let copy = unique("two \"copy");
    let report = both
        .restore(&stored, &[&include], &[(&two, &copy)])
        .unwrap();
    assert_eq!(report.files, 1);
    assert_eq!(
        [&one, &two, &copy].map(|it| value(it)),
        ["after", "after", "before"]
    );

    // Somebody is in the database; the dump of another holds a session open until it is read.
    let mut session = open(server(&two).entries().unwrap().remove(0));
    session.read_exact(&mut [0; 5]).unwrap();
    both.restore(&stored, &[&include], &[]).unwrap();
    drop(session);
    assert_eq!([&one, &two].map(|it| value(it)), ["after", "before"]);

    let target = RestoreTarget::Resource {
        name: "db".to_owned(),
        settings: both.settings.clone(),
    };
    let kept = both
        .restore_to(&stored, target, &["databases"], &[], Overwrite::Never)
        .unwrap();
    assert_eq!((kept.files, kept.skipped), (0, 2));
    assert_eq!(value(&one), "after");

    for (include, rename) in [
        (&["/databases/none.dump"][..], &[][..]),
        (&[], &[("none", "x")]),
        (&[], &[(&*one, &*two)]),
        (&[], &[(&*one, "template1")]),
    ] {
        let refused = both.restore(&stored, include, rename).unwrap_err();
        assert!(matches!(refused, SourceError::Invalid(_)), "{refused}");
    }
    sql(
        "postgres",
        &format!("DROP DATABASE \"{}\"", copy.replace('"', "\"\"")),
    );
}

#[test]
fn an_archive_that_cannot_be_restored_leaves_the_database_as_it_is() {
    let name = with_value("cut", "there");
    let mut stored = server(&name).back_up();
    let path = format!("databases/{name}.dump");
    let dump = stored.get(&path).to_vec();
    stored.set(&path, &dump[..dump.len() - 20]);
    let include = format!("/{path}");
    let restore = |stored: &Stored| server(&name).restore(stored, &[&include], &[]);
    let error = restore(&stored).unwrap_err().to_string();
    assert!(error.contains("end of file"), "{error}");
    assert_eq!(value(&name), "there");

    let text = dump.windows(6).position(|it| it == b"there\n").unwrap();
    let mut dump = dump;
    dump[text] = 0xFF;
    stored.set(&path, &dump);
    let error = restore(&stored).unwrap_err().to_string();
    assert!(error.contains("invalid byte sequence"), "{error}");
    assert_eq!(value(&name), "there");
}

#[test]
fn what_cannot_be_restored_here_is_refused_before_anything_is_touched() {
    let name = with_value("refused", "there");
    let stored = server(&name).back_up();
    let include = format!("/databases/{name}.dump");
    for (pointer, value, reason) in [
        (
            "/databases/0/size_bytes",
            json!(1_u64 << 60),
            "bytes are needed",
        ),
        ("/version", json!("99.1"), "is older than the backup"),
    ] {
        let other = stored.saying(pointer, value);
        let refused = server(&name).restore(&other, &[&include], &[]);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    assert_eq!(value(&name), "there");
}

#[test]
fn no_database_is_replaced_if_the_archive_of_another_is_damaged() {
    let names = ["whole", "damaged"].map(|it| with_value(it, "before"));
    let both = server(&names.join(","));
    let mut stored = both.back_up();
    let path = format!("databases/{}.dump", names[1]);
    let dump = stored.get(&path).to_vec();
    stored.set(&path, &dump[..dump.len() - 20]);
    for name in &names {
        sql(name, "UPDATE t SET v = 'after'");
    }
    let error = both.restore(&stored, &["databases"], &[]);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("end of file") && error.contains(&names[1]),
        "{error}"
    );
    assert_eq!(names.each_ref().map(|it| value(it)), ["after", "after"]);
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let user = unique("wrong");
    sql(
        "postgres",
        &format!("CREATE ROLE {user} LOGIN PASSWORD 'right-secret'; GRANT with_password TO {user}"),
    );
    let (_dir, file) = password_file("wrong-secret");
    let error = server("")
        .with("user", &user)
        .with("password_file", &file)
        .refusal();
    assert!(matches!(error, SourceError::Failed { .. }), "{error:?}");
    let error = error.to_string();
    assert!(error.contains("password authentication failed"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    let gone = Resource::new(ResourceKind::Postgres, &[("socket", "/nonexistent")]).refusal();
    assert!(matches!(gone, SourceError::Unavailable { .. }), "{gone:?}");
}

#[test]
fn a_login_is_checked_with_the_password_that_is_given() {
    let user = unique("login");
    sql(
        "postgres",
        &format!("CREATE ROLE {user} LOGIN PASSWORD 'right'; GRANT with_password TO {user}"),
    );
    let server = server("");
    let registry = server.registry();
    let source = registry.get(ResourceKind::Postgres).unwrap();
    let check = |user: &str, password: &str| {
        source.check_login(&server.settings, user, &Secret::new(password))
    };
    check(&user, "right").unwrap();
    for (user, password) in [(&*user, "wrong"), ("nobody_at_all", "x")] {
        let error = check(user, password).unwrap_err();
        assert!(matches!(error, SourceError::Invalid(_)), "{error:?}");
    }
    let anything = check("postgres", "x").unwrap_err().to_string();
    assert!(anything.contains("with any password"), "{anything}");
}

#[test]
fn a_program_that_is_missing_or_too_old_is_named_with_its_package() {
    let mut server = server("");
    let empty = tempfile::tempdir().unwrap();
    server.programs = Some(empty.path().to_owned());
    let error = server.refusal().to_string();
    assert!(
        error.contains("`psql`") && error.contains("`postgresql-client`"),
        "{error}"
    );
    let old = programs("pg_dump", "pg_dump (PostgreSQL) 9.6.24", &["psql"]);
    server.programs = Some(old.path().to_owned());
    let error = server.refusal().to_string();
    assert!(
        error.contains("version 9.6.24 is older than the server"),
        "{error}"
    );
}

#[test]
fn a_server_that_is_killed_during_a_dump_fails_it() {
    let own = Own::start();
    own.sql(
        "postgres",
        "CREATE TABLE t AS SELECT repeat('x', 250) AS v FROM generate_series(1, 100000)",
    );
    let mut entries = own.resource().entries().unwrap();
    let mut dump = open(entries.remove(0));
    let mut content = vec![0; 100_000];
    dump.read_exact(&mut content).unwrap();
    own.kill();
    let error = dump.read_to_end(&mut content).unwrap_err().to_string();
    assert!(error.contains("exited with 1"), "{error}");
    let gone = own.resource().refusal();
    assert!(matches!(gone, SourceError::Unavailable { .. }), "{gone:?}");
}

#[test]
fn a_physical_backup_becomes_a_directory_that_a_server_starts_on() {
    let own = Own::start();
    own.sql(
        "postgres",
        "CREATE TABLE a AS SELECT id, 1000 AS balance FROM generate_series(1, 20000) id;
         CREATE TABLE z AS SELECT * FROM a",
    );
    own.sql("postgres", "CREATE ROLE copier LOGIN REPLICATION");
    let resource = own.resource().with("mode", "physical");
    let least = resource.clone().with("user", "copier");
    let stored = least.back_up_while(|| {
        own.sql("postgres", TRANSFERS);
    });
    assert_eq!(stored.names(), ["base.tar", "server.json"]);
    assert_eq!(resource.about(&stored), ("physical".to_owned(), 1));
    let lsn = stored.server()["position"]["lsn"].clone();
    assert!(lsn.as_str().unwrap().contains('/'), "{lsn}");
    own.sql("postgres", "DROP TABLE a");
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
    Own::verify(&data);
    let again = own.start_on(&data);
    let sum = "SELECT (SELECT sum(balance) FROM a) + (SELECT sum(balance) FROM z)";
    assert_eq!(again.sql("postgres", sum), "40000000\n");
}

#[test]
fn a_server_on_this_machine_is_discovered_with_its_size_if_it_lets_us_in() {
    let own = Own::start();
    let source = PostgresSource::new(None).looking_in(vec![own.home().to_owned()]);
    let [found] = &source.discover().unwrap()[..] else {
        panic!("there is one server")
    };
    assert_eq!(found.name, "postgres-5432");
    let socket = own.home().join(".s.PGSQL.5432");
    assert_eq!(found.settings.get("socket"), socket.to_str());
    assert_eq!(found.size_bytes, None, "nobody knows us there");
    let me = run(Command::new("id").arg("-un"), "");
    own.sql(
        "postgres",
        &format!("CREATE ROLE {} SUPERUSER LOGIN", me.trim()),
    );
    let found = source.discover().unwrap();
    assert!(found[0].size_bytes > Some(1_000_000), "{found:?}");
    own.kill();
    assert_eq!(source.discover().unwrap(), []);
}

#[test]
fn a_connection_over_the_network_is_encrypted_and_the_server_known_if_that_is_wanted() {
    let port = free_port();
    let own = Own::start_with_tls(port);
    let port = port.to_string();
    let pairs = [
        ("host", "localhost"),
        ("port", &*port),
        ("user", "postgres"),
    ];
    let plain = Resource::new(ResourceKind::Postgres, &pairs);
    plain.clone().with("tls", "required").back_up();
    let verified = plain.with("tls", "verified");
    let own_ca = own.home().join("server.crt");
    let own_ca = verified.clone().with("tls_ca", own_ca.to_str().unwrap());
    own_ca.back_up();
    certificate(own.home(), "other", "root");
    let other = own.home().join("other.crt");
    let refused = verified
        .with("tls_ca", other.to_str().unwrap())
        .refusal()
        .to_string();
    assert!(refused.contains("certificate verify failed"), "{refused}");
    let wrong_name = own_ca.with("host", "127.0.0.1").refusal().to_string();
    assert!(
        wrong_name.contains("does not match host name"),
        "{wrong_name}"
    );
}
