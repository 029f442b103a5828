//! A MariaDB server through the whole service: backed up, emptied, restored, compared.

use std::{process::Command, sync::Arc};

use strongroom_domain::{
    Annotations, BackupState, DatabaseServer, Resource, ResourceKind, Secret,
    resource::Settings,
    restore::{RestoreState, RestoreTarget},
};
use strongroom_service::{
    backups::UpdateBackup, operations::NewOperation, repositories::CreateRepository,
    restores::RequestRestore, storage,
};
use strongroom_testkit::{TestParts, TestService};

use crate::backup::restore_to;
use crate::copies::succeed;
use crate::servers::{ask, back_up_twice, check_server, restore_in_place, told};

const EVERYTHING: &str = include_str!("../../../source/tests/databases/mariadb/everything.sql");

fn sql(statements: &str) -> String {
    let mut client = Command::new("mariadb");
    client.args([
        "--no-defaults",
        "--user=root",
        "--batch",
        "--skip-column-names",
    ]);
    client.arg(format!("--socket={}", told("STRONGROOM_TEST_MARIADB")));
    ask(&mut client, statements)
}

/// The checksum of every table of a database.
fn checksums(database: &str) -> String {
    let names = sql(&format!(
        "SELECT CONCAT('`', REPLACE(table_name, '`', '``'), '`') FROM information_schema.tables \
         WHERE table_schema = '{database}' AND table_type = 'BASE TABLE' ORDER BY 1"
    ));
    let names: Vec<_> = names.lines().collect();
    assert_eq!(names.len(), 5, "{names:?}");
    sql(&format!(
        "USE {database}; CHECKSUM TABLE {} EXTENDED",
        names.join(", ")
    ))
}

async fn register(t: &TestService, databases: &str) -> Resource {
    let socket = told("STRONGROOM_TEST_MARIADB");
    let pairs = [
        ("socket", &*socket),
        ("user", "root"),
        ("databases", databases),
    ];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let settings = Settings(pairs.into());
    t.resource(ResourceKind::Mariadb, "shop", settings).await
}

