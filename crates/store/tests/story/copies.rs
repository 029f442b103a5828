//! Copies and exports of backups, calls that are due, and things that only one face knows.

use rstest::rstest;
use strongroom_domain::{
    BackupCopy, BackupState, CopyId, Export, ExportId, Face, ObjectId, Page, RepositoryId,
    callback::Callback,
    object::FaceObject,
    operation::OperationState,
    query::{BackupField, Filter},
};
use strongroom_store::Error;
use strongroom_testkit::Engine;

use crate::sample::{World, at, start};

fn copy(world: &World, of: &strongroom_domain::Backup, repository: RepositoryId) -> BackupCopy {
    BackupCopy {
        id: CopyId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        backup_id: of.id,
        repository_id: repository,
        state: BackupState::Running,
        snapshot: None,
        reason: Some("on its way".to_owned()),
        created_at: at(5),
        updated_at: at(6),
        version: 1,
    }
}

#[rstest]
#[tokio::test]
async fn a_backup_has_one_copy_per_repository_and_is_found_by_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (one, two) = (world.backup(), world.backup());
    world.insert_backups(&[one.clone(), two.clone()]).await;
    let attic = RepositoryId::from_uuid(world.uuid());
    let mut first = copy(&world, &one, attic);
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_copy(&first).await.unwrap();
    first.state = BackupState::Completed;
    first.snapshot = Some("5a9e".to_owned());
    tx.update_copy(&first).await.unwrap();
    first.version += 1;
    assert_eq!(
        tx.copies_of(world.tenant, &[one.id, two.id]).await.unwrap(),
        [first.clone()]
    );
    assert_eq!(
        tx.copies_in(world.tenant, attic).await.unwrap(),
        [first.clone()]
    );
    let found = tx.backup_copy(world.tenant, one.id, attic).await.unwrap();
    assert_eq!(found, Some(first.clone()));

    // Within the condition on a copy, columns are the copy's where it has them.
    let in_attic = Filter::eq(BackupField::RepositoryId, attic.uuid());
    let completed = Filter::eq(BackupField::State, BackupState::Completed.as_str());
    let named = Filter::eq(BackupField::Name, one.name.as_str());
    for (filter, matches) in [
        (Filter::Exists(Box::new(in_attic.clone())), 1),
        (in_attic.clone(), 0),
        (
            Filter::Exists(Box::new(in_attic.clone().and(completed).and(named))),
            1,
        ),
        (Filter::Not(Box::new(Filter::Exists(Box::new(in_attic)))), 1),
        (
            Filter::Exists(Box::new(Filter::eq(BackupField::Id, two.id.uuid()))),
            0,
        ),
        (
            Filter::Exists(Box::new(Filter::eq(BackupField::Id, one.id.uuid()))),
            1,
        ),
    ] {
        let page = tx
            .list_backups(world.tenant, &filter, &[], &Page::ALL)
            .await;
        assert_eq!(page.unwrap().items.len(), matches, "{filter:?}");
    }
    tx.delete_copy(&first).await.unwrap();
    assert_eq!(tx.copies_in(world.tenant, attic).await.unwrap(), []);
    tx.insert_copy(&copy(&world, &one, attic)).await.unwrap();
    let again = tx.insert_copy(&copy(&world, &one, attic)).await;
    assert!(matches!(again, Err(Error::Duplicate { .. })), "{again:?}");
}

#[rstest]
#[tokio::test]
async fn an_export_is_found_by_its_id_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let backup = world.backup();
    world.insert_backups(std::slice::from_ref(&backup)).await;
    let export = Export {
        id: ExportId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        backup_id: backup.id,
        repository_id: world.repository,
        file_name: "orders.sql.gz".to_owned(),
        created_at: start(),
    };
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_export(&export).await.unwrap();
    assert_eq!(tx.export(export.id).await.unwrap(), Some(export.clone()));
    let exports = tx.exports_of(world.tenant, &[backup.id]).await.unwrap();
    assert_eq!(exports, std::slice::from_ref(&export));
    let elsewhere = RepositoryId::from_uuid(world.uuid());
    tx.delete_exports(backup.id, Some(elsewhere)).await.unwrap();
    assert!(tx.export(export.id).await.unwrap().is_some());
    tx.delete_exports(backup.id, None).await.unwrap();
    assert_eq!(tx.export(export.id).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_call_is_due_once_its_operation_has_ended_and_is_made_by_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut operation = world.operation(world.backup().id);
    let mut call = Callback {
        operation_id: operation.id,
        tenant_id: world.tenant,
        url: "http://client.example/hook".to_owned(),
        attempts: 0,
        next_at: start(),
    };
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_operation(&operation).await.unwrap();
    tx.insert_callback(Face::Zstack, &call).await.unwrap();
    assert_eq!(tx.due_callbacks(Face::Zstack, at(9), 5).await.unwrap(), []);
    operation.state = OperationState::Failed;
    tx.update_operation(&operation).await.unwrap();
    assert_eq!(
        tx.due_callbacks(Face::Zstack, at(9), 5).await.unwrap(),
        [call.clone()]
    );
    assert_eq!(tx.due_callbacks(Face::Cbr, at(9), 5).await.unwrap(), []);
    assert!(tx.claim_callback(&call, at(10)).await.unwrap());
    assert!(!tx.claim_callback(&call, at(10)).await.unwrap());
    assert_eq!(tx.due_callbacks(Face::Zstack, at(9), 5).await.unwrap(), []);
    (call.attempts, call.next_at) = (1, at(10));
    assert_eq!(
        tx.due_callbacks(Face::Zstack, at(10), 5).await.unwrap(),
        [call.clone()]
    );
    // It did not get through.
    let put_off = tx.put_off_callback(call.operation_id, at(12));
    put_off.await.unwrap();
    assert_eq!(tx.due_callbacks(Face::Zstack, at(11), 5).await.unwrap(), []);
    call.next_at = at(12);
    assert_eq!(
        tx.due_callbacks(Face::Zstack, at(12), 5).await.unwrap(),
        [call.clone()]
    );
    tx.delete_callback(call.operation_id).await.unwrap();
    assert_eq!(tx.due_callbacks(Face::Zstack, at(99), 5).await.unwrap(), []);
}

#[rstest]
#[tokio::test]
async fn a_thing_of_a_face_is_kept_for_it_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut thing = FaceObject {
        id: ObjectId::from_uuid(world.uuid()),
        tenant_id: world.tenant,
        face: Face::Zstack,
        kind: "trigger".to_owned(),
        body: serde_json::json!({"cron": "0 0 3 * * ?"}),
        created_at: start(),
        updated_at: start(),
        version: 1,
    };
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_face_object(&thing).await.unwrap();
    thing.body = serde_json::json!({"cron": null});
    tx.update_face_object(&thing).await.unwrap();
    thing.version += 1;
    let list = tx
        .list_face_objects(world.tenant, Face::Zstack, "trigger")
        .await;
    assert_eq!(list.unwrap(), [thing.clone()]);
    assert_eq!(
        tx.list_face_objects(world.tenant, Face::Zstack, "job")
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        tx.face_object(world.tenant, Face::Cbr, thing.id)
            .await
            .unwrap(),
        None
    );
    tx.delete_face_object(&thing).await.unwrap();
    assert_eq!(
        tx.face_object(world.tenant, Face::Zstack, thing.id)
            .await
            .unwrap(),
        None
    );
}
