//! The main story: asked for, made, listed, restored.

use std::{collections::BTreeMap, path::Path};

use jiff::SignedDuration;
use strongroom_domain::{
    Annotations, Backup, BackupState, Clock, Face, Page, PrincipalId, Resource, ResourceKind,
    operation::OperationState,
    query::Filter,
    resource::Settings,
    restore::{ConflictPolicy, RestoreState, RestoreTarget},
};
use strongroom_service::{
    Caller, Error, RequestKey, ServiceConfig,
    backups::{DeleteBackup, RequestBackup},
    restores::RequestRestore,
};
use strongroom_source::{Registry, SourceConfig, command::CommandSpec};
use strongroom_testkit::{Faults, Script, Step, TestParts, TestService};

use crate::scripted;

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
    let request = restore_to(&backup, &target);
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

/// A restore of everything to a directory.
pub(crate) fn restore_to(backup: &Backup, target: &Path) -> RequestRestore {
    RequestRestore {
        backup_id: backup.id,
        target: RestoreTarget::Directory {
            path: target.to_str().unwrap().to_owned(),
        },
        include: Vec::new(),
        conflict: ConflictPolicy::Replace,
        rename: BTreeMap::new(),
        from: None,
        safety_backup: Some(false),
        annotations: Annotations::default(),
        operation_id: None,
        operation_annotations: Annotations::default(),
    }
}

#[tokio::test]
async fn a_restore_brings_back_only_what_is_included_and_keeps_what_is_in_the_way() {
    let t = TestService::start().await;
    let files: &[(&str, &[u8])] = &[("keep/a", b"stored"), ("keep/b", b"stored"), ("c", b"c")];
    let backup = t.back_up(&t.files_with("docs", files).await).await;
    let target = t.directory().join("restored");
    std::fs::create_dir_all(target.join("keep")).unwrap();
    std::fs::write(target.join("keep/a"), b"mine").unwrap();
    let request = RequestRestore {
        include: vec!["/keep".to_owned()],
        conflict: ConflictPolicy::Keep,
        ..restore_to(&backup, &target)
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
    assert_eq!(std::fs::read(target.join("keep/a")).unwrap(), b"mine");
    assert_eq!(std::fs::read(target.join("keep/b")).unwrap(), b"stored");
    assert!(!target.join("c").exists());
}

#[tokio::test]
async fn what_a_restore_overwrites_is_backed_up_first_if_that_is_wanted() {
    let t = TestService::start().await;
    let docs = t.files_with("docs", &[("a", b"stored")]).await;
    let backup = t.back_up(&docs).await;
    let file = t.directory().join("docs/a");
    std::fs::write(&file, b"newer").unwrap();
    let request = || RequestRestore {
        target: RestoreTarget::Original,
        safety_backup: Some(true),
        ..restore_to(&backup, t.directory())
    };
    let restore = async || {
        let (restore, _) = t
            .service
            .request_restore(&t.owner, request())
            .await
            .unwrap();
        for _ in 0..3 {
            t.work().await;
            // The restore looks every second whether its safety backup is there.
            t.clock.advance(jiff::SignedDuration::from_secs(2));
        }
        t.service.restore(&t.owner, restore.id).await.unwrap()
    };
    let done = restore().await;
    assert_eq!(done.state, RestoreState::Completed, "{:?}", done.reason);
    assert_eq!(std::fs::read(&file).unwrap(), b"stored");
    let safety = t
        .service
        .backup(&t.owner, done.safety_backup_id.unwrap())
        .await
        .unwrap();
    let elsewhere = t.directory().join("elsewhere");
    let undo = restore_to(&safety, &elsewhere);
    t.service.request_restore(&t.owner, undo).await.unwrap();
    t.work().await;
    assert_eq!(std::fs::read(elsewhere.join("a")).unwrap(), b"newer");

    // What cannot be backed up is not overwritten.
    std::fs::remove_dir_all(t.directory().join("docs")).unwrap();
    std::fs::write(t.directory().join("docs"), b"in the way").unwrap();
    let refused = restore().await;
    assert_eq!(refused.state, RestoreState::Failed);
    let reason = refused.reason.unwrap();
    assert!(reason.contains("so nothing was restored"), "{reason}");
    let directory = RequestRestore {
        safety_backup: Some(true),
        ..restore_to(&backup, &elsewhere)
    };
    let invalid = t.service.request_restore(&t.owner, directory).await;
    assert_eq!(invalid.unwrap_err().code(), "invalid");
    let renamed = RequestRestore {
        rename: [("a".to_owned(), "b".to_owned())].into(),
        ..restore_to(&backup, &elsewhere)
    };
    let invalid = t.service.request_restore(&t.owner, renamed).await;
    assert_eq!(invalid.unwrap_err().code(), "invalid");
}

#[tokio::test]
async fn an_unchanged_resource_adds_next_to_nothing_and_names_its_parent() {
    let t = TestService::start().await;
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let resource = t.files_with("docs", &[("big", &content)]).await;
    let first = t.back_up(&resource).await;
    t.clock.advance(SignedDuration::from_mins(1));
    let second = t.back_up(&resource).await;
    assert_eq!(second.state, BackupState::Completed, "{:?}", second.reason);
    assert_eq!(second.parent_id, Some(first.id));
    assert_eq!(second.source_bytes, Some(800_000));
    assert!(
        second.stored_bytes < first.stored_bytes.map(|it| it / 10),
        "{second:?}"
    );
}

#[tokio::test]
async fn a_second_backup_reads_no_content_and_survives_a_damaged_cache() {
    let directory = tempfile::tempdir().unwrap();
    let config = ServiceConfig {
        cache: Some(directory.path().to_owned()),
        ..ServiceConfig::default()
    };
    let parts = TestParts {
        config,
        ..TestParts::default()
    };
    let t = TestService::with(parts).await;
    let files: &[(&str, &[u8])] = &[("a.txt", b"alpha"), ("sub/b.txt", b"beta")];
    let resource = t.files_with("docs", files).await;
    let backup = t.back_up(&resource).await;
    let caches = directory
        .path()
        .join(backup.repository_id.to_string())
        .join(resource.id.to_string());
    let cache = || {
        let mut files = std::fs::read_dir(&caches).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "one cache per resource");
        file
    };
    let written = std::fs::metadata(cache()).unwrap().len();
    for damage in [false, true] {
        if damage {
            std::fs::write(cache(), b"not a cache").unwrap();
        }
        t.clock.advance(SignedDuration::from_mins(1));
        let again = t.back_up(&resource).await;
        assert_eq!(again.state, BackupState::Completed, "{:?}", again.reason);
        let snapshot = t.snapshots().pop().unwrap();
        let summary = snapshot.summary.unwrap();
        assert_eq!((summary.files_unmodified, summary.files_changed), (2, 0));
        assert_eq!(std::fs::metadata(cache()).unwrap().len(), written);
    }
}

