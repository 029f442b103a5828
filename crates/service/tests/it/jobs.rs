//! What interrupts jobs: cancellation, lost leases, dead workers, the end of the process.

use std::time::Duration;

use jiff::SignedDuration;
use strongroom_domain::{
    Backup, BackupState, Clock,
    job::{Job, MAX_ATTEMPTS},
    operation::{OperationState, Subject},
};
use strongroom_service::backups::DeleteBackup;
use strongroom_store::Outcome;
use strongroom_testkit::{Faults, Gate, Script, Step, TestParts, TestService};

use crate::scripted;

/// Runs what is queued beside the test.
fn work_beside(t: &TestService) -> tokio::task::JoinHandle<bool> {
    let service = t.service.clone();
    tokio::spawn(async move { service.run_next_job("beside").await.unwrap() })
}

async fn job_of(t: &TestService, backup: &Backup) -> Job {
    let mut read = t.store.read().await.unwrap();
    let subject = Subject::Backup(backup.id);
    read.unfinished_jobs_about(subject).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_backup_cancelled_before_it_runs_is_cancelled_at_once() {
    let t = TestService::start().await;
    let (backup, operation) = t.request(&t.files_with("docs", &[("a", b"a")]).await).await;
    let cancelled = t.service.cancel_backup(&t.owner, backup.id).await.unwrap();
    assert_eq!(cancelled.state, BackupState::Cancelled);
    let operation = t
        .service
        .operation(Some(&t.owner), operation.id)
        .await
        .unwrap();
    assert_eq!(operation.state, OperationState::Cancelled);
    t.work().await;
    assert_eq!(t.now(&backup).await, cancelled);
    assert_eq!(t.snapshots(), []);
    let again = t
        .service
        .cancel_backup(&t.owner, backup.id)
        .await
        .unwrap_err();
    assert_eq!(again.code(), "wrong_state");
}

#[tokio::test]
async fn a_cancelled_backup_stops_while_it_runs_and_leaves_no_snapshot() {
    let gate = Gate::default();
    let steps = vec![
        Step::File("a", b"a"),
        Step::Gate(gate.clone()),
        Step::File("b", b"b"),
    ];
    let script = Script::tree([steps]);
    let (t, resource) = scripted(&script).await;
    let (backup, operation) = t.request(&resource).await;
    let working = work_beside(&t);
    gate.reached().await;
    assert_eq!(t.now(&backup).await.state, BackupState::Running);
    t.service.cancel_backup(&t.owner, backup.id).await.unwrap();
    gate.open();
    assert!(working.await.unwrap());
    let backup = t.now(&backup).await;
    assert_eq!(backup.state, BackupState::Cancelled);
    assert!(backup.finished_at.is_some());
    assert_eq!(t.snapshots(), []);
    assert_eq!(script.counts(), (1, 1));
    let operation = t
        .service
        .operation(Some(&t.owner), operation.id)
        .await
        .unwrap();
    assert_eq!(operation.state, OperationState::Cancelled);
}

#[tokio::test]
async fn a_running_backup_that_is_deleted_stops_first() {
    let gate = Gate::default();
    let script = Script::tree([vec![Step::Gate(gate.clone()), Step::File("b", b"b")]]);
    let (t, resource) = scripted(&script).await;
    let (backup, _) = t.request(&resource).await;
    let working = work_beside(&t);
    gate.reached().await;
    t.service
        .delete_backup(&t.owner, backup.id, DeleteBackup::default())
        .await
        .unwrap();
    gate.open();
    working.await.unwrap();
    t.work().await;
    assert_eq!(
        t.service
            .backup(&t.owner, backup.id)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
    assert_eq!(t.snapshots(), []);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_and_one_snapshot_is_left() {
    let gate = Gate::default();
    let script = Script::tree([
        vec![Step::Gate(gate.clone()), Step::File("a", b"a")],
        vec![Step::File("a", b"a")],
    ]);
    let (t, resource) = scripted(&script).await;
    let (backup, _) = t.request(&resource).await;
    let working = work_beside(&t);
    gate.reached().await;
    // As if the lease had run out: the job is anybody's again.
    let job = job_of(&t, &backup).await;
    t.store
        .finish(job.id, job.fence, &Outcome::Released)
        .await
        .unwrap();
    t.work().await;
    let done = t.now(&backup).await;
    assert_eq!(done.state, BackupState::Completed, "{:?}", done.reason);
    gate.open();
    working.await.unwrap();
    assert_eq!(t.now(&backup).await, done);
    let snapshots: Vec<_> = t.snapshots().iter().map(|it| it.id.to_string()).collect();
    assert_eq!(snapshots, [done.snapshot.unwrap()]);
}

#[tokio::test]
async fn what_a_dead_worker_prepared_and_wrote_is_taken_over() {
    let script = Script::tree([vec![Step::File("a", b"a")]]);
    let (t, resource) = scripted(&script).await;
    let (backup, _) = t.request(&resource).await;
    // A worker takes the job and dies at once: its lease has no length.
    let dead = t
        .store
        .lease("dead", t.clock.now(), Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(dead.attempts, 1);
    t.work().await;
    let done = t.now(&backup).await;
    assert_eq!(done.state, BackupState::Completed, "{:?}", done.reason);
    assert_eq!(t.snapshots().len(), 1);
}

#[tokio::test]
async fn a_job_whose_workers_all_die_is_given_up_visibly() {
    let t = TestService::start().await;
    let (backup, _) = t.request(&t.files_with("docs", &[("a", b"a")]).await).await;
    for _ in 0..MAX_ATTEMPTS {
        t.store
            .lease("dead", t.clock.now(), Duration::ZERO)
            .await
            .unwrap()
            .unwrap();
    }
    t.work().await;
    let backup = t.now(&backup).await;
    assert_eq!(backup.state, BackupState::Failed);
    assert!(
        backup.reason.as_deref().unwrap().contains("given up"),
        "{:?}",
        backup.reason
    );
}

#[tokio::test]
async fn an_unreachable_repository_is_tried_again_later_and_given_up_in_the_end() {
    let faults = Faults::default();
    let storage = faults.storage();
    let t = TestService::with(TestParts {
        storage,
        ..TestParts::default()
    })
    .await;
    let resource = t.files_with("docs", &[("a", b"alpha")]).await;
    faults.set_down(true);
    let backup = t.back_up(&resource).await;
    assert_eq!(backup.state, BackupState::Pending);
    assert!(
        backup
            .reason
            .as_deref()
            .unwrap()
            .contains("connection refused"),
        "{backup:?}"
    );
    assert_eq!(t.work().await, 0, "it waits for its time");
    faults.set_down(false);
    t.clock.advance(SignedDuration::from_secs(2));
    t.work().await;
    assert_eq!(t.now(&backup).await.state, BackupState::Completed);

    faults.set_down(true);
    let backup = t.back_up(&resource).await;
    for _ in 1..MAX_ATTEMPTS {
        t.clock.advance(SignedDuration::from_mins(10));
        t.work().await;
    }
    let backup = t.now(&backup).await;
    assert_eq!(backup.state, BackupState::Failed);
    assert!(
        backup
            .reason
            .as_deref()
            .unwrap()
            .contains("given up after 5 attempts"),
        "{backup:?}"
    );
}

#[tokio::test]
async fn backups_of_one_resource_wait_for_one_another() {
    let gate = Gate::default();
    let script = Script::tree([vec![Step::Gate(gate.clone()), Step::File("a", b"a")]]);
    let (t, resource) = scripted(&script).await;
    let (first, second) = (t.request(&resource).await.0, t.request(&resource).await.0);
    let working = work_beside(&t);
    gate.reached().await;
    assert_eq!(t.work().await, 0, "the resource is taken");
    assert_eq!(t.now(&second).await.state, BackupState::Pending);
    gate.open();
    working.await.unwrap();
    t.work().await;
    for backup in [first, second] {
        assert_eq!(t.now(&backup).await.state, BackupState::Completed);
    }
}

#[tokio::test]
async fn a_process_that_ends_hands_back_what_it_cannot_finish() {
    let gate = Gate::default();
    let script = Script::tree([
        vec![Step::UntilCancelled(gate.clone()), Step::File("a", b"a")],
        vec![Step::File("a", b"a")],
    ]);
    let (t, resource) = scripted(&script).await;
    let (backup, _) = t.request(&resource).await;
    let workers = t.service.start("process", true);
    gate.reached().await;
    workers.shutdown(Duration::ZERO).await;
    assert_eq!(t.now(&backup).await.state, BackupState::Pending);
    assert_eq!(
        job_of(&t, &backup).await.attempts,
        0,
        "it does not count as an attempt"
    );
    assert_eq!(t.snapshots(), []);
    t.work().await;
    assert_eq!(t.now(&backup).await.state, BackupState::Completed);
    assert_eq!(script.counts(), (2, 2));
}

#[tokio::test]
async fn workers_find_jobs_by_themselves() {
    let t = TestService::start().await;
    let workers = t.service.start("process", true);
    let resource = t.files_with("docs", &[("a", b"a")]).await;
    let mut changes = t.service.changes();
    let (backup, _) = t.request(&resource).await;
    while t.now(&backup).await.state.is_active() {
        changes.changed().await.unwrap();
    }
    assert_eq!(t.now(&backup).await.state, BackupState::Completed);
    workers.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_backup_is_deleted_while_another_one_runs() {
    let gate = Gate::default();
    let script = Script::tree([
        vec![Step::File("a", b"a")],
        vec![Step::Gate(gate.clone()), Step::File("b", b"b")],
    ]);
    let (t, resource) = scripted(&script).await;
    let first = t.back_up(&resource).await;
    let (second, _) = t.request(&resource).await;
    let working = work_beside(&t);
    gate.reached().await;
    t.service
        .delete_backup(&t.owner, first.id, DeleteBackup::default())
        .await
        .unwrap();
    t.work().await;
    assert_eq!(
        t.service
            .backup(&t.owner, first.id)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
    gate.open();
    working.await.unwrap();
    let second = t.now(&second).await;
    assert_eq!(second.state, BackupState::Completed, "{:?}", second.reason);
    let snapshots: Vec<_> = t.snapshots().iter().map(|it| it.id.to_string()).collect();
    assert_eq!(snapshots, [second.snapshot.unwrap()]);
}

#[tokio::test]
async fn a_deletion_that_was_given_up_leaves_an_unknown_backup_that_can_be_deleted_again() {
    let faults = Faults::default();
    let storage = faults.storage();
    let t = TestService::with(TestParts {
        storage,
        ..TestParts::default()
    })
    .await;
    let backup = t
        .back_up(&t.files_with("docs", &[("a", b"alpha")]).await)
        .await;
    let delete = || {
        t.service
            .delete_backup(&t.owner, backup.id, DeleteBackup::default())
    };
    faults.set_down(true);
    let given_up = delete().await.unwrap();
    assert_eq!(t.now(&backup).await.state, BackupState::Deleting);
    for _ in 0..MAX_ATTEMPTS {
        t.work().await;
        t.clock.advance(SignedDuration::from_mins(10));
    }
    let left = t.now(&backup).await;
    assert_eq!(left.state, BackupState::Unknown);
    let reason = left.reason.unwrap();
    assert!(
        reason.starts_with("it could not be deleted: given up after 5 attempts"),
        "{reason}"
    );
    let operation = t.service.operation(Some(&t.owner), given_up.id).await;
    assert_eq!(operation.unwrap().state, OperationState::Failed);
    assert!(
        t.events()
            .await
            .contains(&"delete_backup.failed".to_owned())
    );

    faults.set_down(false);
    delete().await.unwrap();
    assert_eq!(delete().await.unwrap_err().code(), "wrong_state");
    t.work().await;
    let gone = t.service.backup(&t.owner, backup.id).await.unwrap_err();
    assert_eq!(gone.code(), "not_found");
    assert_eq!(t.snapshots(), []);
}
