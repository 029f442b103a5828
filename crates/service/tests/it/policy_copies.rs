//! Copies that a policy has made of its backups, and what stays where.

use std::sync::Arc;

use jiff::SignedDuration;
use strongroom_domain::{
    Annotations, Backup, BackupState, Page, RepositoryId,
    job::MAX_ATTEMPTS,
    policy::{Policy, PolicyCopy, PolicyTarget},
    query::{BackupField, Direction, Filter, Sort},
    retention::Retention,
    schedule::Schedule,
};
use strongroom_service::{
    policies::{CreatePolicy, UpdatePolicy},
    repositories::{CreateRepository, UpdateRepository},
    storage,
};
use strongroom_testkit::{Faults, TestParts, TestService};

use crate::backup::restore_to;

struct World {
    t: TestService,
    attic: RepositoryId,
    /// What is wrong with the attic.
    faults: Faults,
    policy: Policy,
}

fn last(count: u32) -> Retention {
    Retention {
        last: Some(count),
        ..Retention::default()
    }
}

async fn world(here: Retention, there: Retention) -> World {
    let faults = Faults::default();
    let (sound, faulty) = (storage(), faults.storage());
    let t = TestService::with(TestParts {
        storage: Arc::new(move |url| match url {
            "memory:attic" => faulty(url),
            url => sound(url),
        }),
        ..TestParts::default()
    })
    .await;
    let attic = CreateRepository::at("attic", "memory:attic");
    let attic = t.service.create_repository(&t.owner, attic).await;
    let attic = attic.unwrap().id;
    let docs = t.files_with("docs", &[("a", b"alpha")]).await;
    let request = CreatePolicy {
        name: "two places".to_owned(),
        description: None,
        enabled: true,
        schedule: Schedule::manual(),
        retention: here,
        targets: vec![PolicyTarget::Resource(docs.id)],
        repositories: Vec::new(),
        copy_to: Some(PolicyCopy {
            repository_id: attic,
            retention: there,
        }),
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    let policy = t.service.create_policy(&t.owner, request).await.unwrap();
    World {
        t,
        attic,
        faults,
        policy,
    }
}

impl World {
    /// Runs the policy and all that follows from it.
    async fn run(&self) {
        let Self { t, policy, .. } = self;
        t.clock.advance(SignedDuration::from_mins(1));
        t.service.run_policy(&t.owner, policy.id).await.unwrap();
        self.settle().await;
    }

    /// Lets jobs that fail be tried until they are given up.
    async fn settle(&self) {
        for _ in 0..=MAX_ATTEMPTS {
            self.t.work().await;
            self.t.clock.advance(SignedDuration::from_mins(10));
        }
    }

    /// The policy's backups, oldest first: whether each is in its first place and in the attic.
    async fn places(&self) -> Vec<(bool, Option<BackupState>)> {
        let Self { t, attic, .. } = self;
        let mut places = Vec::new();
        for backup in self.backups().await {
            let copies = t.service.copies_of(&t.owner, &[backup.id]).await.unwrap();
            assert!(copies.len() <= 1, "{copies:?}");
            let here = backup.repository_id == t.repository.id;
            let there = copies.iter().find(|it| it.repository_id == *attic);
            places.push((here, there.map(|it| it.state)));
        }
        places
    }

    async fn backups(&self) -> Vec<Backup> {
        let of_policy = Filter::eq(BackupField::PolicyId, self.policy.id.uuid());
        let oldest = [Sort::new(BackupField::CreatedAt, Direction::Ascending)];
        let t = &self.t;
        let listed = t
            .service
            .list_backups(&t.owner, &of_policy, &oldest, &Page::ALL);
        listed.await.unwrap().items
    }

    async fn update(&self, change: UpdatePolicy) {
        let t = &self.t;
        let changed = t
            .service
            .update_policy(&t.owner, self.policy.id, None, change);
        changed.await.unwrap();
    }
}

const MADE: Option<BackupState> = Some(BackupState::Completed);
const WAITING: Option<BackupState> = Some(BackupState::Running);

#[tokio::test]
async fn each_backup_is_copied_and_each_place_keeps_what_its_own_rules_say() {
    let world = world(last(1), last(3)).await;
    for _ in 0..5 {
        world.run().await;
    }
    // What is left in the attic alone lies there as the backup itself.
    assert_eq!(
        world.places().await,
        [(false, None), (false, None), (true, MADE)]
    );
    let t = &world.t;
    assert_eq!(t.snapshots().len(), 1);
    let oldest = world.backups().await.remove(0);
    assert_eq!(oldest.repository_id, world.attic);
    let target = t.directory().join("restored");
    let request = restore_to(&oldest, &target);
    t.service.request_restore(&t.owner, request).await.unwrap();
    t.work().await;
    assert_eq!(std::fs::read(target.join("a")).unwrap(), b"alpha");
}

#[tokio::test]
async fn copies_may_go_before_the_backups_that_they_are_of() {
    let world = world(last(3), last(1)).await;
    for _ in 0..4 {
        world.run().await;
    }
    assert_eq!(
        world.places().await,
        [(true, None), (true, None), (true, MADE)]
    );
}

#[tokio::test]
async fn copies_without_rules_stay_for_good() {
    let world = world(last(1), Retention::default()).await;
    for _ in 0..3 {
        world.run().await;
    }
    assert_eq!(
        world.places().await,
        [(false, None), (false, None), (true, MADE)]
    );
}

#[tokio::test]
async fn a_copy_is_wanted_from_the_moment_that_its_backup_is_made() {
    let world = world(last(1), last(3)).await;
    let t = &world.t;
    t.service
        .run_policy(&t.owner, world.policy.id)
        .await
        .unwrap();
    assert!(t.service.run_next_job("test").await.unwrap());
    // The process may end here: what is to be done stands in the catalog.
    assert_eq!(world.places().await, [(true, WAITING)]);
    t.work().await;
    assert_eq!(world.places().await, [(true, MADE)]);
}

#[tokio::test]
async fn copies_wait_for_a_place_that_is_out_of_reach_and_their_backups_with_them() {
    let world = world(last(1), Retention::default()).await;
    world.faults.set_down(true);
    world.run().await;
    world.run().await;
    assert_eq!(world.places().await, [(true, WAITING), (true, WAITING)]);
    let t = &world.t;
    let ids: Vec<_> = world.backups().await.iter().map(|it| it.id).collect();
    let copies = t.service.copies_of(&t.owner, &ids).await.unwrap();
    let reason = copies[0].reason.as_deref().unwrap();
    assert!(reason.contains("connection refused"), "{reason}");

    world.faults.set_down(false);
    t.clock.advance(SignedDuration::from_mins(61));
    t.service.schedule().await.unwrap();
    world.settle().await;
    assert_eq!(world.places().await, [(false, None), (true, MADE)]);
    // Nothing is left to be resumed.
    t.clock.advance(SignedDuration::from_mins(61));
    t.service.schedule().await.unwrap();
    assert_eq!(t.work().await, 0);
}

#[tokio::test]
async fn copies_that_would_have_to_go_at_once_are_not_waited_for() {
    let world = world(last(1), last(2)).await;
    world.faults.set_down(true);
    for _ in 0..4 {
        world.run().await;
    }
    assert_eq!(world.places().await, [(true, WAITING), (true, WAITING)]);
}

#[tokio::test]
async fn a_place_that_is_switched_off_gets_its_copies_once_it_is_on() {
    let world = world(last(1), last(3)).await;
    let (t, attic) = (&world.t, world.attic);
    let switch = async |enabled| {
        let change = UpdateRepository {
            enabled: Some(enabled),
            ..UpdateRepository::default()
        };
        let changed = t.service.update_repository(&t.owner, attic, None, change);
        changed.await.unwrap();
    };
    switch(false).await;
    world.run().await;
    assert_eq!(world.places().await, [(true, WAITING)]);
    switch(true).await;
    t.clock.advance(SignedDuration::from_mins(61));
    t.service.schedule().await.unwrap();
    t.work().await;
    assert_eq!(world.places().await, [(true, MADE)]);
}

#[tokio::test]
async fn copies_that_nobody_wants_any_more_are_dropped() {
    let world = world(last(1), last(3)).await;
    world.faults.set_down(true);
    world.run().await;
    let t = &world.t;
    let in_use = t
        .service
        .delete_repository(&t.owner, world.attic, None)
        .await;
    assert_eq!(in_use.unwrap_err().code(), "in_use");
    world
        .update(UpdatePolicy {
            copy_to: Some(None),
            ..UpdatePolicy::default()
        })
        .await;
    t.clock.advance(SignedDuration::from_mins(61));
    t.service.schedule().await.unwrap();
    assert_eq!(world.places().await, [(true, None)]);
    let forgotten = t
        .service
        .delete_repository(&t.owner, world.attic, None)
        .await;
    forgotten.unwrap();
}

#[tokio::test]
async fn a_policy_does_not_copy_to_where_its_backups_go() {
    let world = world(last(1), last(1)).await;
    let change = UpdatePolicy {
        repositories: Some(vec![world.attic]),
        ..UpdatePolicy::default()
    };
    let t = &world.t;
    let refused = t
        .service
        .update_policy(&t.owner, world.policy.id, None, change)
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), "invalid", "{refused:?}");
    assert!(format!("{refused:?}").contains("copy_to.repository_id"));
}
