//! Every noun comes back as it was written, is changed only by who read it, and stays its
//! tenant's.

use rstest::rstest;
use strongroom_domain::{
    BackupState, CredentialId, Face, Page, Principal, PrincipalId, RepositoryId, ResourceId,
    RestoreId, Role, SessionId, TenantId,
    backup::BackupProgress,
    credential::{Credential, CredentialKind, Session},
    operation::{OperationError, OperationState, Subject},
    query::Filter,
    restore::{ConflictPolicy, Restore, RestoreState, RestoreTarget},
};
use strongroom_store::{Error, Idempotency, ResourceFilter};
use strongroom_testkit::Engine;

use crate::sample::{World, annotations, at, start};

#[rstest]
#[tokio::test]
async fn tenants_and_principals_are_found_by_id_and_name(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut tx = world.store.begin().await.unwrap();
    let alpha = tx.tenant(world.tenant).await.unwrap().unwrap();
    assert_eq!(tx.tenant_named("alpha").await.unwrap(), Some(alpha.clone()));
    assert_eq!(tx.tenant_named("Alpha").await.unwrap(), None);
    assert_eq!(tx.list_tenants().await.unwrap(), [alpha]);

    let mut owner = tx
        .principal_named(world.tenant, "owner")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(tx.principals_named("owner").await.unwrap(), [owner.clone()]);
    assert_eq!(tx.password_hash(owner.id).await.unwrap(), None);
    tx.set_password_hash(owner.id, Some("$argon2id$…"))
        .await
        .unwrap();
    assert_eq!(
        tx.password_hash(owner.id).await.unwrap().as_deref(),
        Some("$argon2id$…")
    );
    owner.role = Role::Viewer;
    tx.update_principal(&owner).await.unwrap();
    assert_eq!(
        tx.principal(world.tenant, owner.id).await.unwrap(),
        Some(owner.clone())
    );
    assert_eq!(
        tx.list_principals(world.tenant).await.unwrap(),
        [owner.clone()]
    );
    let foreign = TenantId::from_uuid(world.uuid());
    assert_eq!(tx.principal(foreign, owner.id).await.unwrap(), None);
    assert!(!tx.delete_principal(foreign, owner.id).await.unwrap());
    assert!(tx.delete_principal(world.tenant, owner.id).await.unwrap());
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_taken_name_is_a_duplicate_and_spoils_the_transaction(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut tx = world.store.begin().await.unwrap();
    let other = World::tenant("alpha", TenantId::from_uuid(world.uuid()));
    let error = tx.insert_tenant(&other).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Duplicate {
                what: "tenant name"
            }
        ),
        "{error:?}"
    );
    assert!(matches!(tx.list_tenants().await, Err(Error::Aborted)));
    assert!(matches!(tx.commit().await, Err(Error::Aborted)));

    let mut tx = world.store.begin().await.unwrap();
    let twin = world.resource("home", ResourceId::from_uuid(world.uuid()));
    let error = tx.insert_resource(&twin).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Duplicate {
                what: "resource name"
            }
        ),
        "{error:?}"
    );
    drop(tx);

    let mut tx = world.store.begin().await.unwrap();
    let mut orphan = world.backup();
    orphan.resource_id = ResourceId::from_uuid(world.uuid());
    let refused = match tx.insert_backup(&orphan).await {
        Err(error) => error,
        Ok(_) => tx.commit().await.unwrap_err(),
    };
    assert!(
        matches!(refused, Error::Reference { table: "backups" }),
        "{refused:?}"
    );
}

#[rstest]
#[tokio::test]
async fn a_credential_or_session_leads_to_its_owner(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let token = Credential {
        id: CredentialId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        principal_id: world.principal,
        kind: CredentialKind::ApiToken,
        name: "ci".to_owned(),
        lookup: "5e88".to_owned(),
        sealed_secret: None,
        enabled: true,
        created_at: start(),
        expires_at: Some(at(60)),
    };
    let key = Credential {
        id: CredentialId::from_uuid(world.uuid()),
        kind: CredentialKind::AccessKey,
        sealed_secret: Some(vec![1, 0, 2]),
        expires_at: None,
        ..token.clone()
    };
    let session = Session {
        id: SessionId::from_uuid(world.uuid()),
        lookup: "77aa".to_owned(),
        tenant_id: world.tenant,
        principal_id: world.principal,
        created_at: start(),
        expires_at: at(60),
    };
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_credential(&token).await.unwrap();
    tx.insert_credential(&key).await.unwrap();
    tx.insert_session(&session).await.unwrap();
    tx.commit().await.unwrap();

    let mut read = world.store.read().await.unwrap();
    let found = read
        .credential_owner(CredentialKind::AccessKey, "5e88")
        .await
        .unwrap();
    let (found, owner) = found.unwrap();
    assert_eq!(
        (found, owner.principal.name.as_str()),
        (key.clone(), "owner")
    );
    assert_eq!(owner.tenant.name, "alpha");
    assert!(
        read.credential_owner(CredentialKind::ApiToken, "none")
            .await
            .unwrap()
            .is_none()
    );
    let (found, _) = read.session_owner("77aa").await.unwrap().unwrap();
    assert_eq!(found, session);
    let all = read.list_credentials(world.tenant, None).await.unwrap();
    assert_eq!(all, [token.clone(), key.clone()]);
    let nobody = PrincipalId::from_uuid(world.uuid());
    assert!(
        read.list_credentials(world.tenant, Some(nobody))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        read.credential(world.tenant, key.id).await.unwrap(),
        Some(key.clone())
    );
    drop(read);

    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.extend_session(session.id, at(120)).await.unwrap());
    assert_eq!(tx.purge_sessions(at(100)).await.unwrap(), 0);
    assert!(tx.delete_session(session.id).await.unwrap());
    assert!(!tx.delete_session(session.id).await.unwrap());
    assert_eq!(tx.purge_credentials(at(61)).await.unwrap(), 1);
    assert!(tx.delete_credential(world.tenant, key.id).await.unwrap());
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_write_with_an_old_version_is_refused(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let backup = world.backup();
    world.insert_backups(std::slice::from_ref(&backup)).await;
    let mut changed = backup.clone();
    changed.state = BackupState::Discovering;
    let mut tx = world.store.begin().await.unwrap();
    tx.update_backup(&changed).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.store.begin().await.unwrap();
    let error = tx.update_backup(&changed).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                table: "backups",
                ..
            }
        ),
        "{error:?}"
    );
    let now = tx.backup(world.tenant, backup.id).await.unwrap().unwrap();
    assert_eq!((now.version, now.state), (2, BackupState::Discovering));
}

