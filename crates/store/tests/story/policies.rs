//! Policies and vaults come back as they were written; a policy says when it is due, a vault what
//! is in it.

use rstest::rstest;
use strongroom_domain::{
    CheckpointId, PolicyId, VaultId,
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
        repository_id: None,
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