#[tokio::test]
async fn entries_that_cannot_be_read_make_a_backup_partial_and_are_named() {
    let script = Script::tree([vec![
        Step::File("a", b"alpha"),
        Step::Fail("b", "permission denied"),
        Step::Break("c", "input/output error"),
    ]]);
    let (t, resource) = scripted(&script).await;
    let backup = t.back_up(&resource).await;
    assert_eq!(backup.state, BackupState::Partial, "{:?}", backup.reason);
    let failed: Vec<_> = backup
        .failed_entries
        .iter()
        .map(|it| (it.path.as_str(), it.phase.as_str()))
        .collect();
    assert_eq!(failed, [("b", "open"), ("c", "read")]);
    assert_eq!(backup.failed_entry_count, 2);
    assert!(
        backup
            .reason
            .unwrap()
            .contains("`b` (open): permission denied")
    );
    assert_eq!(script.counts(), (1, 1));
    let entries = t
        .service
        .browse_backup(&t.owner, backup.id, "")
        .await
        .unwrap();
    assert_eq!(
        entries
            .iter()
            .map(|it| it.path.as_str())
            .collect::<Vec<_>>(),
        ["a"]
    );
}

#[tokio::test]
async fn a_dump_that_breaks_off_fails_the_backup_and_leaves_no_snapshot() {
    let script = Script::whole([vec![Step::Break("dump", "exit code 3")]]);
    let (t, resource) = scripted(&script).await;
    let (backup, operation) = t.request(&resource).await;
    t.work().await;
    let backup = t.now(&backup).await;
    assert_eq!(backup.state, BackupState::Failed);
    assert!(
        backup.reason.as_deref().unwrap().contains("exit code 3"),
        "{:?}",
        backup.reason
    );
    assert_eq!(t.snapshots(), []);
    let operation = t
        .service
        .operation(Some(&t.owner), operation.id)
        .await
        .unwrap();
    assert_eq!(operation.state, OperationState::Failed);
    assert_eq!(operation.error.unwrap().code, "source_failed");
}

