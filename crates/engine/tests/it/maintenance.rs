//! Locks, finding snapshots, forget and prune.

use std::sync::Arc;

use strongroom_domain::tree::Context;
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{
    Backend, BackupOutcome, CheckOptions, Credential, ErrorKind, MemoryBackend, PruneOptions,
    Repository, Tolerance,
};

use crate::support::*;

fn back_up(repository: &Repository, files: &[(&str, &[u8])]) -> BackupOutcome {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    indexed
        .backup(made_up(files), &options(), &context)
        .unwrap()
}

#[test]
fn snapshots_are_found_by_id_beginning_and_latest() {
    let repository = init(Arc::new(MemoryBackend::new()));
    let none = repository.find_snapshot("latest").unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
    let ids: Vec<_> = (0..20)
        .map(|_| back_up(&repository, &[("a", b"b")]).snapshot_id)
        .collect();
    assert_eq!(repository.find_snapshot("latest").unwrap().id, ids[19]);
    assert_eq!(
        repository.find_snapshot(&ids[3].to_hex()).unwrap().id,
        ids[3]
    );
    assert_eq!(
        repository.find_snapshot(&ids[3].to_hex()[..20]).unwrap().id,
        ids[3]
    );
    // Twenty ids cannot all begin differently in sixteen ways.
    let digits = "0123456789abcdef".chars().map(String::from);
    let mut results = digits.map(|digit| repository.find_snapshot(&digit));
    assert!(results.any(|result| result.is_err_and(|e| e.kind() == ErrorKind::Invalid)));
    assert!(repository.find_snapshot("").is_err());
    assert!(repository.find_snapshot("nonsense").is_err());
}

#[test]
fn forget_and_prune_need_the_repository_alone() {
    let repository = init(Arc::new(MemoryBackend::new()));
    let id = back_up(&repository, &[("a", b"b")]).snapshot_id;
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let error = repository.forget(&[id]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    let also = repository.clone().into_indexed(&context).unwrap();
    drop((indexed, also));

    let plan = repository
        .plan_prune(&PruneOptions::default(), &context)
        .unwrap();
    let error = repository.clone().into_indexed(&context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    drop(plan);
    repository.forget(&[id, id]).unwrap();
    assert!(!repository.has_snapshot(id).unwrap());
}

#[test]
fn a_lock_counts_for_thirty_minutes() {
    let backend = Arc::new(MemoryBackend::new());
    init(backend.clone());
    let clock = TestClock::new();
    let open = |clock: &Arc<TestClock>| {
        let credential = Credential::password(PASSWORD);
        Repository::open(backend.clone(), clock.clone(), &credential).unwrap()
    };
    let context = Context::default();
    // What a killed process leaves behind.
    std::mem::forget(open(&clock).into_indexed(&context).unwrap());
    clock.advance(29 * 60);
    assert_eq!(
        open(&clock).forget(&[]).unwrap_err().kind(),
        ErrorKind::Locked
    );
    assert_eq!(open(&clock).unlock(false).unwrap(), 0);
    clock.advance(2 * 60);
    open(&clock).forget(&[]).unwrap();
    assert_eq!(backend.list(FileKind::Lock).unwrap().len(), 0);
}

#[test]
fn a_backup_whose_lock_has_gone_stale_writes_no_snapshot() {
    let backend = Arc::new(MemoryBackend::new());
    init(backend.clone());
    let clock = TestClock::new();
    let credential = Credential::password(PASSWORD);
    let repository = Repository::open(backend, clock.clone(), &credential).unwrap();
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    clock.advance(31 * 60);
    indexed
        .backup(made_up(&[("a", b"b")]), &options(), &context)
        .unwrap_err();
    assert_eq!(repository.snapshots().unwrap().snapshots, []);
}

#[test]
fn prune_keeps_what_is_used_and_frees_the_rest_within_its_tolerance() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let (shared, old) = (noise(500_000, 1), noise(400_000, 2));
    let first = back_up(&repository, &[("old", &old), ("shared", &shared)]);
    let second = back_up(&repository, &[("shared", &shared)]);
    let context = Context::default();
    let plan = |tolerance| {
        repository
            .plan_prune(
                &PruneOptions {
                    tolerance,
                    grace: None,
                },
                &context,
            )
            .unwrap()
    };
    assert!(plan(Tolerance::Bytes(0)).is_empty(), "everything is used");

    repository.forget(&[first.snapshot_id]).unwrap();
    let lazy = plan(Tolerance::Unlimited);
    // The tree pack of the first snapshot has no use at all; the data pack has some.
    assert_eq!((lazy.packs_to_remove(), lazy.packs_to_repack()), (1, 0));
    assert!(lazy.bytes_unused_kept >= 400_000);
    drop(lazy);
    let report = plan(Tolerance::Percent(5.0)).execute(&context).unwrap();
    assert_eq!((report.packs_removed, report.packs_repacked), (2, 1));
    assert!(
        (400_000..420_000).contains(&report.bytes_freed),
        "{report:?}"
    );
    let report = repository
        .check(&CheckOptions::default(), &context)
        .unwrap();
    assert!(
        report.is_ok() && report.unreferenced_packs.is_empty(),
        "{report:?}"
    );
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let mut content = Vec::new();
    indexed
        .reader(&second.snapshot)
        .dump(&path("shared"), &mut content, &context)
        .unwrap();
    assert!(content == shared);
}

#[test]
fn prune_removes_packs_that_no_index_names() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    back_up(&repository, &[("a", b"b")]);
    let orphan = strongroom_engine::Id::of(b"orphan");
    backend
        .put(Handle::new(FileKind::Pack, orphan), "orphan".into())
        .unwrap();
    let context = Context::default();
    let report = repository
        .check(&CheckOptions::default(), &context)
        .unwrap();
    assert_eq!(
        (report.is_ok(), report.unreferenced_packs),
        (true, vec![orphan])
    );
    let plan = repository
        .plan_prune(&PruneOptions::default(), &context)
        .unwrap();
    assert_eq!(plan.execute(&context).unwrap().packs_removed, 1);
    let report = repository
        .check(&CheckOptions::default(), &context)
        .unwrap();
    assert!(report.is_ok() && report.unreferenced_packs.is_empty());
}

#[test]
fn prune_refuses_when_something_needed_is_missing() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    back_up(&repository, &[("a", b"b")]);
    for pack in backend.list(FileKind::Pack).unwrap() {
        let copy = Arc::new(backend.snapshot());
        copy.delete(Handle::new(FileKind::Pack, pack.id)).unwrap();
        let plan = open(copy).plan_prune(&PruneOptions::default(), &Context::default());
        assert_eq!(plan.unwrap_err().kind(), ErrorKind::Damaged);
    }
}

#[test]
fn stats_count_what_is_there() {
    let repository = init(Arc::new(MemoryBackend::new()));
    back_up(&repository, &[("a", &noise(100_000, 5))]);
    let stats = repository.stats().unwrap();
    assert_eq!((stats.snapshots, stats.packs), (1, 2));
    assert!((100_000..110_000).contains(&stats.bytes), "{stats:?}");
}
