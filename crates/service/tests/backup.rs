//! The main story: asked for, made, listed, restored.

use strongroom_domain::{
    Annotations, BackupState, Page,
    operation::OperationState,
    query::Filter,
    restore::{ConflictPolicy, RestoreState, RestoreTarget},
};
use strongroom_service::restores::RequestRestore;
use strongroom_testkit::TestService;

#[tokio::test]
async fn a_requested_backup_is_made_listed_and_restored_byte_for_byte() {
    let t = TestService::start().await;
    let files: &[(&str, &[u8])] = &[("a.txt", b"alpha"), ("sub/b.bin", &[0, 159, 146, 150])];
    let resource = t.files_with("docs", files).await;

    let (backup, operation) = t.request(&resource).await;
    assert_eq!(backup.state, BackupState::Pending);
    assert_eq!(backup.name, "docs-20260301120000");
    assert_eq!(operation.state, OperationState::Pending);
    t.work().await;

    let backup = t.service.backup(&t.owner, backup.id).await.unwrap();
    assert_eq!(backup.state, BackupState::Completed, "{:?}", backup.reason);
    assert_eq!(backup.source_bytes, Some(9));
    assert_eq!(backup.entries, Some(3));
    assert!(backup.snapshot.is_some());
    let operation = t
        .service
        .operation(Some(&t.owner), operation.id)
        .await
        .unwrap();
    assert_eq!(
        (operation.state, operation.percent),
        (OperationState::Succeeded, 100)
    );
    let page = Page::offset(10, 0);
    let listed = t
        .service
        .list_backups(&t.owner, &Filter::default(), &[], &page)
        .await
        .unwrap();
    assert_eq!(
        (listed.total, &listed.items[..]),
        (Some(1), &[backup.clone()][..])
    );

    let target = t.directory().join("restored");
    let request = RequestRestore {
        backup_id: backup.id,
        target: RestoreTarget::Directory {
            path: target.to_str().unwrap().to_owned(),
        },
        include: Vec::new(),
        conflict: ConflictPolicy::Replace,
        annotations: Annotations::default(),
        operation_id: None,
        operation_annotations: Annotations::default(),
        idempotency_key: None,
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
    for (path, content) in files {
        assert_eq!(
            std::fs::read(target.join(path)).unwrap(),
            *content,
            "{path}"
        );
    }
}