#[tokio::test]
async fn a_tree_of_which_nothing_can_be_read_fails() {
    let (t, resource) = scripted(&Script::tree([vec![Step::Fail("a", "no")]])).await;
    let backup = t.back_up(&resource).await;
    assert_eq!(backup.state, BackupState::Failed);
    assert_eq!(t.snapshots(), []);
}

#[tokio::test]
async fn a_command_that_exits_with_a_failure_leaves_no_snapshot() {
    let spec = |name: &str, script: &str| CommandSpec {
        name: name.to_owned(),
        dump: ["sh", "-c", script].map(str::to_owned).into(),
        restore: None,
        file_name: "dump.sql".to_owned(),
        environment: BTreeMap::default(),
        face: Some(Face::Zstack),
    };
    let commands = vec![
        spec("good", "printf data"),
        spec("bad", "printf da; echo broken >&2; exit 3"),
    ];
    let sources = Registry::new(SourceConfig {
        commands,
        ..SourceConfig::default()
    });
    let t = TestService::with(TestParts {
        sources,
        ..TestParts::default()
    })
    .await;
    let settings = |name: &str| Settings([("command".to_owned(), name.to_owned())].into());

    let good = t
        .resource(ResourceKind::Command, "good", settings("good"))
        .await;
    assert_eq!(good.face, Some(Face::Zstack));
    let good = t.back_up(&good).await;
    assert_eq!(good.state, BackupState::Completed, "{:?}", good.reason);
    let entries = t
        .service
        .browse_backup(&t.owner, good.id, "")
        .await
        .unwrap();
    assert_eq!((entries[0].path.as_str(), entries[0].size), ("dump.sql", 4));

    let bad = t
        .back_up(
            &t.resource(ResourceKind::Command, "bad", settings("bad"))
                .await,
        )
        .await;
    assert_eq!(bad.state, BackupState::Failed);
    let reason = bad.reason.unwrap();
    assert!(
        reason.contains("broken") && reason.contains('3'),
        "{reason}"
    );
    assert_eq!(t.snapshots().len(), 1);
}

#[tokio::test]
async fn a_repository_without_room_fails_the_backup_and_is_named() {
    let faults = Faults::default();
    let storage = faults.storage();
    let t = TestService::with(TestParts {
        storage,
        ..TestParts::default()
    })
    .await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    faults.set_full(true);
    let backup = t.back_up(&resource).await;
    assert_eq!(backup.state, BackupState::Failed);
    let reason = backup.reason.unwrap();
    assert!(
        reason.contains("repository `default` has no room"),
        "{reason}"
    );
    faults.set_full(false);
    assert_eq!(t.back_up(&resource).await.state, BackupState::Completed);
}

#[tokio::test]
async fn a_deleted_backup_leaves_the_list_and_the_repository() {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let (gone, stays) = (t.back_up(&resource).await, t.back_up(&resource).await);
    assert_eq!(t.snapshots().len(), 2);
    let operation = t
        .service
        .delete_backup(&t.owner, gone.id, DeleteBackup::default())
        .await
        .unwrap();
    assert_eq!(t.now(&gone).await.state, BackupState::Deleting);
    t.work().await;
    let error = t.service.backup(&t.owner, gone.id).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert_eq!(t.now(&stays).await.state, BackupState::Completed);
    assert_eq!(t.snapshots().len(), 1);
    let found = t.service.operation_result(operation.id).await.unwrap();
    let (operation, backup) = (found.operation, found.backup);
    assert_eq!(operation.state, OperationState::Succeeded);
    assert_eq!(backup.unwrap().state, BackupState::Deleted);

    // The prune that follows frees its room and harms nothing.
    t.clock.advance(SignedDuration::from_hours(1));
    t.work().await;
    assert!(t.events().await.contains(&"repository.pruned".to_owned()));
    let entries = t
        .service
        .browse_backup(&t.owner, stays.id, "")
        .await
        .unwrap();
    assert_eq!(entries.len(), 1);
}

