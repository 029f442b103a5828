//! Policies: when they run, what they keep.

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    Annotations, Backup, BackupState, Clock, Page, PolicyId, Resource, Trigger,
    policy::{Policy, PolicyTarget},
    query::{BackupField, Direction, Filter, Sort},
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
};
use strongroom_service::{
    backups::RequestBackup,
    policies::{CreatePolicy, UpdatePolicy},
};
use strongroom_testkit::{Script, Step, TestService};

use crate::scripted;

fn hourly(missed: MissedRun) -> Schedule {
    let recurrences = vec![Recurrence::Cron("0 * * * *".to_owned())];
    Schedule {
        recurrences,
        zone: "UTC".to_owned(),
        missed,
    }
}

fn policy(target: &Resource) -> CreatePolicy {
    CreatePolicy {
        name: "hourly".to_owned(),
        description: None,
        enabled: true,
        schedule: hourly(MissedRun::RunOnce),
        retention: Retention::default(),
        targets: vec![PolicyTarget::Resource(target.id)],
        repositories: Vec::new(),
        copy_to: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
    }
}

async fn with_policy(change: impl FnOnce(&mut CreatePolicy)) -> (TestService, Policy) {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let mut request = policy(&resource);
    change(&mut request);
    let policy = t.service.create_policy(&t.owner, request).await.unwrap();
    (t, policy)
}

/// Lets time pass, schedules, and runs what follows.
async fn pass(t: &TestService, time: SignedDuration) {
    t.clock.advance(time);
    t.service.schedule().await.unwrap();
    t.work().await;
}

