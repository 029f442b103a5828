//! Copies of a backup in other repositories, and repositories compared with the catalog.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;
use strongroom_domain::{
    Backup, BackupState, RepositoryId, Secret,
    operation::{Operation, OperationState},
};
use strongroom_engine::{
    Id,
    backend::{FileKind, Handle},
};
use strongroom_service::{
    OpenBackend,
    backups::copies::CopyBackup,
    jobs::SCAN_RESULT,
    operations::NewOperation,
    repositories::{CreateRepository, UpdateRepository},
    restores::RequestRestore,
    storage,
};
use strongroom_testkit::{TestParts, TestService};

use crate::backup::restore_to;

async fn attic(t: &TestService) -> RepositoryId {
    let request = CreateRepository::at("attic", "memory:attic");
    let made = t.service.create_repository(&t.owner, request).await;
    made.unwrap().id
}

fn copy_to(to: RepositoryId) -> CopyBackup {
    CopyBackup {
        to,
        from: None,
        operation: NewOperation::default(),
    }
}

async fn ended(t: &TestService, operation: &Operation) -> Operation {
    t.work().await;
    let found = t.service.operation(Some(&t.owner), operation.id).await;
    found.unwrap()
}

pub(crate) async fn succeed(t: &TestService, operation: &Operation) -> Operation {
    let ended = ended(t, operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    ended
}

async fn copied(t: &TestService) -> (Backup, RepositoryId) {
    let docs = t
        .files_with("docs", &[("a", b"alpha"), ("b/c", b"gamma")])
        .await;
    let backup = t.back_up(&docs).await;
    let attic = attic(t).await;
    let copy = t.service.copy_backup(&t.owner, backup.id, copy_to(attic));
    succeed(t, &copy.await.unwrap()).await;
    (backup, attic)
}

async fn remove_from(t: &TestService, backup: &Backup, places: &[RepositoryId]) -> Operation {
    let operation = NewOperation::default();
    let removed = t
        .service
        .delete_copies(&t.owner, backup.id, places, operation);
    removed.await.unwrap()
}

async fn restore_a(t: &TestService, backup: &Backup) -> Vec<u8> {
    let target = t.directory().join("restored");
    let request = restore_to(backup, &target);
    let (_, operation) = t.service.request_restore(&t.owner, request).await.unwrap();
    succeed(t, &operation).await;
    std::fs::read(target.join("a")).unwrap()
}

#[tokio::test]
async fn a_copy_takes_the_place_of_a_backup_that_is_removed_elsewhere() {
    let t = TestService::start().await;
    let (backup, attic) = copied(&t).await;
    let copies = t.service.copies_of(&t.owner, &[backup.id]).await.unwrap();
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].state, BackupState::Completed);
    assert_eq!(copies[0].repository_id, attic);

    succeed(&t, &remove_from(&t, &backup, &[t.repository.id]).await).await;
    let now = t.now(&backup).await;
    assert_eq!(
        (now.state, now.repository_id),
        (BackupState::Completed, attic)
    );
    assert_eq!(t.snapshots().len(), 0);
    let copies = t.service.copies_of(&t.owner, &[backup.id]).await.unwrap();
    assert!(copies.is_empty(), "{copies:?}");
    assert_eq!(restore_a(&t, &now).await, b"alpha");
}

#[tokio::test]
async fn a_copy_can_be_removed_alone_and_goes_with_its_backup() {
    let t = TestService::start().await;
    let (backup, attic) = copied(&t).await;
    succeed(&t, &remove_from(&t, &backup, &[attic]).await).await;
    assert_eq!(t.now(&backup).await.repository_id, t.repository.id);
    let again = t.service.copy_backup(&t.owner, backup.id, copy_to(attic));
    succeed(&t, &again.await.unwrap()).await;
    // Asked for everywhere, it is deleted.
    succeed(
        &t,
        &remove_from(&t, &backup, &[attic, t.repository.id]).await,
    )
    .await;
    let gone = t.service.backup(&t.owner, backup.id).await.unwrap_err();
    assert_eq!(gone.code(), "not_found");
    let forgotten = t.service.delete_repository(&t.owner, attic, None).await;
    forgotten.unwrap();
}

#[tokio::test]
async fn a_copy_is_refused_where_there_is_one_and_where_none_is_taken() {
    let t = TestService::start().await;
    let (backup, attic) = copied(&t).await;
    for place in [attic, t.repository.id] {
        let again = t.service.copy_backup(&t.owner, backup.id, copy_to(place));
        assert_eq!(again.await.unwrap_err().code(), "already_member");
    }
    let in_use = t.service.delete_repository(&t.owner, attic, None).await;
    assert_eq!(in_use.unwrap_err().code(), "in_use");

    let off = UpdateRepository {
        enabled: Some(false),
        ..UpdateRepository::default()
    };
    let id = t.repository.id;
    let changed = t.service.update_repository(&t.owner, id, None, off).await;
    assert!(!changed.unwrap().enabled);
    let request = strongroom_service::backups::RequestBackup::of(backup.resource_id);
    let refused = t.service.request_backup(&t.owner, request).await;
    assert_eq!(refused.unwrap_err().code(), "wrong_state");
}

