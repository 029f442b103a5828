//! Backups: one per occurrence, deleted ones out of sight, counters that are always right.

use rstest::rstest;
use strongroom_domain::{
    Backup, BackupId, BackupState, Face, Page, PolicyId, Start, TenantId, Trigger,
    backup::BackupProgress,
    query::{BackupField, Direction, Filter, Sort},
};
use strongroom_testkit::Engine;

use crate::sample::{World, at};

fn face(face: Face) -> Filter<BackupField> {
    Filter::eq(BackupField::Face, face.as_str())
}

#[rstest]
#[tokio::test]
async fn an_occurrence_of_a_policy_makes_one_backup_of_a_resource(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut first = world.backup();
    first.policy_id = Some(PolicyId::from_uuid(world.uuid()));
    first.scheduled_for = Some(at(0));
    first.trigger = Trigger::Schedule;
    let mut second = first.clone();
    second.id = BackupId::from_uuid(world.uuid());
    let mut next = second.clone();
    next.scheduled_for = Some(at(60));
    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.insert_backup(&first).await.unwrap());
    assert!(!tx.insert_backup(&second).await.unwrap());
    assert!(tx.insert_backup(&next).await.unwrap());
    tx.commit().await.unwrap();
    let mut read = world.store.read().await.unwrap();
    assert_eq!(
        read.count_backups(world.tenant, &Filter::default())
            .await
            .unwrap(),
        2
    );
}

#[rstest]
#[tokio::test]
async fn a_deleted_backup_is_seen_only_by_who_asks_for_records(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut backup = world.backup();
    backup.state = BackupState::Completed;
    world.insert_backups(std::slice::from_ref(&backup)).await;
    let mut tx = world.store.begin().await.unwrap();
    let (resource, repository) = (backup.resource_id, backup.repository_id);
    let latest = tx
        .latest_restorable_backup(world.tenant, resource, repository)
        .await
        .unwrap();
    assert_eq!(latest, Some(backup.clone()));
    assert_eq!(
        tx.expired_backups(at(86_400), 5).await.unwrap(),
        [backup.clone()]
    );
    assert!(tx.expired_backups(at(86_399), 5).await.unwrap().is_empty());
    backup.progress = BackupProgress::default();
    tx.set_backup_progress(backup.id, &backup.progress)
        .await
        .unwrap();
    backup.state = BackupState::Deleting;
    tx.update_backup(&backup).await.unwrap();
    backup.version = 2;
    backup.state = BackupState::Deleted;
    tx.update_backup(&backup).await.unwrap();
    backup.version = 3;
    tx.commit().await.unwrap();

    let mut read = world.store.read().await.unwrap();
    assert_eq!(read.backup(world.tenant, backup.id).await.unwrap(), None);
    let record = read.backup_record(world.tenant, backup.id).await.unwrap();
    assert_eq!(record, Some(backup.clone()));
    let all = Filter::default();
    let listed = read
        .list_backups(world.tenant, &all, &[], &Page::ALL)
        .await
        .unwrap();
    assert_eq!((listed.total, listed.items.len()), (Some(0), 0));
    let records = read
        .list_backup_records(world.tenant, &all, &[], &Page::ALL)
        .await
        .unwrap();
    assert_eq!(
        (records.total, records.items),
        (Some(1), vec![backup.clone()])
    );
    let foreign = TenantId::from_uuid(world.uuid());
    assert_eq!(read.backup_record(foreign, backup.id).await.unwrap(), None);
}

/// What a page of `visible` (in order of creation) should show.
fn expected(visible: &[&Backup], page: &Page, direction: Direction) -> Vec<BackupId> {
    let Start::Offset(offset) = page.start else {
        unreachable!("only offsets here")
    };
    let mut ids: Vec<_> = visible.iter().map(|it| it.id).collect();
    if direction == Direction::Descending {
        ids.reverse();
    }
    let skip = usize::try_from(offset).unwrap();
    ids.into_iter()
        .skip(skip)
        .take(usize::try_from(page.limit).unwrap())
        .collect()
}

