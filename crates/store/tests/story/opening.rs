//! Opening: two schemas that agree, one process per SQLite file, nothing newer than is known.

use std::{collections::BTreeMap, time::Duration};

use rstest::rstest;
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use strongroom_domain::job::Lock;
use strongroom_store::{Error, Store};
use strongroom_testkit::{Database, Engine};

use crate::sample::{World, start};

type Columns = BTreeMap<String, Vec<(String, bool)>>;

#[tokio::test]
async fn both_databases_have_the_same_columns_after_migrating() {
    let sqlite = Database::new(Engine::Sqlite).await;
    sqlite.store().await.close().await;
    let postgres = Database::new(Engine::Postgres).await;
    postgres.store().await.close().await;

    let mut conn = SqliteConnection::connect(sqlite.url()).await.unwrap();
    let text = "SELECT t.name, c.name, c.\"notnull\" <> 0 OR c.pk <> 0 \
         FROM pragma_table_list t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite%' \
         AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.cid";
    let mut lite = Columns::new();
    for row in sqlx::query(text).fetch_all(&mut conn).await.unwrap() {
        lite.entry(row.get(0))
            .or_default()
            .push((row.get(1), row.get(2)));
    }

    let mut conn = PgConnection::connect(postgres.url()).await.unwrap();
    let text = "SELECT table_name::text, column_name::text, is_nullable = 'NO' \
         FROM information_schema.columns WHERE table_schema = 'public' \
         AND table_name <> '_sqlx_migrations' ORDER BY table_name, ordinal_position";
    let mut pg = Columns::new();
    for row in sqlx::query(text).fetch_all(&mut conn).await.unwrap() {
        pg.entry(row.get(0))
            .or_default()
            .push((row.get(1), row.get(2)));
    }
    assert!(lite.contains_key("backups"));
    assert_eq!(lite, pg);
}

#[test]
fn migrations_have_the_same_numbers_and_names_in_both_folders() {
    let names = |folder: &str| {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(folder);
        let files = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = files.map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[rstest]
#[tokio::test]
async fn a_database_of_a_newer_version_is_refused(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let database = Database::new(engine).await;
    database.store().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations \
         (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from the future', TRUE, ";
    match engine {
        Engine::Sqlite => {
            let mut conn = SqliteConnection::connect(database.url()).await.unwrap();
            let text = sqlx::AssertSqlSafe(format!("{newer} x'00', 0)"));
            sqlx::query(text).execute(&mut conn).await.unwrap();
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(database.url()).await.unwrap();
            let text = sqlx::AssertSqlSafe(format!("{newer} '\\x00', 0)"));
            sqlx::query(text).execute(&mut conn).await.unwrap();
        }
    }
    let error = Store::connect(database.url()).await.unwrap_err();
    assert!(
        matches!(error, Error::NewerSchema { found: 9999, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_sqlite_file_is_used_once_at_a_time_and_what_was_leased_is_free_afterwards() {
    let world = World::new(Engine::Sqlite).await;
    let job = world.job(vec![Lock::exclusive("resource:1")]);
    let mut tx = world.store.begin().await.unwrap();
    tx.enqueue(&job).await.unwrap();
    tx.commit().await.unwrap();
    let long = Duration::from_mins(10);
    assert!(
        world
            .store
            .lease("a", start(), long)
            .await
            .unwrap()
            .is_some()
    );
    world
        .store
        .acquire_lease("scheduler", "a", long)
        .await
        .unwrap();
    let error = Store::connect(world.database.url()).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error:?}");

    let World {
        store, database, ..
    } = world;
    store.close().await;
    drop(store);
    let store = database.store().await;
    let again = store.lease("b", start(), long).await.unwrap().unwrap();
    assert_eq!((again.id, again.fence), (job.id, 2));
    assert!(
        store
            .acquire_lease("scheduler", "b", long)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_database_in_memory_is_gone_with_its_store() {
    let store = Store::connect("sqlite::memory:").await.unwrap();
    let other = Store::connect("sqlite::memory:").await.unwrap();
    assert!(
        store
            .read()
            .await
            .unwrap()
            .list_tenants()
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        other
            .read()
            .await
            .unwrap()
            .list_tenants()
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_showing_its_password() {
    for url in [
        "",
        "sqlite:",
        "mysql://root:secret@host/db",
        "/var/lib/x.db",
    ] {
        let error = Store::connect(url).await.unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let world = World::new(Engine::Sqlite).await;
    let mut conn = SqliteConnection::connect(world.database.url())
        .await
        .unwrap();
    sqlx::query("UPDATE resources SET kind = 'spaceship'")
        .execute(&mut conn)
        .await
        .unwrap();
    let mut read = world.store.read().await.unwrap();
    let error = read
        .resource(world.tenant, world.resource)
        .await
        .unwrap_err();
    let shown = error.to_string();
    assert!(
        matches!(
            error,
            Error::CorruptRow {
                table: "resources",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        shown.contains("`kind`") && shown.contains(&world.resource.to_string()),
        "{shown}"
    );
}
