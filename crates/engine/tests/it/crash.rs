//! The power fails at every single write. Stock restic looks at what is left each time.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use rstest::rstest;
use strongroom_domain::tree::{Context, RestoreOptions};
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{
    Backend, BackupOptions, CheckOptions, Error, MemoryBackend, PruneOptions, ReadData, Repository,
    Snapshot, Tolerance,
};
use tempfile::TempDir;

use crate::support::*;

/// Storage on which after `writes` writes nothing can be written or deleted any more, and what was
/// to be written then.
fn dying(inner: Arc<MemoryBackend>, writes: usize) -> (Arc<FaultyBackend>, Arc<Mutex<Cut>>) {
    let left = AtomicUsize::new(writes);
    let cut = Arc::new(Mutex::new(None));
    let first = Arc::clone(&cut);
    let backend = FaultyBackend::new(inner, move |operation, handle| {
        let alive = |left: usize| left.checked_sub(1);
        if operation != "get"
            && left
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, alive)
                .is_err()
        {
            let is_put = operation == "put";
            first.lock().unwrap().get_or_insert((is_put, handle));
            return Err(io::Error::other("the power has failed"));
        }
        Ok(())
    });
    (backend, cut)
}

/// The first write that did not happen, and whether it was one of a file.
type Cut = Option<(bool, Handle)>;

/// Everything in storage, as a directory would have it, with half of what was being written.
fn write_out(backend: &MemoryBackend, cut: Cut, to: &Path) {
    let kinds = FileKind::ALL
        .into_iter()
        .filter(|kind| *kind != FileKind::Config);
    let files = kinds.flat_map(|kind| {
        fs::create_dir_all(to.join(kind.directory())).unwrap();
        let listed = backend.list(kind).unwrap();
        listed.into_iter().map(move |it| Handle::new(kind, it.id))
    });
    for handle in files.chain([Handle::CONFIG]) {
        let file = to.join(handle.path());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, backend.get(handle).unwrap()).unwrap();
    }
    if let Some((true, handle)) = cut {
        let half = to.join(format!("{}-tmp-1-0", handle.path()));
        fs::create_dir_all(half.parent().unwrap()).unwrap();
        fs::write(half, noise(1_000, 9)).unwrap();
    }
}

/// What is left each time, and who looked at it already.
#[derive(Default)]
struct Outcomes(BTreeSet<(Vec<Handle>, bool)>);

impl Outcomes {
    /// Lets stock restic check what is left, unless it has seen the same, and restores everything.
    fn examine(&mut self, left: &MemoryBackend, cut: Cut, kept: &[(&Snapshot, u64)], when: &str) {
        let kinds = [FileKind::Snapshot, FileKind::Index, FileKind::Pack];
        let files = kinds.iter().flat_map(|kind| {
            let listed = left.list(*kind).unwrap();
            listed.into_iter().map(|it| Handle::new(*kind, it.id))
        });
        let half = cut.is_some_and(|(is_put, _)| is_put);
        if !self.0.insert((files.collect(), half)) {
            return;
        }
        let work = TempDir::new().unwrap();
        let repo = work.path().join("repo");
        write_out(left, cut, &repo);
        // The lock of the dead is there too.
        let args = ["check", "--read-data", "--no-lock"];
        restic(&repo, work.path(), &args);
        let repository = open_local(&repo);
        repository.unlock(true).unwrap();
        let context = Context::default();
        let indexed = repository.into_indexed(&context).unwrap();
        for (snapshot, seed) in kept {
            let target = work.path().join(snapshot.id.to_hex());
            let reader = indexed.reader(snapshot);
            let restored = reader.restore(&target, &RestoreOptions::default(), &context);
            assert_eq!(restored.unwrap().failures, [], "{when}");
            for (name, content) in contents(*seed) {
                assert!(
                    fs::read(target.join(name)).unwrap() == content,
                    "{when}: {name}"
                );
            }
        }
    }
}

/// The files of a backup.
fn contents(seed: u64) -> [(&'static str, Vec<u8>); 3] {
    let data = noise(2 << 20, seed);
    let few = data[..9].to_vec();
    [
        ("dir/noise", data),
        ("dir/text", b"text".to_vec()),
        ("z", few),
    ]
}

fn back_up(repository: Repository, seed: u64) -> Result<Snapshot, Error> {
    let context = Context::default();
    let contents = contents(seed);
    let files = contents.each_ref().map(|(name, data)| (*name, &data[..]));
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
    let (counted, _) = dying(Arc::new(start.snapshot()), usize::MAX);
    back_up(open(counted.clone()), 2).unwrap();
    let writes = counted.writes.load(Ordering::Relaxed);
    assert!(
        writes >= 6,
        "{writes} writes: lock, two packs, index, snapshot, lock again"
    );

    let mut outcomes = Outcomes::default();
    for cut in 0..writes {
        let backend = Arc::new(start.snapshot());
        let when = format!("cut after {cut} writes");
        let (faulty, at) = dying(backend.clone(), cut);
        let second = back_up(open(faulty), 2);
        let at = *at.lock().unwrap();
        assert_sound(&backend, &[(&first, 1)], &when);
        // Only the removal of the lock comes after the snapshot.
        assert_eq!(second.is_ok(), cut == writes - 1, "{when}");
        let kept = [(&first, 1)].into_iter();
        let kept: Vec<_> = kept.chain(second.iter().map(|it| (it, 2))).collect();
        outcomes.examine(&backend, at, &kept, &when);
        assert_eq!(
            open(backend.clone()).snapshots().unwrap().snapshots.len(),
            kept.len(),
            "{when}"
        );
        let again = back_up(open(backend.clone()), 2).unwrap();
        assert_sound(&backend, &[(&first, 1), (&again, 2)], &when);
    }
}

#[rstest]
fn a_prune_cut_at_any_write_loses_nothing_and_can_be_repeated(
    #[values(None, Some(SignedDuration::ZERO))] grace: Option<SignedDuration>,
) {
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
            grace,
        };
        open(backend)
            .plan_prune(&options, &context)?
            .execute(&context)
    };
    if grace.is_some() {
        // So that some packs are marked already, and are deleted by the one that is cut.
        let backend = start.clone();
        prune(backend).unwrap();
    }
    let (counted, _) = dying(Arc::new(start.snapshot()), usize::MAX);
    let report = prune(counted.clone()).unwrap();
    assert!(report.packs_removed > 0, "{report:?}");
    let writes = counted.writes.load(Ordering::Relaxed);
    if grace.is_none() {
        let both = report.packs_repacked > 0 && report.packs_removed > report.packs_repacked;
        assert!(both && writes >= 9, "{writes}: {report:?}");
    }

    let mut outcomes = Outcomes::default();
    for cut in 0..writes {
        let backend = Arc::new(start.snapshot());
        let when = format!("cut after {cut} writes");
        let (faulty, at) = dying(backend.clone(), cut);
        let pruned = prune(faulty);
        let at = *at.lock().unwrap();
        assert_eq!(pruned.is_ok(), cut == writes - 1, "{when}");
        let kept = [(&second, 2), (&third, 3)];
        assert_sound(&backend, &kept, &when);
        outcomes.examine(&backend, at, &kept, &when);
        prune(backend.clone()).unwrap();
        assert_sound(&backend, &kept, &when);
        if grace.is_none() {
            let left = open(backend)
                .plan_prune(&PruneOptions::default(), &Context::default())
                .unwrap();
            assert!(left.is_empty(), "{when}: {left:?}");
        }
    }
}