#[tokio::test]
async fn a_backup_is_restored_from_the_copy_that_is_named() {
    let t = TestService::start().await;
    let (backup, attic) = copied(&t).await;
    let ids: Vec<_> = t.snapshots().iter().map(|it| it.id).collect();
    t.engine().forget(&ids).unwrap();
    let target = t.directory().join("restored");
    let request = |from| RequestRestore {
        from,
        ..restore_to(&backup, &target)
    };
    let (_, own) = t
        .service
        .request_restore(&t.owner, request(None))
        .await
        .unwrap();
    let own = ended(&t, &own).await;
    assert_eq!(own.state, OperationState::Failed);
    let (_, copy) = t
        .service
        .request_restore(&t.owner, request(Some(attic)))
        .await
        .unwrap();
    succeed(&t, &copy).await;
    assert_eq!(std::fs::read(target.join("b/c")).unwrap(), b"gamma");
    let nowhere = CreateRepository::at("empty", "memory:empty");
    let nowhere = t.service.create_repository(&t.owner, nowhere).await;
    let nowhere = request(Some(nowhere.unwrap().id));
    let refused = t.service.request_restore(&t.owner, nowhere).await;
    assert_eq!(refused.unwrap_err().code(), "wrong_state");
}

#[tokio::test]
async fn a_scan_notices_what_has_gone() {
    let t = TestService::start().await;
    let (backup, _) = copied(&t).await;
    let ids: Vec<_> = t.snapshots().iter().map(|it| it.id).collect();
    t.engine().forget(&ids).unwrap();
    let operation = NewOperation::default();
    let scan = t
        .service
        .scan_repository(&t.owner, t.repository.id, operation);
    let scan = succeed(&t, &scan.await.unwrap()).await;
    let expected = json!({"new": 0, "removed": 1, "skipped": 0});
    assert_eq!(scan.annotations.get(SCAN_RESULT), Some(&expected));
    assert_eq!(t.now(&backup).await.state, BackupState::Removed);
}

fn packs(storage: &OpenBackend, url: &str) -> HashSet<Id> {
    let listed = storage(url).unwrap().list(FileKind::Pack).unwrap();
    listed.into_iter().map(|it| it.id).collect()
}

#[tokio::test]
async fn a_scan_takes_up_what_another_catalog_wrote() {
    let shared = storage();
    let first = TestService::with(TestParts {
        storage: Arc::clone(&shared),
        ..TestParts::default()
    })
    .await;
    let docs = first.files_with("docs", &[("a", b"alpha")]).await;
    let backup = first.back_up(&docs).await;
    let (own, first_url) = (storage(), first.repository.url.clone());
    let kept = packs(&shared, &first_url);
    let lost = first.files_with("lost", &[("a", b"omega")]).await;
    first.back_up(&lost).await;
    for pack in packs(&shared, &first_url).difference(&kept) {
        let pack = Handle::new(FileKind::Pack, *pack);
        shared(&first_url).unwrap().delete(pack).unwrap();
    }
    // A new server with an empty catalog comes by the repository.
    let t = TestService::with(TestParts {
        storage: Arc::new(move |url| match url {
            "memory:found" => shared(&first_url),
            other => own(other),
        }),
        ..TestParts::default()
    })
    .await;
    let password = Some(Secret::new(first.repository_password().to_owned()));
    let found = CreateRepository {
        password,
        ..CreateRepository::at("found", "memory:found")
    };
    let found = t.service.create_repository(&t.owner, found).await.unwrap();
    let scan = async || {
        let operation = NewOperation::default();
        let scan = t.service.scan_repository(&t.owner, found.id, operation);
        let scan = succeed(&t, &scan.await.unwrap()).await;
        scan.annotations.get(SCAN_RESULT).cloned().unwrap()
    };
    // Without a resource of its kind, nobody could restore it.
    assert_eq!(scan().await, json!({"new": 0, "removed": 0, "skipped": 2}));
    t.files_with("docs", &[]).await;
    t.files_with("lost", &[]).await;
    // What cannot be restored does not keep the rest from being taken up.
    assert_eq!(scan().await, json!({"new": 1, "removed": 0, "skipped": 1}));
    assert_eq!(scan().await, json!({"new": 0, "removed": 0, "skipped": 1}));
    let taken = t.now(&backup).await;
    assert_eq!(taken.name, backup.name);
    assert_eq!(taken.source_bytes, backup.source_bytes);
    assert_eq!(restore_a(&t, &taken).await, b"alpha");
}
