//! Connections: what comes back to the pool is as good as new, whatever was left on it.

use rstest::rstest;
use sqlx::{Connection as _, PgConnection};
use strongroom_domain::{Page, TenantId, query::Filter};
use strongroom_testkit::Engine;

use crate::sample::World;

/// More than there are connections of either kind.
const ROUNDS: usize = 40;

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn transactions_and_lists_that_are_dropped_leave_nothing_behind(#[case] engine: Engine) {
    let world = World::new(engine).await;
    for _ in 0..ROUNDS {
        let mut tx = world.store.begin().await.unwrap();
        let id = TenantId::from_uuid(world.uuid());
        tx.insert_tenant(&World::tenant("half", id)).await.unwrap();
        drop(tx);
        // A list reads from a snapshot, which ends with the connection's loan.
        let mut read = world.store.read().await.unwrap();
        let (filter, page) = (Filter::default(), Page::offset(10, 0));
        let found = read.list_backups(world.tenant, &filter, &[], &page);
        assert_eq!(found.await.unwrap().total, Some(0));
    }
    let id = TenantId::from_uuid(world.uuid());
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_tenant(&World::tenant("whole", id)).await.unwrap();
    tx.commit().await.unwrap();
    let tenants = world.store.read().await.unwrap().list_tenants().await;
    let names: Vec<_> = tenants.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["alpha", "whole"]);
}

#[tokio::test]
async fn a_server_that_ended_all_sessions_fails_one_request_and_not_one_per_connection() {
    let world = World::new(Engine::Postgres).await;
    let mut reads = Vec::new();
    for _ in 0..8 {
        let mut read = world.store.read().await.unwrap();
        read.list_tenants().await.unwrap();
        reads.push(read);
    }
    drop(reads);

    let mut admin = PgConnection::connect(world.database.url()).await.unwrap();
    let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let ended = sqlx::query(text).fetch_all(&mut admin).await.unwrap();
    assert!(ended.len() >= 8, "{} sessions", ended.len());

    let mut failed = 0;
    for _ in 0..ROUNDS {
        let mut read = world.store.read().await.unwrap();
        failed += usize::from(read.list_tenants().await.is_err());
    }
    assert!(failed <= 1, "{failed} requests failed");
}
