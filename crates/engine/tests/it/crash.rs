//! The power fails at every single write.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use strongroom_domain::tree::Context;
use strongroom_engine::{
    Backend, BackupOptions, CheckOptions, Error, MemoryBackend, PruneOptions, ReadData, Repository,
    Snapshot, Tolerance,
};

use crate::support::*;

/// Storage on which after `writes` writes nothing can be written or deleted any more.
fn dying(inner: Arc<MemoryBackend>, writes: usize) -> Arc<FaultyBackend> {
    let left = AtomicUsize::new(writes);
    FaultyBackend::new(inner, move |operation, _| {
        let alive = |left: usize| left.checked_sub(1);
        if operation != "get"
            && left
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, alive)
                .is_err()
        {
            return Err(io::Error::other("the power has failed"));
        }
        Ok(())
    })
}

fn back_up(repository: Repository, seed: u64) -> Result<Snapshot, Error> {
    let context = Context::default();
    let data = noise(2 << 20, seed);
    let files: [(&str, &[u8]); 3] = [
        ("dir/noise", &data),
        ("dir/text", b"text"),
        ("z", &data[..9]),
    ];
    let options = BackupOptions {
        parent: strongroom_engine::Parent::None,
        ..options()
    };
    Ok(repository
        .into_indexed(&context)?
        .backup(made_up(&files), &options, &context)?
        .snapshot)
}

/// The repository is sound and these snapshots have all their content.
fn assert_sound(backend: &Arc<MemoryBackend>, snapshots: &[(&Snapshot, u64)], when: &str) {
    let repository = open(backend.clone());
    repository.unlock(true).unwrap();
    let context = Context::default();
    let options = CheckOptions {
        read_data: ReadData::All,
    };
    let report = repository.check(&options, &context).unwrap();
    assert!(report.is_ok(), "{when}: {:?}", report.errors);
    let indexed = repository.into_indexed(&context).unwrap();
    for (snapshot, seed) in snapshots {
        let mut content = Vec::new();
        let reader = indexed.reader(snapshot);
        reader
            .dump(&path("dir/noise"), &mut content, &context)
            .unwrap();
        assert!(content == noise(2 << 20, *seed), "{when}");
    }
}

#[test]
fn a_backup_cut_at_any_write_leaves_everything_before_and_can_be_repeated() {
    let start = Arc::new(MemoryBackend::new());
    let first = back_up(init(start.clone()), 1).unwrap();
    let counted = dying(Arc::new(start.snapshot()), usize::MAX);
    back_up(open(counted.clone()), 2).unwrap();
    // Without the last one, which removes the lock.
    let writes = counted.writes.load(Ordering::Relaxed) - 1;
    assert!(
        writes >= 5,
        "{writes} writes: lock, two packs, index, snapshot"
    );

    for cut in 0..writes {
        let backend = Arc::new(start.snapshot());
        let when = format!("cut after {cut} writes");
        back_up(open(dying(backend.clone(), cut)), 2).expect_err(&when);
        assert_sound(&backend, &[(&first, 1)], &when);
        assert_eq!(
            open(backend.clone()).snapshots().unwrap().snapshots.len(),
            1,
            "{when}"
        );
        let second = back_up(open(backend.clone()), 2).unwrap();
        assert_sound(&backend, &[(&first, 1), (&second, 2)], &when);
    }
}

#[test]
fn a_prune_cut_at_any_write_loses_nothing_and_can_be_repeated() {
    let start = Arc::new(MemoryBackend::new());
    let first = back_up(init(start.clone()), 1).unwrap();
    let second = back_up(open(start.clone()), 2).unwrap();
    // Make a pack that is partly used: its blobs of the third snapshot go, "dir/text" stays.
    let third = back_up(open(start.clone()), 3).unwrap();
    open(start.clone()).forget(&[first.id]).unwrap();
    let prune = |backend: Arc<dyn Backend>| {
        let context = Context::default();
        let options = PruneOptions {
            tolerance: Tolerance::Bytes(0),
            grace: None,
        };
        open(backend)
            .plan_prune(&options, &context)?
            .execute(&context)
    };
    let counted = dying(Arc::new(start.snapshot()), usize::MAX);
    let report = prune(counted.clone()).unwrap();
    assert!(
        report.packs_repacked > 0 && report.packs_removed > report.packs_repacked,
        "{report:?}"
    );
    let writes = counted.writes.load(Ordering::Relaxed) - 1;
    assert!(writes >= 8, "{writes}");

    for cut in 0..writes {
        let backend = Arc::new(start.snapshot());
        let when = format!("cut after {cut} writes");
        prune(dying(backend.clone(), cut)).expect_err(&when);
        assert_sound(&backend, &[(&second, 2), (&third, 3)], &when);
        prune(backend.clone()).unwrap();
        assert_sound(&backend, &[(&second, 2), (&third, 3)], &when);
        let left = open(backend)
            .plan_prune(&PruneOptions::default(), &Context::default())
            .unwrap();
        assert!(left.is_empty(), "{when}: {left:?}");
    }
}
