//! Vaults: members, quota, lock, checkpoints.

use jiff::SignedDuration;
use strongroom_domain::{
    Annotations, BackupState, Page, Resource, Trigger,
    policy::PolicyTarget,
    query::Filter,
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
    vault::Vault,
};
use strongroom_service::{
    backups::DeleteBackup,
    policies::CreatePolicy,
    vaults::{CreateVault, RequestCheckpoint, UpdateVault},
};
use strongroom_testkit::TestService;

async fn vault(t: &TestService, resources: &[&Resource]) -> Vault {
    let request = CreateVault {
        name: "vault".to_owned(),
        description: None,
        repository_id: None,
        resources: resources.iter().map(|it| it.id).collect(),
        policy_id: None,
        quota_bytes: 1 << 30,
        locked: false,
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    t.service.create_vault(&t.owner, request).await.unwrap()
}

fn checkpoint(vault: &Vault) -> RequestCheckpoint {
    RequestCheckpoint {
        vault_id: vault.id,
        resources: None,
        name: Some("manualbk_1".to_owned()),
        description: None,
        expires_at: None,
        automatic: false,
        policy_id: None,
        annotations: Annotations::default(),
    }
}

async fn two(t: &TestService) -> (Resource, Resource) {
    let docs = t.files_with("docs", &[("a", b"alpha")]).await;
    (docs, t.files_with("mail", &[("b", b"beta")]).await)
}

#[tokio::test]
async fn a_checkpoint_backs_up_the_vault_and_names_what_it_skips() {
    let t = TestService::start().await;
    let (docs, mail) = two(&t).await;
    let stranger = t.files_with("stranger", &[]).await;
    let vault = vault(&t, &[&docs, &mail]).await;
    let asked = [
        mail.id.to_string(),
        docs.id.simple(),
        stranger.id.to_string(),
        "x".to_owned(),
    ];
    let request = RequestCheckpoint {
        resources: Some(asked.to_vec()),
        ..checkpoint(&vault)
    };
    let view = t
        .service
        .request_checkpoint(&t.owner, request)
        .await
        .unwrap();
    let of: Vec<_> = view.backups.iter().map(|it| it.resource_id).collect();
    assert_eq!(of, [docs.id, mail.id], "in the vault's order");
    let skipped: Vec<_> = view
        .checkpoint
        .skipped
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(skipped, [stranger.id.to_string().as_str(), "x"]);
    t.work().await;
    let id = view.checkpoint.id;
    let view = t.service.checkpoint(&t.owner, id).await.unwrap();
    for backup in &view.backups {
        assert_eq!(backup.state, BackupState::Completed, "{:?}", backup.reason);
        assert_eq!(
            (backup.vault_id, backup.name.as_str()),
            (Some(vault.id), "manualbk_1")
        );
    }
    assert_eq!(
        t.service
            .checkpoint_operations(&t.owner, id)
            .await
            .unwrap()
            .len(),
        2
    );
    let usage = t.service.vault(&t.owner, vault.id).await.unwrap();
    assert_eq!(
        usage.per_resource.iter().map(|it| it.1).collect::<Vec<_>>(),
        [1, 1]
    );
    assert!(usage.used_bytes > 0);

    for backup in view.backups {
        t.service
            .delete_backup(&t.owner, backup.id, DeleteBackup::default())
            .await
            .unwrap();
    }
    t.work().await;
    assert_eq!(
        t.service.checkpoint(&t.owner, id).await.unwrap_err().code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_checkpoint_of_nothing_is_refused() {
    let t = TestService::start().await;
    let empty = vault(&t, &[]).await;
    let refused = t
        .service
        .request_checkpoint(&t.owner, checkpoint(&empty))
        .await;
    assert_eq!(refused.unwrap_err().code(), "wrong_state");
}

#[tokio::test]
async fn a_full_vault_takes_no_checkpoint() {
    let t = TestService::start().await;
    let (docs, _) = two(&t).await;
    let vault = vault(&t, &[&docs]).await;
    t.service
        .request_checkpoint(&t.owner, checkpoint(&vault))
        .await
        .unwrap();
    t.work().await;
    let change = UpdateVault {
        quota_bytes: Some(1),
        ..Default::default()
    };
    t.service
        .update_vault(&t.owner, vault.id, None, change)
        .await
        .unwrap();
    let refused = t
        .service
        .request_checkpoint(&t.owner, checkpoint(&vault))
        .await;
    assert_eq!(refused.unwrap_err().code(), "quota_exceeded");
}

#[tokio::test]
async fn a_resource_is_in_at_most_one_vault() {
    let t = TestService::start().await;
    let (docs, mail) = two(&t).await;
    let first = vault(&t, &[&docs]).await;
    let second = vault(&t, &[]).await;
    let add = async |vault: &Vault, resource: &Resource| {
        t.service
            .add_vault_resources(&t.owner, vault.id, None, &[resource.id])
            .await
    };
    for vault in [&first, &second] {
        assert_eq!(
            add(vault, &docs).await.unwrap_err().code(),
            "already_member"
        );
    }
    assert_eq!(add(&second, &mail).await.unwrap().resources, [mail.id]);
}

#[tokio::test]
async fn a_resource_taken_out_of_a_vault_loses_its_backups_there() {
    let t = TestService::start().await;
    let (docs, mail) = two(&t).await;
    let vault = vault(&t, &[&docs, &mail]).await;
    t.service
        .request_checkpoint(&t.owner, checkpoint(&vault))
        .await
        .unwrap();
    let outside = t.back_up(&docs).await;
    let left = t
        .service
        .remove_vault_resources(&t.owner, vault.id, None, &[docs.id])
        .await
        .unwrap();
    assert_eq!(left.resources, [mail.id]);
    t.work().await;
    let all = t
        .service
        .list_backups(&t.owner, &Filter::default(), &[], &Page::ALL)
        .await
        .unwrap();
    let mut of: Vec<_> = all
        .items
        .iter()
        .map(|it| (it.resource_id, it.vault_id))
        .collect();
    of.sort();
    let mut wanted = [(docs.id, None), (mail.id, Some(vault.id))];
    wanted.sort();
    assert_eq!(of, wanted);
    assert_eq!(t.now(&outside).await.state, BackupState::Completed);
}

#[tokio::test]
async fn a_deleted_vault_takes_its_backups_with_it() {
    let t = TestService::start().await;
    let (docs, _) = two(&t).await;
    let vault = vault(&t, &[&docs]).await;
    t.service
        .request_checkpoint(&t.owner, checkpoint(&vault))
        .await
        .unwrap();
    t.work().await;
    t.service
        .delete_vault(&t.owner, vault.id, None)
        .await
        .unwrap();
    t.work().await;
    assert_eq!(
        t.service
            .vault(&t.owner, vault.id)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
    assert_eq!(t.snapshots(), []);
}

#[tokio::test]
async fn a_locked_vault_keeps_its_automatic_backups() {
    let t = TestService::start().await;
    let (docs, _) = two(&t).await;
    let vault = vault(&t, &[&docs]).await;
    let lock = UpdateVault {
        locked: Some(true),
        ..Default::default()
    };
    t.service
        .update_vault(&t.owner, vault.id, None, lock)
        .await
        .unwrap();
    let manual = t
        .service
        .request_checkpoint(&t.owner, checkpoint(&vault))
        .await
        .unwrap();
    let automatic = RequestCheckpoint {
        automatic: true,
        ..checkpoint(&vault)
    };
    let automatic = t
        .service
        .request_checkpoint(&t.owner, automatic)
        .await
        .unwrap();
    t.work().await;
    assert_eq!(automatic.backups[0].trigger, Trigger::Schedule);
    let delete = async |id| {
        t.service
            .delete_backup(&t.owner, id, DeleteBackup::default())
            .await
    };
    assert_eq!(
        delete(automatic.backups[0].id).await.unwrap_err().code(),
        "locked"
    );
    delete(manual.backups[0].id).await.unwrap();
    let unlock = UpdateVault {
        locked: Some(false),
        ..Default::default()
    };
    let unlock = t
        .service
        .update_vault(&t.owner, vault.id, None, unlock)
        .await;
    assert_eq!(unlock.unwrap_err().code(), "locked");
    let remove = t
        .service
        .remove_vault_resources(&t.owner, vault.id, None, &[docs.id])
        .await;
    assert_eq!(remove.unwrap_err().code(), "locked");
    assert_eq!(
        t.service
            .delete_vault(&t.owner, vault.id, None)
            .await
            .unwrap_err()
            .code(),
        "locked"
    );
}

#[tokio::test]
async fn a_policy_makes_a_checkpoint_of_its_vault() {
    let t = TestService::start().await;
    let (docs, mail) = two(&t).await;
    let vault = vault(&t, &[&docs, &mail]).await;
    let recurrences = vec![Recurrence::Every(3600)];
    let request = CreatePolicy {
        name: "hourly".to_owned(),
        description: None,
        enabled: true,
        schedule: Schedule {
            recurrences,
            zone: "UTC".to_owned(),
            missed: MissedRun::RunOnce,
        },
        retention: Retention::default(),
        // Named twice, once through the vault: backed up once.
        targets: vec![
            PolicyTarget::Vault(vault.id),
            PolicyTarget::Resource(docs.id),
        ],
        repositories: Vec::new(),
        copy_to: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    let policy = t.service.create_policy(&t.owner, request).await.unwrap();
    t.clock.advance(SignedDuration::from_hours(1));
    t.service.schedule().await.unwrap();
    t.work().await;
    let all = t
        .service
        .list_backups(&t.owner, &Filter::default(), &[], &Page::ALL)
        .await
        .unwrap();
    assert_eq!(all.items.len(), 2);
    for backup in &all.items {
        assert_eq!(backup.state, BackupState::Completed, "{:?}", backup.reason);
        assert_eq!(
            (backup.vault_id, backup.policy_id),
            (Some(vault.id), Some(policy.id))
        );
        assert_eq!(backup.checkpoint_id, all.items[0].checkpoint_id);
    }
}