#[rstest]
#[tokio::test]
async fn what_is_dropped_before_its_commit_leaves_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (kept, lost) = (world.backup(), world.backup());
    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.insert_backup(&lost).await.unwrap());
    drop(tx);
    world.insert_backups(std::slice::from_ref(&kept)).await;
    let mut read = world.store.read().await.unwrap();
    assert_eq!(read.backup(world.tenant, lost.id).await.unwrap(), None);
    assert_eq!(
        read.backup(world.tenant, kept.id).await.unwrap(),
        Some(kept)
    );
}

#[rstest]
#[tokio::test]
async fn a_tenant_has_one_default_repository(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut second = world.repository();
    second.id = RepositoryId::from_uuid(world.uuid());
    second.name = "second".to_owned();
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(
        tx.repository(world.tenant, world.repository).await.unwrap(),
        Some(world.repository())
    );
    tx.insert_repository(&second).await.unwrap();
    assert_eq!(
        tx.default_repository(world.tenant).await.unwrap(),
        Some(second.clone())
    );
    second.stored_bytes = 7;
    tx.update_repository(&second).await.unwrap();
    let found = tx
        .repository_named(world.tenant, "second")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.stored_bytes, found.version), (7, 2));
    assert_eq!(tx.list_repositories(world.tenant).await.unwrap().len(), 2);
    assert_eq!(tx.all_repositories().await.unwrap().len(), 2);
    tx.delete_repository(&found).await.unwrap();
    assert_eq!(tx.default_repository(world.tenant).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_removed_resource_frees_its_name_and_stays_as_a_record(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut tx = world.store.begin().await.unwrap();
    let mut old = tx
        .resource(world.tenant, world.resource)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(old, world.resource("home", world.resource));
    old.deleted_at = Some(at(5));
    tx.update_resource(&old).await.unwrap();
    assert_eq!(tx.resource_named(world.tenant, "home").await.unwrap(), None);
    let new = world.resource("home", ResourceId::from_uuid(world.uuid()));
    tx.insert_resource(&new).await.unwrap();
    let mut filter = ResourceFilter {
        face: Some(Face::Cbr),
        kind: Some(new.kind),
        name: Some("home".to_owned()),
        include_deleted: false,
    };
    let living = tx
        .list_resources(world.tenant, &filter, &Page::ALL)
        .await
        .unwrap();
    assert_eq!((living.total, living.items), (Some(1), vec![new]));
    filter.include_deleted = true;
    let all = tx
        .list_resources(world.tenant, &filter, &Page::offset(1, 1))
        .await
        .unwrap();
    assert_eq!((all.total, all.items.len(), all.next), (Some(2), 1, None));
}

#[rstest]
#[tokio::test]
async fn restores_and_operations_come_back_as_written(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let backup = world.backup();
    let mut restore = Restore {
        id: RestoreId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        backup_id: backup.id,
        resource_id: world.resource,
        target: RestoreTarget::Directory {
            path: "/tmp/out".to_owned(),
        },
        include: vec!["/etc".to_owned()],
        conflict: ConflictPolicy::Keep,
        rename: [("shop".to_owned(), "shop_old".to_owned())].into(),
        safety_backup_id: Some(backup.id),
        state: RestoreState::Pending,
        progress: BackupProgress::default(),
        reason: None,
        failed_entries: Vec::new(),
        failed_entry_count: 0,
        created_by: None,
        annotations: annotations(),
        created_at: start(),
        updated_at: start(),
        started_at: None,
        finished_at: None,
        version: 1,
    };
    let mut operation = world.operation(backup.id);
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_backup(&backup).await.unwrap();
    tx.insert_restore(&restore).await.unwrap();
    tx.insert_operation(&operation).await.unwrap();
    let of_backup = tx
        .active_restores_of_backup(world.tenant, backup.id)
        .await
        .unwrap();
    assert_eq!(of_backup, [restore.clone()]);
    let of_resource = tx
        .active_restores_of_resource(world.tenant, world.resource)
        .await
        .unwrap();
    assert_eq!(of_resource, [restore.clone()]);
    restore.state = RestoreState::Completed;
    tx.update_restore(&restore).await.unwrap();
    restore.version = 2;
    restore.progress.entries_done = 3;
    tx.set_restore_progress(restore.id, &restore.progress)
        .await
        .unwrap();
    assert_eq!(
        tx.restore(world.tenant, restore.id).await.unwrap(),
        Some(restore.clone())
    );
    let running = RestoreState::active();
    for (filter, count) in [(Filter::default(), 1), (running, 0)] {
        let listed = tx
            .list_restores(world.tenant, &filter, &[], &Page::ALL)
            .await
            .unwrap();
        assert_eq!(listed.total, Some(count), "{filter:?}");
        assert!(listed.items.iter().all(|it| *it == restore));
    }
    assert!(
        tx.active_restores_of_backup(world.tenant, backup.id)
            .await
            .unwrap()
            .is_empty()
    );

    operation.state = OperationState::Failed;
    operation.error = Some(OperationError {
        code: "unavailable".to_owned(),
        message: "the disk is gone".to_owned(),
    });
    tx.update_operation(&operation).await.unwrap();
    let found = tx.operation(world.tenant, operation.id).await.unwrap();
    assert_eq!(found, Some(operation.clone()));
    let found = tx.operation_of_any_tenant(operation.id).await.unwrap();
    assert_eq!(found, Some(operation.clone()));
    let about = tx
        .operations_about(world.tenant, Subject::Backup(backup.id))
        .await
        .unwrap();
    assert_eq!(about, [operation.clone()]);
    let error = tx.insert_operation(&operation).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Duplicate {
                what: "operation id"
            }
        ),
        "{error:?}"
    );
}

