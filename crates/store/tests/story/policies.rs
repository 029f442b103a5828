//! Policies and vaults come back as they were written; a policy says when it is due, a vault what
//! is in it.

use rstest::rstest;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use strongroom_domain::{
    CheckpointId, EventId, PolicyId, RepositoryId, VaultId,
    event::Event,
    operation::Subject,
    policy::{Policy, PolicyCopy, PolicyTarget},
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
    vault::{Checkpoint, SkippedResource, Vault},
};
use strongroom_store::Error;
use strongroom_testkit::Engine;

use crate::sample::{World, annotations, at, labels, start};

fn policy(world: &World) -> Policy {
    Policy {
        id: PolicyId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        name: "daily".to_owned(),
        description: None,
        face: None,
        enabled: true,
        schedule: Schedule {
            recurrences: vec![Recurrence::Cron("0 2 * * *".to_owned())],
            zone: "Europe/Berlin".to_owned(),
            missed: MissedRun::RunOnce,
        },
        retention: Retention {
            daily: Some(7),
            ..Retention::default()
        },
        targets: vec![PolicyTarget::Resource(world.resource)],
        repositories: Vec::new(),
        copy_to: Some(PolicyCopy {
            repository_id: world.repository,
            retention: Retention::default(),
        }),
        next_run: Some(at(10)),
        last_run: None,
        labels: labels(),
        annotations: annotations(),
        created_at: start(),
        updated_at: start(),
        version: 1,
    }
}

fn vault(world: &World, policy: PolicyId) -> Vault {
    Vault {
        id: VaultId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        name: "servers".to_owned(),
        description: None,
        repository_id: world.repository,
        resources: vec![world.resource],
        policy_id: Some(policy),
        quota_bytes: 1 << 40,
        locked: true,
        labels: labels(),
        annotations: annotations(),
        created_at: start(),
        updated_at: start(),
        version: 1,
    }
}

#[rstest]
#[tokio::test]
async fn a_policy_is_due_from_its_next_run_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut daily = policy(&world);
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_policy(&daily).await.unwrap();
    assert_eq!(
        tx.policy(world.tenant, daily.id).await.unwrap(),
        Some(daily.clone())
    );
    assert_eq!(
        tx.policy_named(world.tenant, "daily").await.unwrap(),
        Some(daily.clone())
    );
    assert!(tx.due_policies(at(9), 10).await.unwrap().is_empty());
    assert_eq!(tx.due_policies(at(10), 10).await.unwrap(), [daily.clone()]);
    assert_eq!(tx.next_policy_run().await.unwrap(), Some(at(10)));
    assert_eq!(tx.enabled_policies().await.unwrap().len(), 1);
    let target = PolicyTarget::Resource(world.resource);
    assert_eq!(
        tx.policies_targeting(world.tenant, target)
            .await
            .unwrap()
            .len(),
        1
    );
    daily.targets = vec![PolicyTarget::Vault(VaultId::from_uuid(world.uuid()))];
    daily.enabled = false;
    let second = RepositoryId::from_uuid(world.uuid());
    daily.repositories = vec![second, world.repository];
    tx.update_policy(&daily).await.unwrap();
    daily.version = 2;
    assert_eq!(
        tx.list_policies(world.tenant).await.unwrap(),
        [daily.clone()]
    );
    assert!(
        tx.policies_targeting(world.tenant, target)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(tx.due_policies(at(10), 10).await.unwrap().is_empty());
    assert_eq!(tx.next_policy_run().await.unwrap(), None);
    tx.delete_policy(&daily).await.unwrap();
}

/// Takes the catalog back to before policies had several repositories.
const ONE_REPOSITORY: [&str; 4] = [
    "UPDATE policies SET repository_id = (SELECT id FROM repositories) WHERE repositories <> '[]'",
    "ALTER TABLE policies DROP COLUMN repositories",
    "DROP INDEX events_of_skipped_runs",
    "DELETE FROM _sqlx_migrations WHERE version = 6",
];