#[tokio::test]
async fn a_backup_that_a_restore_reads_is_not_deleted() {
    let t = TestService::start().await;
    let backup = t
        .back_up(&t.files_with("docs", &[("a", b"alpha")]).await)
        .await;
    let request = restore_to(&backup, &t.directory().join("restored"));
    t.service.request_restore(&t.owner, request).await.unwrap();
    let delete = || {
        t.service
            .delete_backup(&t.owner, backup.id, DeleteBackup::default())
    };
    assert_eq!(delete().await.unwrap_err().code(), "in_use");
    t.work().await;
    delete().await.unwrap();
}

/// The caller of a request that came with the key `key-1` and this body.
pub(crate) fn keyed(caller: &Caller, body: &str) -> Caller {
    let key = RequestKey::new("key-1", &[body.as_bytes()]).unwrap();
    Caller {
        key: Some(key),
        ..caller.clone()
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_another_one_is_refused() {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let request = async |caller: &Caller, body: &str| {
        let request = RequestBackup::of(resource.id);
        t.service
            .request_backup(&keyed(caller, body), request)
            .await
    };
    let first = request(&t.owner, "one").await.unwrap();
    let again = request(&t.owner, "one").await.unwrap();
    assert_eq!((first.0.id, first.1.id), (again.0.id, again.1.id));
    let other = request(&t.owner, "two").await.unwrap_err();
    assert_eq!(other.code(), "key_reused");
    // Somebody else of the tenant does not get what this one was answered.
    let colleague = Caller {
        principal_id: PrincipalId::from_uuid(resource.id.uuid()),
        ..t.owner.clone()
    };
    let other = request(&colleague, "one").await.unwrap_err();
    assert_eq!(other.code(), "key_reused");
    // Another tenant's key of the same text is another key.
    let (_, other) = t.another_tenant("tenant-2").await;
    let foreign = request(&other, "one").await.unwrap_err();
    assert_eq!(foreign.code(), "not_found");
    let all = t
        .service
        .list_backups(&t.owner, &Filter::default(), &[], &Page::ALL)
        .await
        .unwrap();
    assert_eq!(all.total, Some(1));
}

#[tokio::test]
async fn the_same_request_sent_twice_at_once_makes_one_backup() {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let (caller, request) = (keyed(&t.owner, "one"), RequestBackup::of(resource.id));
    let (one, two) = tokio::join!(
        t.service.request_backup(&caller, request.clone()),
        t.service.request_backup(&caller, request.clone()),
    );
    assert_eq!(one.unwrap().0.id, two.unwrap().0.id);
}

#[tokio::test]
async fn everything_wrong_with_a_request_is_said_at_once() {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let request = RequestBackup {
        name: Some(String::new()),
        description: Some("x".repeat(5000)),
        expires_at: Some(t.clock.now()),
        ..RequestBackup::of(resource.id)
    };
    let Err(Error::Invalid(faults)) = t.service.request_backup(&t.owner, request).await else {
        panic!("accepted");
    };
    let fields: Vec<_> = faults.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["name", "description", "expires_at"]);
}

#[tokio::test]
async fn a_name_that_must_be_unique_is_refused_for_the_same_resource_only() {
    let t = TestService::start().await;
    let (docs, mail) = (
        t.files_with("docs", &[]).await,
        t.files_with("mail", &[]).await,
    );
    let request = |resource: &Resource| RequestBackup {
        name: Some("nightly".to_owned()),
        unique_name: true,
        ..RequestBackup::of(resource.id)
    };
    t.service
        .request_backup(&t.owner, request(&docs))
        .await
        .unwrap();
    let again = t
        .service
        .request_backup(&t.owner, request(&docs))
        .await
        .unwrap_err();
    assert_eq!(again.code(), "duplicate_name");
    t.service
        .request_backup(&t.owner, request(&mail))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_page_that_changes_in_a_volume_costs_one_piece() {
    let t = TestService::start().await;
    let image = t.directory().join("disk.img");
    let mut state = 7_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut disk: Vec<u8> = std::iter::repeat_with(&mut noise)
        .flatten()
        .take(8 << 20)
        .collect();
    std::fs::write(&image, &disk).unwrap();
    let settings = [("path".to_owned(), image.display().to_string())];
    let settings = Settings(settings.into());
    let volume = t.resource(ResourceKind::Volume, "disk", settings).await;
    t.back_up(&volume).await;
    disk[5_000_000] ^= 1;
    std::fs::write(&image, &disk).unwrap();
    let second = t.back_up(&volume).await;
    let stored = second.stored_bytes.unwrap();
    assert!((512 << 10..530 << 10).contains(&stored), "{stored}");
}
