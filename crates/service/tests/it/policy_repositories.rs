//! Policies with several repositories: which one each run uses, and what stays.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use strongroom_domain::{
    Annotations, Backup, BackupState, Page, RepositoryId,
    operation::{OperationState, Subject},
    policy::{Policy, PolicyTarget},
    query::{BackupField, Direction, Filter, Sort},
    repository::RepositoryState,
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
};
use strongroom_service::{
    operations::NewOperation,
    policies::{CreatePolicy, NO_REPOSITORY, UpdatePolicy},
    repositories::{CreateRepository, UpdateRepository},
    storage,
    vaults::CreateVault,
};
use strongroom_testkit::{Faults, TestParts, TestService};

use crate::backup::restore_to;

/// A policy that runs every hour and has two repositories, neither of which is the default one.
struct World {
    t: TestService,
    policy: Policy,
    first: RepositoryId,
    second: RepositoryId,
    /// What is wrong with each.
    faults: BTreeMap<RepositoryId, Faults>,
}

async fn world() -> World {
    let (one, two, sound) = (Faults::default(), Faults::default(), storage());
    let (at_one, at_two) = (one.storage(), two.storage());
    let t = TestService::with(TestParts {
        storage: Arc::new(move |url| match url {
            "memory:first" => at_one(url),
            "memory:second" => at_two(url),
            url => sound(url),
        }),
        ..TestParts::default()
    })
    .await;
    let add = async |name: &str| {
        let request = CreateRepository::at(name, format!("memory:{name}"));
        let made = t.service.create_repository(&t.owner, request).await;
        made.unwrap().id
    };
    let (first, second) = (add("first").await, add("second").await);
    let docs = t.files_with("docs", &[("a", b"alpha")]).await;
    let schedule = Schedule {
        recurrences: vec![Recurrence::Cron("0 * * * *".to_owned())],
        zone: "UTC".to_owned(),
        missed: MissedRun::RunOnce,
    };
    let request = CreatePolicy {
        name: "either".to_owned(),
        description: None,
        enabled: true,
        schedule,
        retention: Retention {
            last: Some(3),
            ..Retention::default()
        },
        targets: vec![PolicyTarget::Resource(docs.id)],
        repositories: vec![first, second],
        copy_to: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    let policy = t.service.create_policy(&t.owner, request).await.unwrap();
    World {
        t,
        policy,
        first,
        second,
        faults: BTreeMap::from([(first, one), (second, two)]),
    }
}

impl World {
    /// Lets an hour pass: the policy is due.
    async fn schedule(&self) {
        self.t.clock.advance(SignedDuration::from_hours(1));
        self.t.service.schedule().await.unwrap();
    }

    /// The policy runs; what fails is tried until it is given up.
    async fn run(&self) {
        self.schedule().await;
        for _ in 0..5 {
            self.t.work().await;
            self.t.clock.advance(SignedDuration::from_mins(2));
        }
    }

    async fn enable(&self, id: RepositoryId, enabled: bool) {
        let change = UpdateRepository {
            enabled: Some(enabled),
            ..UpdateRepository::default()
        };
        let Self { t, .. } = self;
        let changed = t.service.update_repository(&t.owner, id, None, change);
        changed.await.unwrap();
    }

    fn set_down(&self, id: RepositoryId, down: bool) {
        self.faults[&id].set_down(down);
    }

    /// Has it looked whether a repository can be reached.
    async fn look_at(&self, id: RepositoryId) -> RepositoryState {
        let Self { t, .. } = self;
        let operation = NewOperation::default();
        let asked = t.service.verify_repository(&t.owner, id, operation).await;
        asked.unwrap();
        t.work().await;
        self.state(id).await
    }

    async fn state(&self, id: RepositoryId) -> RepositoryState {
        let Self { t, .. } = self;
        t.service.repository(&t.owner, id).await.unwrap().state
    }

    /// The policy's backups, oldest first.
    async fn backups(&self) -> Vec<Backup> {
        let of_policy = Filter::eq(BackupField::PolicyId, self.policy.id.uuid());
        let oldest = [Sort::new(BackupField::CreatedAt, Direction::Ascending)];
        let Self { t, .. } = self;
        let listed = t
            .service
            .list_backups(&t.owner, &of_policy, &oldest, &Page::ALL);
        listed.await.unwrap().items
    }

    /// Where they are and what became of them.
    async fn places(&self) -> Vec<(RepositoryId, BackupState)> {
        let backups = self.backups().await;
        backups
            .iter()
            .map(|it| (it.repository_id, it.state))
            .collect()
    }

    async fn count(&self, event: &str) -> usize {
        let events = self.t.events().await;
        events.iter().filter(|it| *it == event).count()
    }
}

const MADE: BackupState = BackupState::Completed;

#[tokio::test]
async fn each_run_uses_the_first_repository_that_is_enabled() {
    let world = world().await;
    let (first, second) = (world.first, world.second);
    world.run().await;
    world.enable(first, false).await;
    world.run().await;
    world.enable(first, true).await;
    world.run().await;
    assert_eq!(
        world.places().await,
        [(first, MADE), (second, MADE), (first, MADE)]
    );
}

#[tokio::test]
async fn each_run_uses_the_first_repository_that_can_be_reached() {
    let world = world().await;
    let (first, second) = (world.first, world.second);
    world.set_down(first, true);
    assert_eq!(world.look_at(first).await, RepositoryState::Unavailable);
    world.run().await;
    assert_eq!(world.places().await, [(second, MADE)]);
    // It is looked at again without being asked.
    world.set_down(first, false);
    world.run().await;
    assert_eq!(world.state(first).await, RepositoryState::Ready);
    world.run().await;
    assert_eq!(world.backups().await[2].repository_id, first);
}

#[tokio::test]
async fn a_repository_that_stays_out_of_reach_is_looked_at_often_and_said_to_be_so_once() {
    let world = world().await;
    let (t, first) = (&world.t, world.first);
    world.set_down(first, true);
    world.look_at(first).await;
    let mut looks = 0;
    for _ in 0..12 {
        t.service.schedule().await.unwrap();
        t.clock.advance(SignedDuration::from_mins(10));
        let about = Subject::Repository(first);
        let mut read = t.store.read().await.unwrap();
        let waiting = read.unfinished_jobs_about(about).await.unwrap();
        drop(read);
        looks += usize::from(!waiting.is_empty());
        t.work().await;
    }
    assert_eq!(
        (looks, world.count("repository.unavailable").await),
        (12, 1)
    );
}

#[tokio::test]
async fn the_repository_is_chosen_when_the_run_is_queued_and_stands_in_the_catalog() {
    let world = world().await;
    let (first, second) = (world.first, world.second);
    world.enable(first, false).await;
    world.schedule().await;
    world.enable(first, true).await;
    // Whoever takes the job up, and whenever, finds the choice that was made.
    assert_eq!(world.places().await, [(second, BackupState::Pending)]);
    world.t.work().await;
    assert_eq!(world.places().await, [(second, MADE)]);
}

#[tokio::test]
async fn a_run_without_any_available_repository_is_skipped_and_told_of() {
    let world = world().await;
    let (t, first, second) = (&world.t, world.first, world.second);
    world.enable(first, false).await;
    world.set_down(second, true);
    world.look_at(second).await;
    world.run().await;
    assert_eq!(world.places().await, []);
    assert_eq!(world.count("policy.skipped").await, 1);
    let runs = t.service.skipped_runs(&t.owner).await.unwrap();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!(
        (run.policy_id, run.code.as_str()),
        (world.policy.id, NO_REPOSITORY)
    );
    assert_eq!(
        run.reason,
        "none of the policy's repositories is available: repository `first` is disabled; \
         repository `second` cannot be reached"
    );
    let (other, _) = t.another_tenant("other").await;
    let caller = t.service.token_caller(other.token.token.expose()).await;
    let theirs = t.service.skipped_runs(&caller.unwrap()).await.unwrap();
    assert_eq!(theirs, []);
    // The run is over; the next one is on its own.
    world.enable(first, true).await;
    world.run().await;
    assert_eq!(world.places().await, [(first, MADE)]);
}

#[tokio::test]
async fn a_backup_whose_repository_cannot_be_opened_goes_to_the_next_one() {
    let world = world().await;
    let (t, first, second) = (&world.t, world.first, world.second);
    world.run().await;
    world.set_down(first, true);
    world.run().await;
    let backups = world.backups().await;
    assert_eq!(world.places().await, [(first, MADE), (second, MADE)]);
    assert_eq!(world.count("backup.redirected").await, 1);
    assert_eq!(world.state(first).await, RepositoryState::Unavailable);
    let about = Subject::Backup(backups[1].id);
    let mut read = t.store.read().await.unwrap();
    let operations = read.operations_about(t.tenant.tenant.id, about).await;
    drop(read);
    let states: Vec<_> = operations.unwrap().iter().map(|it| it.state).collect();
    assert_eq!(states, [OperationState::Succeeded]);
    let target = t.directory().join("restored");
    let request = restore_to(&backups[1], &target);
    t.service.request_restore(&t.owner, request).await.unwrap();
    t.work().await;
    assert_eq!(std::fs::read(target.join("a")).unwrap(), b"alpha");
}

#[tokio::test]
async fn a_backup_that_no_repository_can_be_opened_for_fails_in_the_last() {
    let world = world().await;
    let (first, second) = (world.first, world.second);
    world.set_down(first, true);
    world.set_down(second, true);
    world.run().await;
    assert_eq!(world.places().await, [(second, BackupState::Failed)]);
    let reason = world.backups().await.remove(0).reason.unwrap();
    assert!(
        reason.contains("given up after 5 attempts: repository `second`"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_cancelled_backup_is_cancelled_wherever_it_goes() {
    let world = world().await;
    let t = &world.t;
    world.set_down(world.first, true);
    world.schedule().await;
    assert!(t.service.run_next_job("test").await.unwrap());
    let backup = world.backups().await.remove(0);
    assert_eq!(
        (backup.repository_id, backup.state),
        (world.second, BackupState::Pending)
    );
    t.service.cancel_backup(&t.owner, backup.id).await.unwrap();
    t.work().await;
    assert_eq!(t.now(&backup).await.state, BackupState::Cancelled);
}

#[tokio::test]
async fn a_policy_keeps_so_many_backups_altogether() {
    let world = world().await;
    let (first, second) = (world.first, world.second);
    for _ in 0..3 {
        world.run().await;
    }
    world.enable(first, false).await;
    world.run().await;
    world.run().await;
    assert_eq!(
        world.places().await,
        [(first, MADE), (second, MADE), (second, MADE)]
    );
    world.enable(first, true).await;
    for _ in 0..3 {
        world.run().await;
    }
    assert_eq!(world.places().await, [(first, MADE); 3]);
}

#[tokio::test]
async fn what_is_out_of_reach_does_not_count_until_it_is_back() {
    let world = world().await;
    let (first, second) = (world.first, world.second);
    for _ in 0..3 {
        world.run().await;
    }
    world.set_down(first, true);
    world.look_at(first).await;
    for _ in 0..3 {
        world.run().await;
    }
    let unknown = (first, BackupState::Unknown);
    let places = world.places().await;
    assert_eq!(places, [[unknown; 3], [(second, MADE); 3]].concat());
    world.set_down(first, false);
    world.look_at(first).await;
    world.run().await;
    assert_eq!(
        world.places().await,
        [(second, MADE), (second, MADE), (first, MADE)]
    );
}

#[tokio::test]
async fn a_single_repository_is_tried_whatever_was_found_last() {
    let world = world().await;
    let (t, first) = (&world.t, world.first);
    let change = UpdatePolicy {
        repositories: Some(vec![first]),
        ..UpdatePolicy::default()
    };
    let changed = t
        .service
        .update_policy(&t.owner, world.policy.id, None, change);
    changed.await.unwrap();
    world.set_down(first, true);
    world.look_at(first).await;
    world.schedule().await;
    t.work().await;
    assert_eq!(world.places().await, [(first, BackupState::Pending)]);
    world.set_down(first, false);
    t.clock.advance(SignedDuration::from_mins(1));
    t.work().await;
    assert_eq!(world.places().await, [(first, MADE)]);
    assert_eq!(world.state(first).await, RepositoryState::Ready);
}

#[tokio::test]
async fn a_backup_of_a_vault_stays_in_the_vaults_repository() {
    let world = world().await;
    let (t, first) = (&world.t, world.first);
    let PolicyTarget::Resource(docs) = world.policy.targets[0] else {
        panic!("{:?}", world.policy)
    };
    let request = CreateVault {
        name: "vault".to_owned(),
        description: None,
        repository_id: Some(first),
        resources: vec![docs],
        policy_id: Some(world.policy.id),
        quota_bytes: 1 << 30,
        locked: false,
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    t.service.create_vault(&t.owner, request).await.unwrap();
    world.set_down(first, true);
    world.run().await;
    assert_eq!(world.places().await, [(first, BackupState::Failed)]);
}

#[tokio::test]
async fn a_repository_is_named_once_and_kept_while_a_policy_names_it() {
    let world = world().await;
    let (t, second) = (&world.t, world.second);
    let change = UpdatePolicy {
        repositories: Some(vec![second, second]),
        ..UpdatePolicy::default()
    };
    let refused = t
        .service
        .update_policy(&t.owner, world.policy.id, None, change)
        .await;
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(refused.contains("repositories[1]"), "{refused}");
    let in_use = t.service.delete_repository(&t.owner, second, None).await;
    assert_eq!(in_use.unwrap_err().code(), "in_use");
}