/// Deep pages and totals of every series against the plain list.
async fn check_pages(world: &World, backups: &[Backup], offsets: &[u64]) {
    let series = [
        (Filter::default(), None),
        (face(Face::Cbr), Some(Some(Face::Cbr))),
        (face(Face::Ges), Some(Some(Face::Ges))),
        (Filter::IsNull(BackupField::Face), Some(None)),
    ];
    let mut read = world.store.read().await.unwrap();
    for (filter, wanted) in &series {
        let mut visible: Vec<_> = backups
            .iter()
            .filter(|it| it.state != BackupState::Deleted)
            .filter(|it| wanted.is_none_or(|face| face == it.face))
            .collect();
        visible.sort_by_key(|it| (it.created_at, it.id));
        let count = read.count_backups(world.tenant, filter).await.unwrap();
        assert_eq!(count, visible.len() as u64);
        for &offset in offsets {
            for direction in [Direction::Ascending, Direction::Descending] {
                let sort = [Sort::new(BackupField::CreatedAt, direction)];
                let page = Page::offset(7, offset);
                let got = read
                    .list_backups(world.tenant, filter, &sort, &page)
                    .await
                    .unwrap();
                assert_eq!(got.total, Some(visible.len() as u64));
                let ids: Vec<_> = got.items.iter().map(|it| it.id).collect();
                assert_eq!(ids, expected(&visible, &page, direction), "offset {offset}");
                if let Some(cursor) = got.next {
                    let next = Page {
                        limit: 7,
                        start: Start::Cursor(cursor),
                        total: false,
                    };
                    let got = read
                        .list_backups(world.tenant, filter, &sort, &next)
                        .await
                        .unwrap();
                    let ids: Vec<_> = got.items.iter().map(|it| it.id).collect();
                    let page = Page::offset(7, offset + 7);
                    assert_eq!(ids, expected(&visible, &page, direction), "after {offset}");
                }
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn pages_at_any_offset_stay_right_while_backups_come_and_go(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    // Numbers that look random and are the same in every run.
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut backups: Vec<Backup> = Vec::new();
    for round in 0..4 {
        let mut tx = world.store.begin().await.unwrap();
        for _ in 0..1500 {
            let mut backup = world.backup();
            backup.face = [Some(Face::Cbr), Some(Face::Cbr), Some(Face::Ges), None]
                [usize::try_from(random(4)).unwrap()];
            // Late rounds also fill in what earlier ones left out.
            backup.created_at = at(i64::try_from(random(1000 * (round + 1))).unwrap());
            backup.failed_entries.clear();
            tx.insert_backup(&backup).await.unwrap();
            backups.push(backup);
        }
        for _ in 0..700 {
            let at = usize::try_from(random(backups.len() as u64)).unwrap();
            let backup = &mut backups[at];
            if backup.state != BackupState::Deleted {
                backup.state = BackupState::Deleted;
                tx.update_backup(backup).await.unwrap();
                backup.version += 1;
            }
        }
        tx.commit().await.unwrap();
        if round % 2 == 1 {
            let offsets = [0, 3, 511, 600, 1100, random(5000), random(5000), 4000, 9000];
            check_pages(&world, &backups, &offsets).await;
        }
    }
    // A handful that is not carried over into the ranges yet counts all the same.
    let mut few = world.backup();
    few.created_at = at(0);
    world.insert_backups(std::slice::from_ref(&few)).await;
    backups.push(few);
    check_pages(&world, &backups, &[0, 1000, 2000, 2500]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_are_exact_after_writers_worked_side_by_side(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = std::sync::Arc::new(World::new(engine).await);
    let writers = (0..8).map(|_| {
        let world = std::sync::Arc::clone(&world);
        tokio::spawn(async move {
            let mut kept = 0;
            for n in 0..200 {
                let mut backup = world.backup();
                backup.created_at = at(n);
                let mut tx = world.store.begin().await.unwrap();
                tx.insert_backup(&backup).await.unwrap();
                if n % 5 == 0 {
                    drop(tx);
                } else {
                    tx.commit().await.unwrap();
                    kept += 1;
                }
            }
            kept
        })
    });
    let mut kept = 0;
    for writer in writers.collect::<Vec<_>>() {
        kept += writer.await.unwrap();
    }
    let mut read = world.store.read().await.unwrap();
    assert_eq!(
        read.count_backups(world.tenant, &face(Face::Cbr))
            .await
            .unwrap(),
        kept
    );
    let page = Page::offset(10, 900);
    let listed = read
        .list_backups(world.tenant, &face(Face::Cbr), &[], &page)
        .await
        .unwrap();
    let records = read
        .list_backup_records(world.tenant, &face(Face::Cbr), &[], &page)
        .await
        .unwrap();
    assert_eq!(listed.items, records.items);
    assert_eq!(listed.total, records.total);
}
