//! The queue: no job and no lock is ever held twice, and who lost a lease writes nothing.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use rstest::rstest;
use strongroom_domain::{
    ResourceId,
    job::{Job, JobState, Lock, Work},
    operation::Subject,
};
use strongroom_store::{Error, Outcome, Store};
use strongroom_testkit::Engine;

use crate::sample::{World, at, start};

const LONG: Duration = Duration::from_mins(10);

async fn enqueue(world: &World, jobs: &[Job]) {
    let mut tx = world.store.begin().await.unwrap();
    for job in jobs {
        tx.enqueue(job).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn lease(store: &Store) -> Option<Job> {
    store.lease("worker", start(), LONG).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn a_job_is_leased_once_and_carries_what_it_was_queued_with(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let job = world.job(vec![
        Lock::exclusive("resource:1"),
        Lock::shared("repository:1"),
    ]);
    enqueue(&world, std::slice::from_ref(&job)).await;
    let leased = lease(&world.store).await.unwrap();
    assert_eq!(
        (leased.state, leased.attempts, leased.fence),
        (JobState::Leased, 1, 1)
    );
    assert!(leased.lease_until.is_some());
    let as_queued = Job {
        state: JobState::Queued,
        attempts: 0,
        fence: 0,
        lease_until: None,
        ..leased.clone()
    };
    assert_eq!(as_queued, job);
    assert_eq!(lease(&world.store).await, None);

    let mut tx = world.store.begin().await.unwrap();
    tx.assert_fence(job.id, leased.fence).await.unwrap();
    tx.checkpoint_job(job.id, leased.fence, &serde_json::json!({"step": 2}))
        .await
        .unwrap();
    assert_eq!(tx.queue_length().await.unwrap(), (0, 1));
    tx.finish(job.id, leased.fence, &Outcome::Done)
        .await
        .unwrap();
    let done = tx.job(job.id).await.unwrap().unwrap();
    assert_eq!(
        (done.state, done.checkpoint),
        (JobState::Done, Some(serde_json::json!({"step": 2})))
    );
    assert_eq!(tx.queue_length().await.unwrap(), (0, 0));
    tx.commit().await.unwrap();
    let mut tx = world.store.begin().await.unwrap();
    assert!(matches!(
        tx.assert_fence(job.id, 1).await,
        Err(Error::FenceLost { .. })
    ));
    let long_ago = start() - jiff::SignedDuration::from_hours(24 * 365 * 20);
    assert_eq!(tx.purge_jobs(long_ago).await.unwrap(), 0);
    let far = start() + jiff::SignedDuration::from_hours(24 * 365 * 20);
    assert_eq!(tx.purge_jobs(far).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn a_job_waits_for_its_time_and_its_turn(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut later = world.job(Vec::new());
    later.run_at = at(60);
    let mut low = world.job(Vec::new());
    low.priority = 20;
    let mut high = world.job(Vec::new());
    high.priority = 1;
    high.run_at = at(-1);
    enqueue(&world, &[later.clone(), low.clone(), high.clone()]).await;
    assert_eq!(lease(&world.store).await.unwrap().id, high.id);
    assert_eq!(lease(&world.store).await.unwrap().id, low.id);
    assert_eq!(lease(&world.store).await, None);
    let mut read = world.store.read().await.unwrap();
    assert_eq!(read.next_job_time().await.unwrap(), Some(at(60)));
    drop(read);
    let job = world
        .store
        .lease("worker", at(60), LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.id, later.id);

    let retry = Outcome::Retry {
        at: at(120),
        error: "the disk is busy".to_owned(),
    };
    world.store.finish(job.id, job.fence, &retry).await.unwrap();
    assert_eq!(
        world.store.lease("worker", at(119), LONG).await.unwrap(),
        None
    );
    let job = world
        .store
        .lease("worker", at(120), LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((job.attempts, job.fence), (2, 2));
    assert_eq!(job.last_error.as_deref(), Some("the disk is busy"));
    world
        .store
        .finish(job.id, job.fence, &Outcome::Released)
        .await
        .unwrap();
    let job = world
        .store
        .lease("worker", at(120), LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((job.attempts, job.fence), (2, 3));
    let failed = Outcome::Failed {
        error: "the disk is gone".to_owned(),
    };
    world
        .store
        .finish(job.id, job.fence, &failed)
        .await
        .unwrap();
    let job = world
        .store
        .read()
        .await
        .unwrap()
        .job(job.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.state, JobState::Failed);
}

#[rstest]
#[tokio::test]
async fn maintenance_waits_for_the_backups_that_share_its_repository_and_they_for_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let backup = |n: u8| {
        let resource = Lock::exclusive(format!("resource:{n}"));
        world.job(vec![resource, Lock::shared("repository:1")])
    };
    let (one, two, again) = (backup(1), backup(2), backup(1));
    let mut prune = world.job(vec![Lock::exclusive("repository:1")]);
    prune.priority = 50;
    enqueue(
        &world,
        &[one.clone(), two.clone(), again.clone(), prune.clone()],
    )
    .await;
    let first = lease(&world.store).await.unwrap();
    let second = lease(&world.store).await.unwrap();
    assert_eq!(
        BTreeSet::from([first.id, second.id]),
        BTreeSet::from([one.id, two.id])
    );
    assert_eq!(
        lease(&world.store).await,
        None,
        "the resource and the repository are held"
    );
    world
        .store
        .finish(first.id, first.fence, &Outcome::Done)
        .await
        .unwrap();
    world
        .store
        .finish(second.id, second.fence, &Outcome::Done)
        .await
        .unwrap();
    let third = lease(&world.store).await.unwrap();
    assert_eq!(third.id, again.id);
    world
        .store
        .finish(third.id, third.fence, &Outcome::Done)
        .await
        .unwrap();
    let pruning = lease(&world.store).await.unwrap();
    assert_eq!(pruning.id, prune.id);
    enqueue(&world, &[backup(3)]).await;
    assert_eq!(
        lease(&world.store).await,
        None,
        "the repository is being pruned"
    );
}

#[rstest]
#[tokio::test]
async fn a_lock_after_the_first_of_its_sort_is_respected_too(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let both = world.job(vec![
        Lock::exclusive("a"),
        Lock::exclusive("b"),
        Lock::shared("c"),
    ]);
    let second = world.job(vec![Lock::exclusive("x"), Lock::exclusive("b")]);
    let shared = world.job(vec![Lock::shared("d"), Lock::shared("a")]);
    let fine = world.job(vec![
        Lock::exclusive("y"),
        Lock::shared("d"),
        Lock::shared("c"),
    ]);
    enqueue(&world, &[both.clone(), second, shared, fine.clone()]).await;
    assert_eq!(lease(&world.store).await.unwrap().id, both.id);
    assert_eq!(lease(&world.store).await.unwrap().id, fine.id);
    assert_eq!(lease(&world.store).await, None);
}

#[rstest]
#[tokio::test]
async fn a_tenant_with_fewer_jobs_under_way_comes_first(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (other, _) = world.other_tenant("beta").await;
    let crowd: Vec<_> = (0..5).map(|_| world.job(Vec::new())).collect();
    enqueue(&world, &crowd).await;
    let mut single = world.job(Vec::new());
    single.tenant_id = other;
    single.run_at = at(30);
    enqueue(&world, std::slice::from_ref(&single)).await;
    let lease = || world.store.lease("worker", at(30), LONG);
    assert_eq!(lease().await.unwrap().unwrap().tenant_id, world.tenant);
    assert_eq!(lease().await.unwrap().unwrap().id, single.id);
    assert_eq!(lease().await.unwrap().unwrap().tenant_id, world.tenant);
}

#[rstest]
#[tokio::test]
async fn a_worker_whose_lease_ended_writes_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let job = world.job(vec![Lock::exclusive("resource:1")]);
    enqueue(&world, std::slice::from_ref(&job)).await;
    let late = world
        .store
        .lease("late", start(), Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    let lost = |done: Result<(), Error>| matches!(done, Err(Error::FenceLost { .. }));
    let renewed = world.store.renew(job.id, late.fence, LONG).await.map(drop);
    assert!(lost(renewed), "the lease ended at once");
    let taken = loop {
        if let Some(job) = lease(&world.store).await {
            break job;
        }
    };
    assert_eq!((taken.id, taken.fence, taken.attempts), (job.id, 2, 2));
    let value = serde_json::json!(1);
    assert!(lost(
        world.store.checkpoint_job(job.id, late.fence, &value).await
    ));
    assert!(lost(
        world.store.finish(job.id, late.fence, &Outcome::Done).await
    ));
    let mut tx = world.store.begin().await.unwrap();
    assert!(lost(tx.assert_fence(job.id, late.fence).await));
    drop(tx);
    let renewal = world.store.renew(job.id, taken.fence, LONG).await.unwrap();
    assert!(!renewal.cancel_requested);
    world
        .store
        .finish(job.id, taken.fence, &Outcome::Done)
        .await
        .unwrap();
}

#[rstest]
#[tokio::test]
async fn a_request_to_cancel_reaches_the_worker_when_it_renews(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let running = world.job(Vec::new());
    let mut waiting = world.job(Vec::new());
    waiting.run_at = at(3600);
    enqueue(&world, &[running.clone(), waiting.clone()]).await;
    let leased = lease(&world.store).await.unwrap();
    let subject = |job: &Job| match job.work {
        Work::RunBackup { backup } => Subject::Backup(backup),
        _ => unreachable!("the sample is a backup"),
    };
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(
        tx.request_cancel(subject(&running), start()).await.unwrap(),
        1
    );
    let operation = waiting.operation_id.unwrap();
    assert_eq!(
        tx.request_cancel_of_operation(operation, start())
            .await
            .unwrap(),
        1
    );
    let nothing = Subject::Resource(ResourceId::from_uuid(world.uuid()));
    assert_eq!(tx.request_cancel(nothing, start()).await.unwrap(), 0);
    assert_eq!(
        tx.unfinished_jobs_about(subject(&waiting))
            .await
            .unwrap()
            .len(),
        1
    );
    tx.commit().await.unwrap();
    let renewal = world
        .store
        .renew(leased.id, leased.fence, LONG)
        .await
        .unwrap();
    assert!(renewal.cancel_requested);
    let woken = lease(&world.store).await.unwrap();
    assert_eq!((woken.id, woken.cancel_requested), (waiting.id, true));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_side_by_side_never_hold_the_same_job_or_key(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let jobs: Vec<_> = (0..60)
        .map(|n| {
            let resource = Lock::exclusive(format!("resource:{}", n % 4));
            world.job(vec![resource, Lock::shared("repository:1")])
        })
        .collect();
    enqueue(&world, &jobs).await;
    let held: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let done: Arc<Mutex<BTreeSet<_>>> = Arc::default();
    let workers = (0..6).map(|n| {
        let (store, held, done) = (world.store.clone(), Arc::clone(&held), Arc::clone(&done));
        tokio::spawn(async move {
            while done.lock().unwrap().len() < 60 {
                let owner = format!("worker {n}");
                let Some(job) = store.lease(&owner, start(), LONG).await.unwrap() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let key = job.locks[0].key.clone();
                assert!(
                    held.lock().unwrap().insert(key.clone()),
                    "{key} is held twice"
                );
                tokio::task::yield_now().await;
                assert!(held.lock().unwrap().remove(&key));
                store
                    .finish(job.id, job.fence, &Outcome::Done)
                    .await
                    .unwrap();
                assert!(done.lock().unwrap().insert(job.id), "{} ran twice", job.id);
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    assert_eq!(done.lock().unwrap().len(), 60);
}

#[rstest]
#[tokio::test]
async fn a_named_lease_has_one_owner_until_it_ends(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let store = &world.store;
    let first = store
        .acquire_lease("scheduler", "a", LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store.acquire_lease("scheduler", "b", LONG).await.unwrap(),
        None
    );
    let again = store.acquire_lease("scheduler", "a", LONG).await.unwrap();
    assert_eq!(again, Some(first.clone()));
    store.release_lease("scheduler", "b").await.unwrap();
    assert_eq!(
        store.acquire_lease("scheduler", "b", LONG).await.unwrap(),
        None
    );
    store.release_lease("scheduler", "a").await.unwrap();
    let taken = store
        .acquire_lease("scheduler", "b", LONG)
        .await
        .unwrap()
        .unwrap();
    assert!(taken.fence > first.fence);
}