#[tokio::test]
async fn databases_are_backed_up_once_dropped_and_restored_as_they_were() {
    let [one, two] = ["one", "two"].map(|it| format!("service_{it}_{}", std::process::id()));
    for name in [&one, &two] {
        sql(&EVERYTHING.replace("DB", name));
        sql(&format!(
            "USE {name}; CREATE TABLE bulk AS SELECT seq, MD5(CONCAT(seq, '{name}')) AS v \
             FROM seq_1_to_400000"
        ));
    }
    let before = [&one, &two].map(|it| checksums(it));
    let t = TestService::start().await;
    let resource = register(&t, &format!("{one},{two}")).await;
    let backup = back_up_twice(&t, &resource).await;
    check_server(&backup, "MariaDB", 2);
    for name in [&one, &two] {
        sql(&format!("DROP DATABASE {name}"));
    }

    let restore = restore_in_place(&t, &backup, &[]).await;
    assert_eq!(
        restore.state,
        RestoreState::Completed,
        "{:?}",
        restore.reason
    );
    assert_eq!([&one, &two].map(|it| checksums(it)), before);

    sql(&format!("DROP DATABASE {one}; DELETE FROM {two}.bulk"));
    let restore = restore_in_place(&t, &backup, &[&format!("/databases/{one}.sql")]).await;
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
async fn a_database_is_backed_up_before_it_is_overwritten_unless_that_is_refused() {
    let name = format!("service_safety_{}", std::process::id());
    sql(&format!(
        "CREATE DATABASE {name}; USE {name}; CREATE TABLE t AS SELECT 7 AS v"
    ));
    let t = TestService::start().await;
    let backup = t.back_up(&register(&t, &name).await).await;
    let restore = async |safety_backup| {
        let request = RequestRestore {
            safety_backup,
            ..RequestRestore::of(backup.id, RestoreTarget::Original)
        };
        let (restore, _) = t.service.request_restore(&t.owner, request).await.unwrap();
        for _ in 0..3 {
            t.work().await;
            // The restore looks every second whether its safety backup has ended.
            t.clock.advance(jiff::SignedDuration::from_secs(2));
        }
        t.service.restore(&t.owner, restore.id).await.unwrap()
    };
    let value = || sql(&format!("SELECT v FROM {name}.t"));

    sql(&format!("UPDATE {name}.t SET v = 8"));
    let done = restore(None).await;
    assert_eq!(done.state, RestoreState::Completed, "{:?}", done.reason);
    assert_eq!(value(), "7\n");
    let safety = done.safety_backup_id.unwrap();
    let undo = RequestRestore {
        safety_backup: Some(false),
        ..RequestRestore::of(safety, RestoreTarget::Original)
    };
    let (undo, _) = t.service.request_restore(&t.owner, undo).await.unwrap();
    assert_eq!(undo.safety_backup_id, None);
    t.work().await;
    assert_eq!(value(), "8\n");

    // What is gone cannot be backed up: no reason not to bring it back, unless somebody insists.
    sql(&format!("DROP DATABASE {name}"));
    let refused = restore(Some(true)).await;
    assert_eq!(refused.state, RestoreState::Failed);
    let reason = refused.reason.unwrap();
    assert!(reason.contains("nothing was restored"), "{reason}");
    let done = restore(None).await;
    assert_eq!(done.state, RestoreState::Completed, "{:?}", done.reason);
    assert_eq!(value(), "7\n");
    sql(&format!("DROP DATABASE {name}"));
}

#[tokio::test]
async fn a_restore_that_is_refused_leaves_the_database_as_it_is_and_no_safety_backup() {
    let name = format!("service_refused_{}", std::process::id());
    sql(&format!(
        "CREATE DATABASE {name}; CREATE DATABASE {name}_other; \
         CREATE TABLE {name}_other.t (v INT); CREATE TABLE {name}.t AS SELECT 7 AS v; \
         CREATE VIEW {name}.w AS SELECT v FROM {name}_other.t"
    ));
    let t = TestService::start().await;
    let backup = t.back_up(&register(&t, &name).await).await;
    sql(&format!(
        "DROP DATABASE {name}_other; UPDATE {name}.t SET v = 8"
    ));
    for safety_backup in [None, Some(true)] {
        let request = RequestRestore {
            safety_backup,
            ..RequestRestore::of(backup.id, RestoreTarget::Original)
        };
        let (restore, _) = t.service.request_restore(&t.owner, request).await.unwrap();
        t.work().await;
        let restore = t.service.restore(&t.owner, restore.id).await.unwrap();
        assert_eq!(restore.state, RestoreState::Failed);
        let reason = restore.reason.unwrap();
        assert!(reason.contains("making view `w`"), "{reason}");
        assert_eq!(restore.safety_backup_id, None);
        assert_eq!(t.snapshots().len(), 1);
        assert_eq!(sql(&format!("SELECT v FROM {name}.t")), "8\n");
    }
    sql(&format!("DROP DATABASE {name}"));
}

#[tokio::test]
async fn a_database_is_restored_beside_itself_under_another_name() {
    let name = format!("service_beside_{}", std::process::id());
    sql(&format!(
        "CREATE DATABASE {name}; USE {name}; CREATE TABLE t AS SELECT 7 AS v"
    ));
    let t = TestService::start().await;
    let backup = t.back_up(&register(&t, &name).await).await;
    sql(&format!("UPDATE {name}.t SET v = 8"));
    let request = RequestRestore {
        target: RestoreTarget::Original,
        rename: [(name.clone(), format!("{name}_old"))].into(),
        ..restore_to(&backup, t.directory())
    };
    let (restore, _) = t.service.request_restore(&t.owner, request).await.unwrap();
    t.work().await;
    let restore = t.service.restore(&t.owner, restore.id).await.unwrap();
    assert_eq!(
        restore.state,
        RestoreState::Completed,
        "{:?}",
        restore.reason
    );
    let both = sql(&format!(
        "SELECT v FROM {name}.t; SELECT v FROM {name}_old.t"
    ));
    assert_eq!(both, "8\n7\n");
}

#[tokio::test]
async fn a_dump_that_fails_leaves_neither_backup_nor_snapshot() {
    let name = format!("service_broken_{}", std::process::id());
    sql(&format!(
        "CREATE DATABASE {name}; USE {name}; CREATE TABLE t (v INT); CREATE TABLE u (v INT); \
         CREATE VIEW broken AS SELECT * FROM t; DROP TABLE t"
    ));
    let t = TestService::start().await;
    let backup = t.back_up(&register(&t, &name).await).await;
    assert_eq!(backup.state, BackupState::Failed);
    let reason = backup.reason.unwrap();
    assert!(reason.contains("broken"), "{reason}");
    assert!(t.snapshots().is_empty());
}

#[tokio::test]
async fn a_backup_that_a_scan_takes_up_tells_what_its_server_was() {
    let name = format!("service_scanned_{}", std::process::id());
    sql(&format!("CREATE DATABASE {name}"));
    let shared = storage();
    let first = TestService::with(TestParts {
        storage: Arc::clone(&shared),
        ..TestParts::default()
    })
    .await;
    let backup = first.back_up(&register(&first, &name).await).await;
    let told = DatabaseServer::of(&backup.annotations).unwrap();
    // No client changes what the source told.
    let change = UpdateBackup {
        annotations: Some(Annotations(
            [("source.server".to_owned(), "other".into())].into(),
        )),
        ..UpdateBackup::default()
    };
    let changed = first
        .service
        .update_backup(&first.owner, backup.id, None, change);
    assert_eq!(
        DatabaseServer::of(&changed.await.unwrap().annotations),
        Some(told.clone())
    );

    let (own, url) = (storage(), first.repository.url.clone());
    let t = TestService::with(TestParts {
        storage: Arc::new(move |it| match it {
            "memory:found" => shared(&url),
            other => own(other),
        }),
        ..TestParts::default()
    })
    .await;
    let found = CreateRepository {
        password: Some(Secret::new(first.repository_password().to_owned())),
        ..CreateRepository::at("found", "memory:found")
    };
    let found = t.service.create_repository(&t.owner, found).await.unwrap();
    register(&t, &name).await;
    let scan = t
        .service
        .scan_repository(&t.owner, found.id, NewOperation::default());
    succeed(&t, &scan.await.unwrap()).await;
    let taken = t.now(&backup).await;
    assert_eq!(DatabaseServer::of(&taken.annotations), Some(told));
}
