//! The core stories once more, on each database in a form that lasts.

use std::time::Duration;

use jiff::SignedDuration;
use rstest::rstest;
use strongroom_domain::{
    Annotations, BackupState, Clock, Page,
    policy::PolicyTarget,
    query::Filter,
    restore::RestoreState,
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
};
use strongroom_service::{
    Service,
    backups::{DeleteBackup, RequestBackup, UpdateBackup},
    policies::CreatePolicy,
    vaults::{CreateVault, UpdateVault},
};
use strongroom_testkit::{Database, Engine, TestParts, TestService};

use crate::backup::{keyed, restore_to};

async fn on(engine: Engine) -> (Database, TestService) {
    let database = Database::new(engine).await;
    let database_url = Some(database.url().to_owned());
    (
        database,
        TestService::with(TestParts {
            database_url,
            ..TestParts::default()
        })
        .await,
    )
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_backup_is_requested_made_restored_and_deleted(#[case] engine: Engine) {
    let (_database, t) = on(engine).await;
    let resource = t
        .files_with("docs", &[("a", b"alpha"), ("b/c", b"gamma")])
        .await;
    let (caller, request) = (keyed(&t.owner, "one"), RequestBackup::of(resource.id));
    let (one, two) = tokio::join!(
        t.service.request_backup(&caller, request.clone()),
        t.service.request_backup(&caller, request.clone()),
    );
    let backup = one.unwrap().0;
    assert_eq!(backup.id, two.unwrap().0.id);
    // A worker that took the job and died does not hinder the next one.
    t.store
        .lease("dead", t.clock.now(), Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    t.work().await;
    let backup = t.now(&backup).await;
    assert_eq!(backup.state, BackupState::Completed, "{:?}", backup.reason);

    let target = t.directory().join("restored");
    let (restore, _) = t
        .service
        .request_restore(&t.owner, restore_to(&backup, &target))
        .await
        .unwrap();
    t.work().await;
    let restore = t.service.restore(&t.owner, restore.id).await.unwrap();
    assert_eq!(
        restore.state,
        RestoreState::Completed,
        "{:?}",
        restore.reason
    );
    assert_eq!(std::fs::read(target.join("b/c")).unwrap(), b"gamma");

    t.service
        .delete_backup(&t.owner, backup.id, DeleteBackup::default())
        .await
        .unwrap();
    t.work().await;
    assert_eq!(
        t.service
            .backup(&t.owner, backup.id)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
    assert_eq!(t.snapshots(), []);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_policy_fires_once_per_occurrence_and_keeps_what_it_should(#[case] engine: Engine) {
    let (_database, t) = on(engine).await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
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
        retention: Retention {
            last: Some(2),
            ..Retention::default()
        },
        targets: vec![PolicyTarget::Resource(resource.id)],
        repositories: Vec::new(),
        copy_to: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    t.service.create_policy(&t.owner, request).await.unwrap();
    for _ in 0..4 {
        t.clock.advance(SignedDuration::from_hours(1));
        let (one, two) = tokio::join!(t.service.schedule(), t.service.schedule());
        one.unwrap();
        two.unwrap();
        t.work().await;
    }
    let all = t
        .service
        .list_backups(&t.owner, &Filter::default(), &[], &Page::ALL)
        .await
        .unwrap();
    let states: Vec<_> = all.items.iter().map(|it| it.state).collect();
    assert_eq!(states, [BackupState::Completed; 2]);
    assert_eq!(t.snapshots().len(), 2);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn of_two_writers_of_the_same_version_one_succeeds(#[case] engine: Engine) {
    let (_database, t) = on(engine).await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let backup = t.back_up(&resource).await;
    let vault = CreateVault {
        name: "vault".to_owned(),
        description: None,
        repository_id: None,
        resources: Vec::new(),
        policy_id: None,
        quota_bytes: 1 << 30,
        locked: false,
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    let vault = t.service.create_vault(&t.owner, vault).await.unwrap();
    let (service, owner): (&Service, _) = (&t.service, &t.owner);
    let rename = |name: &str| UpdateVault {
        name: Some(name.to_owned()),
        ..UpdateVault::default()
    };
    let version = Some(vault.version);
    let (one, two) = tokio::join!(
        service.update_vault(owner, vault.id, version, rename("one")),
        service.update_vault(owner, vault.id, version, rename("two")),
    );
    let late = one.and(two).unwrap_err();
    assert_eq!(late.code(), "version_mismatch");
    let version = Some(vault.version + 1);
    let (changed, deleted) = tokio::join!(
        service.update_vault(owner, vault.id, version, rename("three")),
        service.delete_vault(owner, vault.id, version),
    );
    assert_eq!(
        changed.is_ok(),
        deleted.is_err(),
        "{changed:?}, {deleted:?}"
    );

    let request = DeleteBackup {
        version: Some(backup.version),
        ..DeleteBackup::default()
    };
    let (changed, deleted) = tokio::join!(
        service.update_backup(
            owner,
            backup.id,
            Some(backup.version),
            UpdateBackup::default()
        ),
        service.delete_backup(owner, backup.id, request),
    );
    assert_eq!(
        changed.is_ok(),
        deleted.is_err(),
        "{changed:?}, {deleted:?}"
    );
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn of_backups_that_must_be_alone_one_is_made(#[case] engine: Engine) {
    let (_database, t) = on(engine).await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let alone = || {
        let request = RequestBackup {
            alone: true,
            ..RequestBackup::of(resource.id)
        };
        t.service.request_backup(&t.owner, request)
    };
    let (one, two, three) = tokio::join!(alone(), alone(), alone());
    let (made, refused): (Vec<_>, Vec<_>) = [one, two, three].into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 2));
    for error in refused {
        assert_eq!(error.unwrap_err().code(), "in_use");
    }
    t.work().await;
    alone().await.unwrap();
}