#[rstest]
#[tokio::test]
async fn events_are_followed_from_where_a_reader_stopped(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let events: Vec<_> = (0..5).map(|n| world.event(n / 2)).collect();
    let mut tx = world.store.begin().await.unwrap();
    for event in &events {
        tx.insert_event(event).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut read = world.store.read().await.unwrap();
    let after = read
        .events_after(world.tenant, Some(events[1].id), 2)
        .await
        .unwrap();
    assert_eq!(after, events[2..4]);
    assert_eq!(
        read.events_after(world.tenant, None, 10).await.unwrap(),
        events
    );
    let newest = read
        .list_events(world.tenant, &Page::offset(2, 0))
        .await
        .unwrap();
    assert_eq!((newest.total, &newest.items[0]), (Some(5), &events[4]));
    let forward = read
        .list_events_forward(world.tenant, &Page::offset(9, 3))
        .await
        .unwrap();
    assert_eq!(forward.items, events[3..]);
}

#[rstest]
#[tokio::test]
async fn an_idempotency_key_is_free_again_once_it_expired(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let first = Idempotency {
        tenant_id: world.tenant,
        key: "k1".to_owned(),
        request_hash: "aa".to_owned(),
        answer: serde_json::json!({"id": 1}),
        created_at: start(),
        expires_at: at(10),
    };
    let later = Idempotency {
        request_hash: "bb".to_owned(),
        created_at: at(10),
        expires_at: at(20),
        ..first.clone()
    };
    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.insert_idempotency(&first).await.unwrap());
    let again = Idempotency {
        created_at: at(9),
        ..later.clone()
    };
    assert!(!tx.insert_idempotency(&again).await.unwrap());
    assert_eq!(
        tx.idempotency(world.tenant, "k1", at(9)).await.unwrap(),
        Some(first)
    );
    assert_eq!(
        tx.idempotency(world.tenant, "k1", at(10)).await.unwrap(),
        None
    );
    assert!(tx.insert_idempotency(&later).await.unwrap());
    assert_eq!(
        tx.idempotency(world.tenant, "k1", at(10)).await.unwrap(),
        Some(later)
    );
    assert_eq!(tx.purge_idempotency(at(21)).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn a_text_with_a_nul_character_is_refused_before_the_database_sees_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut tx = world.store.begin().await.unwrap();
    let bad = World::tenant("a\0b", TenantId::from_uuid(world.uuid()));
    assert!(matches!(
        tx.insert_tenant(&bad).await,
        Err(Error::Unstorable { .. })
    ));
    let mut huge = world.repository();
    huge.stored_bytes = u64::MAX;
    assert!(matches!(
        tx.update_repository(&huge).await,
        Err(Error::Unstorable { .. })
    ));
    let second = Principal {
        id: PrincipalId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        name: "second".to_owned(),
        role: Role::Operator,
        created_at: start(),
    };
    tx.insert_principal(&second).await.unwrap();
    tx.commit().await.unwrap();
}
