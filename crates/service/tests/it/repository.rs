//! Repositories: registered, checked, pruned, removed.

use strongroom_domain::{BackupState, operation::OperationState, repository::RepositoryState};
use strongroom_service::{
    backups::DeleteBackup,
    operations::NewOperation,
    repositories::{CreateRepository, UpdateRepository},
};
use strongroom_testkit::{Faults, TestParts, TestService, service::memory_repository};

async fn verify(t: &TestService) {
    let id = t.repository.id;
    let operation = t
        .service
        .verify_repository(&t.owner, id, NewOperation::default())
        .await
        .unwrap();
    t.work().await;
    let operation = t
        .service
        .operation(Some(&t.owner), operation.id)
        .await
        .unwrap();
    assert_eq!(
        operation.state,
        OperationState::Succeeded,
        "{:?}",
        operation.error
    );
}

#[tokio::test]
async fn backups_are_unknown_while_their_repository_cannot_be_reached() {
    let faults = Faults::default();
    let storage = faults.storage();
    let t = TestService::with(TestParts {
        storage,
        ..TestParts::default()
    })
    .await;
    let backup = t
        .back_up(&t.files_with("docs", &[("a", b"alpha")]).await)
        .await;
    faults.set_down(true);
    verify(&t).await;
    let unknown = t.now(&backup).await;
    assert_eq!(unknown.state, BackupState::Unknown);
    assert!(unknown.reason.unwrap().contains("connection refused"));
    let repository = t
        .service
        .repository(&t.owner, t.repository.id)
        .await
        .unwrap();
    assert_eq!(repository.state, RepositoryState::Unavailable);

    faults.set_down(false);
    verify(&t).await;
    let back = t.now(&backup).await;
    assert_eq!((back.state, back.reason), (BackupState::Completed, None));
    let repository = t
        .service
        .repository(&t.owner, t.repository.id)
        .await
        .unwrap();
    assert_eq!(
        (repository.state, repository.reason),
        (RepositoryState::Ready, None)
    );
    assert!(repository.stored_bytes > 0);
}

#[tokio::test]
async fn a_backup_that_its_repository_no_longer_has_is_removed() {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let (lost, kept) = (t.back_up(&resource).await, t.back_up(&resource).await);
    let snapshot = lost.snapshot.clone().unwrap();
    t.engine().forget(&[snapshot.parse().unwrap()]).unwrap();
    verify(&t).await;
    assert_eq!(t.now(&lost).await.state, BackupState::Removed);
    assert_eq!(t.now(&kept).await.state, BackupState::Completed);
    assert!(t.events().await.contains(&"backup.removed".to_owned()));
    // Its record can still be deleted.
    t.service
        .delete_backup(&t.owner, lost.id, DeleteBackup::default())
        .await
        .unwrap();
    t.work().await;
    assert_eq!(
        t.service
            .backup(&t.owner, lost.id)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
}

#[tokio::test]
async fn an_existing_repository_is_opened_with_its_password_and_no_other() {
    let t = TestService::start().await;
    let request = || CreateRepository {
        url: "memory:shared".into(),
        ..memory_repository("one")
    };
    let (_, password) = t.service.add_repository(&t.owner, request()).await.unwrap();
    let again = CreateRepository {
        name: "two".into(),
        ..request()
    };
    let wrong = t
        .service
        .create_repository(&t.owner, again.clone())
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), "invalid");
    let right = CreateRepository {
        password: Some(password),
        ..again
    };
    t.service.create_repository(&t.owner, right).await.unwrap();
}

#[tokio::test]
async fn one_repository_of_a_tenant_is_the_default() {
    let t = TestService::start().await;
    let other = CreateRepository {
        is_default: false,
        ..memory_repository("other")
    };
    let other = t.service.create_repository(&t.owner, other).await.unwrap();
    assert!(!other.is_default);
    let change = UpdateRepository {
        is_default: Some(true),
        ..Default::default()
    };
    let version = Some(other.version);
    t.service
        .update_repository(&t.owner, other.id, version, change.clone())
        .await
        .unwrap();
    let all = t.service.list_repositories(&t.owner).await.unwrap();
    let defaults: Vec<_> = all
        .iter()
        .filter(|it| it.is_default)
        .map(|it| it.id)
        .collect();
    assert_eq!(defaults, [other.id]);
    let stale = t
        .service
        .update_repository(&t.owner, other.id, version, change)
        .await;
    assert_eq!(stale.unwrap_err().code(), "version_mismatch");
}

#[tokio::test]
async fn a_repository_with_backups_is_not_removed() {
    let t = TestService::start().await;
    let backup = t
        .back_up(&t.files_with("docs", &[("a", b"alpha")]).await)
        .await;
    let remove = || t.service.delete_repository(&t.owner, t.repository.id, None);
    assert_eq!(remove().await.unwrap_err().code(), "in_use");
    t.service
        .delete_backup(&t.owner, backup.id, DeleteBackup::default())
        .await
        .unwrap();
    t.work().await;
    remove().await.unwrap();
    let gone = t
        .service
        .repository(&t.owner, t.repository.id)
        .await
        .unwrap_err();
    assert_eq!(gone.code(), "not_found");
}