#[rstest]
#[tokio::test]
async fn a_policy_of_an_older_catalog_keeps_its_repository(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (mut one, mut none) = (policy(&world), policy(&world));
    one.repositories = vec![world.repository];
    none.name = "weekly".to_owned();
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_policy(&one).await.unwrap();
    tx.insert_policy(&none).await.unwrap();
    tx.commit().await.unwrap();
    let World {
        store,
        database,
        tenant,
        ..
    } = world;
    store.close().await;
    drop(store);
    match engine {
        Engine::Sqlite => {
            let mut conn = SqliteConnection::connect(database.url()).await.unwrap();
            let column = "ALTER TABLE policies ADD COLUMN repository_id BLOB";
            for text in std::iter::once(column).chain(ONE_REPOSITORY) {
                sqlx::query(text).execute(&mut conn).await.unwrap();
            }
        }
        Engine::Postgres => {
            let mut conn = PgConnection::connect(database.url()).await.unwrap();
            let column = "ALTER TABLE policies ADD COLUMN repository_id UUID";
            for text in std::iter::once(column).chain(ONE_REPOSITORY) {
                sqlx::query(text).execute(&mut conn).await.unwrap();
            }
        }
    }
    let store = database.store().await;
    let found = store.read().await.unwrap().list_policies(tenant).await;
    assert_eq!(found.unwrap(), [one, none]);
}

#[rstest]
#[tokio::test]
async fn the_events_of_skipped_runs_are_found_among_all(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (other, _) = world.other_tenant("beta").await;
    let event = |tenant_id, seconds, name: &str| Event {
        id: EventId::from_uuid(world.uuid()),
        tenant_id,
        at: at(seconds),
        name: name.to_owned(),
        subject: Some(Subject::Resource(world.resource)),
        principal_id: None,
        details: serde_json::json!({ "reason": "it is off" }),
    };
    let skipped = "policy.skipped";
    let events = [
        event(world.tenant, 2, skipped),
        event(world.tenant, 1, skipped),
        event(world.tenant, 3, "policy.missed"),
        event(other, 4, skipped),
    ];
    let mut tx = world.store.begin().await.unwrap();
    for event in &events {
        tx.insert_event(event).await.unwrap();
    }
    let [late, early, ..] = events;
    assert_eq!(tx.skipped_runs(world.tenant).await.unwrap(), [early, late]);
}

#[rstest]
#[tokio::test]
async fn a_resource_is_in_at_most_one_vault(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let daily = policy(&world);
    let mut servers = vault(&world, daily.id);
    let mut backup = world.backup();
    backup.vault_id = Some(servers.id);
    backup.stored_bytes = Some(9);
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_policy(&daily).await.unwrap();
    tx.insert_vault(&servers).await.unwrap();
    tx.insert_backup(&backup).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(
        tx.vault(world.tenant, servers.id).await.unwrap(),
        Some(servers.clone())
    );
    assert_eq!(
        tx.vault_of(world.tenant, world.resource).await.unwrap(),
        Some(servers.clone())
    );
    assert_eq!(
        tx.vaults_of_policy(world.tenant, daily.id).await.unwrap(),
        [servers.clone()]
    );
    let usage = tx.vault_usage(world.tenant, servers.id).await.unwrap();
    assert_eq!(
        (usage.len(), usage[0].backups, usage[0].stored_bytes),
        (1, 1, 9)
    );
    let error = tx.insert_vault(&vault(&world, daily.id)).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Duplicate {
                what: "vault membership"
            }
        ),
        "{error:?}"
    );
    drop(tx);

    let mut tx = world.store.begin().await.unwrap();
    tx.delete_policy(&daily).await.unwrap();
    servers.policy_id = None;
    servers.resources.clear();
    tx.update_vault(&servers).await.unwrap();
    servers.version = 2;
    assert_eq!(
        tx.list_vaults(world.tenant).await.unwrap(),
        [servers.clone()]
    );
    let mut checkpoint = Checkpoint {
        id: CheckpointId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        vault_id: servers.id,
        name: None,
        description: Some("by hand".to_owned()),
        skipped: vec![SkippedResource {
            id: "nonsense".to_owned(),
            reason: "not found".to_owned(),
        }],
        annotations: annotations(),
        created_at: start(),
    };
    tx.insert_checkpoint(&checkpoint).await.unwrap();
    checkpoint.name = Some("first".to_owned());
    tx.update_checkpoint(&checkpoint).await.unwrap();
    assert_eq!(
        tx.checkpoint(world.tenant, checkpoint.id).await.unwrap(),
        Some(checkpoint.clone())
    );
    assert_eq!(
        tx.list_checkpoints(world.tenant, servers.id).await.unwrap(),
        [checkpoint]
    );
    tx.delete_vault(&servers).await.unwrap();
    tx.commit().await.unwrap();
}
