//! Repositories: registered, checked, pruned, removed.

use std::fs;

use strongroom_domain::{
    BackupState,
    operation::{OperationError, OperationState},
    repository::RepositoryState,
};
use strongroom_service::{
    backups::DeleteBackup,
    operations::NewOperation,
    repositories::{CreateRepository, UpdateRepository},
};
use strongroom_testkit::{Faults, TestParts, TestService, service::memory_repository};

async fn verify(t: &TestService) {
    let (state, error) = verified(t).await;
    assert_eq!(state, OperationState::Succeeded, "{error:?}");
}

async fn verified(t: &TestService) -> (OperationState, Option<OperationError>) {
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
    (operation.state, operation.error)
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
    let (state, error) = verified(&t).await;
    assert_eq!(state, OperationState::Failed);
    assert_eq!(error.unwrap().code, "unavailable");
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
    let twice = t.service.create_repository(&t.owner, right.clone()).await;
    assert_eq!(twice.unwrap_err().code(), "duplicate_name");
    let (_, other) = t.another_tenant("other").await;
    t.service.create_repository(&other, right).await.unwrap();
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

/// A service whose default repository is a real directory.
async fn on_disk(dir: &std::path::Path) -> TestService {
    let mut t = TestService::start().await;
    let request = CreateRepository {
        is_default: true,
        ..CreateRepository::at("disk", dir.display().to_string())
    };
    t.repository = t
        .service
        .create_repository(&t.owner, request)
        .await
        .unwrap();
    t
}

#[tokio::test]
async fn a_disk_that_is_unmounted_gets_no_backups_and_has_all_when_it_is_back() {
    let parent = tempfile::tempdir().unwrap();
    let (mounted, away) = (parent.path().join("disk"), parent.path().join("away"));
    let t = on_disk(&mounted).await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let backup = t.back_up(&resource).await;
    fs::rename(&mounted, &away).unwrap();
    fs::create_dir(&mounted).unwrap();

    let (_, operation) = t.request(&resource).await;
    t.work().await;
    let late = t.service.operation(Some(&t.owner), operation.id).await;
    assert_ne!(late.unwrap().state, OperationState::Succeeded);
    assert_eq!(fs::read_dir(&mounted).unwrap().count(), 0);
    let (state, error) = verified(&t).await;
    assert_eq!(state, OperationState::Failed);
    assert!(error.unwrap().message.contains("repository"));
    assert_eq!(t.now(&backup).await.state, BackupState::Unknown);
    assert_eq!(fs::read_dir(&mounted).unwrap().count(), 0);

    fs::remove_dir(&mounted).unwrap();
    fs::rename(&away, &mounted).unwrap();
    verify(&t).await;
    assert_eq!(t.now(&backup).await.state, BackupState::Completed);
}

#[tokio::test]
async fn a_backup_that_its_repository_has_again_is_there_again() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("disk");
    let t = on_disk(&dir).await;
    let backup = t
        .back_up(&t.files_with("docs", &[("a", b"alpha")]).await)
        .await;
    let snapshots = (dir.join("snapshots"), dir.join("elsewhere"));
    fs::rename(&snapshots.0, &snapshots.1).unwrap();
    verify(&t).await;
    assert_eq!(t.now(&backup).await.state, BackupState::Removed);
    fs::rename(&snapshots.1, &snapshots.0).unwrap();
    verify(&t).await;
    assert_eq!(t.now(&backup).await.state, BackupState::Completed);
}

#[tokio::test]
async fn a_repository_is_not_made_among_other_files() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("letter.txt"), "dear").unwrap();
    let t = TestService::start().await;
    let request = CreateRepository::at("disk", parent.path().display().to_string());
    let create = async || t.service.create_repository(&t.owner, request.clone()).await;
    let refused = create().await.unwrap_err();
    assert_eq!(refused.code(), "invalid");
    assert!(
        refused
            .to_string()
            .contains("neither empty nor a repository"),
        "{refused}"
    );
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    // A new disk has that directory, and one where it was broken off has some of ours.
    fs::remove_file(parent.path().join("letter.txt")).unwrap();
    for name in ["lost+found", "data", "keys"] {
        fs::create_dir(parent.path().join(name)).unwrap();
    }
    create().await.unwrap();
}

#[tokio::test]
async fn a_repository_is_registered_once_however_it_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("disk");
    let t = on_disk(&dir).await;
    let (third, password) = t
        .service
        .add_repository(
            &t.owner,
            CreateRepository::at("third", parent.path().join("3").display().to_string()),
        )
        .await
        .unwrap();
    let link = parent.path().join("link");
    std::os::unix::fs::symlink(parent.path().join("3"), &link).unwrap();
    for url in [
        third.url.clone(),
        format!("{}/./", third.url),
        link.display().to_string(),
    ] {
        let request = CreateRepository {
            password: Some(password.clone()),
            ..CreateRepository::at("again", url)
        };
        let refused = t
            .service
            .create_repository(&t.owner, request)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "duplicate_name");
        assert!(refused.to_string().contains("`third`"), "{refused}");
    }
}