async fn backups_of(t: &TestService, policy: PolicyId) -> Vec<Backup> {
    let filter = Filter::eq(BackupField::PolicyId, policy.uuid());
    let sort = [Sort::new(BackupField::CreatedAt, Direction::Ascending)];
    let found = t
        .service
        .list_backups(&t.owner, &filter, &sort, &Page::ALL)
        .await
        .unwrap();
    found.items
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_policy_runs_when_it_is_due_and_sets_its_next_run() {
    let (t, policy) = with_policy(|_| {}).await;
    assert_eq!(policy.next_run, Some(at("2026-03-01T13:00:00Z")));
    pass(&t, SignedDuration::from_mins(59)).await;
    assert_eq!(backups_of(&t, policy.id).await, []);
    pass(&t, SignedDuration::from_mins(1)).await;
    let backups = backups_of(&t, policy.id).await;
    let [backup] = &backups[..] else {
        panic!("{backups:?}")
    };
    assert_eq!(backup.state, BackupState::Completed, "{:?}", backup.reason);
    assert_eq!(backup.trigger, Trigger::Schedule);
    assert_eq!(backup.scheduled_for, Some(at("2026-03-01T13:00:00Z")));
    assert!(
        backup.name.starts_with("hourly-") && backup.name.len() == 12,
        "{}",
        backup.name
    );
    let policy = t.service.policy(&t.owner, policy.id).await.unwrap();
    assert_eq!(policy.last_run, Some(at("2026-03-01T13:00:00Z")));
    assert_eq!(policy.next_run, Some(at("2026-03-01T14:00:00Z")));
}

#[tokio::test]
async fn missed_runs_are_made_up_for_once() {
    let (t, policy) = with_policy(|_| {}).await;
    pass(&t, SignedDuration::from_mins(5 * 60 + 30)).await;
    let backups = backups_of(&t, policy.id).await;
    let times: Vec<_> = backups.iter().map(|it| it.scheduled_for).collect();
    assert_eq!(times, [Some(at("2026-03-01T17:00:00Z"))]);
}

#[tokio::test]
async fn missed_runs_are_passed_over_if_the_policy_says_so() {
    let (t, policy) = with_policy(|it| it.schedule = hourly(MissedRun::Skip)).await;
    pass(&t, SignedDuration::from_mins(5 * 60 + 30)).await;
    assert_eq!(backups_of(&t, policy.id).await, []);
    assert!(t.events().await.contains(&"policy.missed".to_owned()));
    pass(&t, SignedDuration::from_mins(30)).await;
    assert_eq!(backups_of(&t, policy.id).await.len(), 1);
}

#[tokio::test]
async fn two_schedulers_at_once_make_one_backup() {
    let (t, policy) = with_policy(|_| {}).await;
    t.clock.advance(SignedDuration::from_hours(1));
    let (one, two) = tokio::join!(t.service.schedule(), t.service.schedule());
    one.unwrap();
    two.unwrap();
    t.work().await;
    assert_eq!(backups_of(&t, policy.id).await.len(), 1);
}

#[tokio::test]
async fn a_policy_that_is_off_does_nothing_until_it_is_on() {
    let (t, policy) = with_policy(|it| it.enabled = false).await;
    assert_eq!(policy.next_run, None);
    pass(&t, SignedDuration::from_hours(3)).await;
    assert_eq!(backups_of(&t, policy.id).await, []);
    let on = UpdatePolicy {
        enabled: Some(true),
        ..Default::default()
    };
    let policy = t
        .service
        .update_policy(&t.owner, policy.id, None, on)
        .await
        .unwrap();
    assert_eq!(policy.next_run, Some(at("2026-03-01T16:00:00Z")));
    pass(&t, SignedDuration::from_hours(1)).await;
    assert_eq!(backups_of(&t, policy.id).await.len(), 1);
}

#[tokio::test]
async fn a_run_is_skipped_while_the_last_one_goes_on() {
    let (t, policy) = with_policy(|_| {}).await;
    for _ in 0..2 {
        t.clock.advance(SignedDuration::from_hours(1));
        t.service.schedule().await.unwrap();
    }
    assert_eq!(backups_of(&t, policy.id).await.len(), 1);
    assert!(t.events().await.contains(&"policy.skipped".to_owned()));
}

#[tokio::test]
async fn a_policy_can_be_run_by_hand() {
    let (t, policy) = with_policy(|_| {}).await;
    t.service.run_policy(&t.owner, policy.id).await.unwrap();
    t.work().await;
    let backups = backups_of(&t, policy.id).await;
    assert_eq!(backups.len(), 1);
    assert_eq!(
        (backups[0].state, backups[0].scheduled_for),
        (BackupState::Completed, None)
    );
}

#[tokio::test]
async fn retention_removes_what_no_rule_keeps_and_says_why() {
    let keep = Retention {
        last: Some(2),
        ..Retention::default()
    };
    let (t, policy) = with_policy(|it| it.retention = keep).await;
    for _ in 0..4 {
        pass(&t, SignedDuration::from_hours(1)).await;
    }
    let left: Vec<_> = backups_of(&t, policy.id)
        .await
        .iter()
        .map(|it| it.scheduled_for.unwrap())
        .collect();
    assert_eq!(
        left,
        [at("2026-03-01T15:00:00Z"), at("2026-03-01T16:00:00Z")]
    );
    assert_eq!(t.snapshots().len(), 2);
    let events = t.events().await;
    assert_eq!(
        events.iter().filter(|it| *it == "backup.expired").count(),
        2
    );
}

#[tokio::test]
async fn retention_never_removes_the_last_good_copy() {
    let good = vec![Step::File("a", b"a")];
    let bad = vec![Step::File("a", b"a"), Step::Fail("b", "no")];
    let (t, resource) = scripted(&Script::tree([good, bad])).await;
    let keep = Retention {
        last: Some(1),
        ..Retention::default()
    };
    let request = CreatePolicy {
        retention: keep,
        ..policy(&resource)
    };
    let policy = t.service.create_policy(&t.owner, request).await.unwrap();
    for _ in 0..4 {
        pass(&t, SignedDuration::from_hours(1)).await;
    }
    let states: Vec<_> = backups_of(&t, policy.id)
        .await
        .iter()
        .map(|it| it.state)
        .collect();
    assert!(states.contains(&BackupState::Completed), "{states:?}");
}

#[tokio::test]
async fn a_backup_goes_when_its_time_is_over_unless_it_is_the_last_good_one() {
    let t = TestService::start().await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    let end = t.clock.now() + SignedDuration::from_hours(1);
    let request = || RequestBackup {
        expires_at: Some(end),
        ..RequestBackup::of(resource.id)
    };
    let (old, _) = t.service.request_backup(&t.owner, request()).await.unwrap();
    t.work().await;
    t.clock.advance(SignedDuration::from_secs(1));
    let (new, _) = t.service.request_backup(&t.owner, request()).await.unwrap();
    t.work().await;
    pass(&t, SignedDuration::from_hours(2)).await;
    assert_eq!(
        t.service.backup(&t.owner, old.id).await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(t.now(&new).await.state, BackupState::Completed);
}

#[tokio::test]
async fn repositories_are_checked_from_time_to_time() {
    let t = TestService::start().await;
    let checks = async || {
        let events = t.events().await;
        events
            .iter()
            .filter(|it| *it == "repository.verified")
            .count()
    };
    pass(&t, SignedDuration::ZERO).await;
    assert_eq!(checks().await, 0);
    pass(&t, SignedDuration::from_hours(24)).await;
    assert_eq!(checks().await, 1);
    pass(&t, SignedDuration::from_hours(1)).await;
    assert_eq!(checks().await, 1);
    pass(&t, SignedDuration::from_hours(24)).await;
    assert_eq!(checks().await, 2);
}

#[tokio::test]
async fn the_last_complete_backup_stays_although_a_partial_one_is_newer() {
    let good = vec![Step::File("a", b"a")];
    let bad = vec![Step::File("a", b"a"), Step::Fail("b", "no")];
    let (t, resource) = scripted(&Script::tree([good, bad])).await;
    let expires_at = Some(t.clock.now() + SignedDuration::from_hours(1));
    let request = RequestBackup {
        expires_at,
        ..RequestBackup::of(resource.id)
    };
    let (good, _) = t.service.request_backup(&t.owner, request).await.unwrap();
    t.work().await;
    t.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(t.back_up(&resource).await.state, BackupState::Partial);
    pass(&t, SignedDuration::from_hours(2)).await;
    assert_eq!(t.now(&good).await.state, BackupState::Completed);
}
