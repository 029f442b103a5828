//! Long work stops soon after it is asked to: no thread begins another pack, and nobody goes on
//! waiting for storage.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use strongroom_domain::tree::{Cancel, Context, RestoreOptions};
use strongroom_engine::backend::{FileKind, Handle, Listed, RetryBackend, RetryPolicy};
use strongroom_engine::{
    Backend, CheckOptions, Error, ErrorKind, Id, MemoryBackend, PruneOptions, ReadData, Repository,
    Snapshot, SnapshotRepair, StreamOptions, TarSink, Tolerance,
};
use tempfile::TempDir;

use crate::support::*;

#[derive(Debug, Clone, Copy)]
enum Work {
    Restore,
    Check,
    Verify,
    Prune,
    Copy,
    Stream,
    RepairIndex,
    RepairPacks,
}

fn carry_out(
    work: Work,
    repository: &Repository,
    snapshot: &Snapshot,
    packs: &[Id],
    context: &Context,
) -> Result<(), Error> {
    let unaware = Context::default();
    let indexed = || repository.clone().into_indexed(&unaware);
    match work {
        Work::Restore => {
            let target = TempDir::new().unwrap();
            let options = RestoreOptions::default();
            let reader = indexed()?.reader(snapshot);
            reader.restore(target.path(), &options, context).map(drop)
        }
        Work::Check => {
            let read_data = ReadData::All;
            let report = repository.check(&CheckOptions { read_data }, context);
            report.map(drop)
        }
        Work::Verify => indexed()?
            .verify_snapshot(snapshot.id, None, 1.0, context)
            .map(drop),
        Work::Prune => {
            let options = PruneOptions {
                tolerance: Tolerance::Bytes(0),
                grace: None,
            };
            let plan = repository.plan_prune(&options, context)?;
            plan.execute(context).map(drop)
        }
        Work::Copy => {
            let other = init(Arc::new(MemoryBackend::new())).into_indexed(&unaware)?;
            indexed()?.copy(snapshot, &other, context).map(drop)
        }
        Work::Stream => {
            let reader = indexed()?.reader(snapshot);
            let sink = &mut TarSink::new(io::sink());
            reader
                .stream(&StreamOptions::default(), sink, context)
                .map(drop)
        }
        Work::RepairIndex => repository.repair_index(true, context).map(drop),
        Work::RepairPacks => repository.repair_packs(packs, context).map(drop),
    }
}

#[rstest]
fn work_that_is_cancelled_reads_no_further(
    #[values(
        Work::Restore,
        Work::Check,
        Work::Verify,
        Work::Prune,
        Work::Copy,
        Work::Stream,
        Work::RepairIndex,
        Work::RepairPacks
    )]
    work: Work,
) {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let context = Context::default();
    let data: Vec<Vec<u8>> = (0..12).map(|seed| noise(6 << 20, seed)).collect();
    let names: Vec<String> = (0..12).map(|number| format!("{number:02}")).collect();
    let files = |from: usize| -> Vec<(&str, &[u8])> {
        let all = names.iter().zip(&data).skip(from);
        all.map(|(name, data)| (&name[..], &data[..])).collect()
    };
    let back_up = |files: &[(&str, &[u8])]| {
        let indexed = repository.clone().into_indexed(&context).unwrap();
        indexed
            .backup(made_up(files), &options(), &context)
            .unwrap()
            .snapshot
    };
    let first = back_up(&files(0));
    // Every pack but the last few has something that the second does not need.
    let second = back_up(&files(1));
    if matches!(work, Work::Prune) {
        repository.forget(&[first.id]).unwrap();
    }

    let packs = backend.list(FileKind::Pack).unwrap();
    let packs: Vec<Id> = packs.into_iter().map(|pack| pack.id).collect();
    let cancel = Cancel::new();
    let (reads, after) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (asked, counted) = (cancel.clone(), Arc::clone(&after));
    let watched = FaultyBackend::new(backend, move |operation, handle| {
        if operation == "get" && handle.kind() == FileKind::Pack {
            if asked.is_cancelled() {
                counted.fetch_add(1, Ordering::Relaxed);
            } else if reads.fetch_add(1, Ordering::Relaxed) == 1 {
                asked.cancel();
            }
        }
        Ok(())
    });
    let context = Context {
        cancel,
        ..Context::default()
    };
    let error = carry_out(work, &open(watched), &second, &packs, &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{}", error.chain());
    // Each thread may have been about to read one.
    let after = after.load(Ordering::Relaxed);
    assert!(after <= context.limits.threads, "{after} reads");
}

/// Storage that lists none of these files, and cancels a job that tries.
#[derive(Debug)]
struct NoList {
    inner: Arc<MemoryBackend>,
    kind: FileKind,
    cancel: Cancel,
    tried: AtomicUsize,
}

impl Backend for NoList {
    fn url(&self) -> String {
        self.inner.url()
    }

    fn create(&self) -> io::Result<()> {
        self.inner.create()
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.inner.put(handle, data)
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.inner.get(handle)
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.inner.get_range(handle, offset, length)
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        if kind == self.kind {
            self.tried.fetch_add(1, Ordering::Relaxed);
            self.cancel.cancel();
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        self.inner.list(kind)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.inner.delete(handle)
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.inner.exists(handle)
    }
}

type Job = fn(&Repository, &Context) -> Result<(), Error>;

#[rstest]
#[case::prune(FileKind::Pack, |repository: &Repository, context: &Context| {
    repository.plan_prune(&PruneOptions::default(), context).map(drop)
})]
#[case::check(FileKind::Pack, |repository: &Repository, context: &Context| {
    repository.check(&CheckOptions::default(), context).map(drop)
})]
#[case::repair_index(FileKind::Pack, |repository: &Repository, context: &Context| {
    repository.repair_index(false, context).map(drop)
})]
#[case::repair_packs(FileKind::Index, |repository: &Repository, context: &Context| {
    repository.repair_packs(&[], context).map(drop)
})]
#[case::repair_snapshots(FileKind::Snapshot, |repository: &Repository, context: &Context| {
    let options = SnapshotRepair::default();
    repository.repair_snapshots(&[], options, context).map(drop)
})]
#[case::backup(FileKind::Snapshot, |repository: &Repository, context: &Context| {
    let indexed = repository.clone().into_indexed(context)?;
    indexed.backup(made_up(&[("a", b"a")]), &options(), context).map(drop)
})]
fn work_that_is_cancelled_does_not_ask_storage_again(#[case] kind: FileKind, #[case] job: Job) {
    let inner = Arc::new(MemoryBackend::new());
    init(inner.clone());
    let cancel = Cancel::new();
    let storage = Arc::new(NoList {
        inner,
        kind,
        cancel: cancel.clone(),
        tried: AtomicUsize::new(0),
    });
    let patience = RetryPolicy {
        attempts: 5,
        first_attempts: 5,
        pause: Duration::ZERO,
        ..RetryPolicy::default()
    };
    let repository = open(Arc::new(RetryBackend::new(storage.clone(), patience)));
    let context = Context {
        cancel,
        ..Context::default()
    };
    let error = job(&repository, &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{}", error.chain());
    assert_eq!(storage.tried.load(Ordering::Relaxed), 1);
}

#[test]
fn a_check_that_is_cancelled_decodes_no_further() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    // Many packs that one thread reads together, with a few blobs each.
    let data: Vec<Vec<u8>> = (0..40).map(|seed| noise(600_000, seed)).collect();
    for (seed, data) in data.iter().enumerate() {
        let name = format!("{seed:02}");
        crate::small::back_up(&repository, &[(&name, data)]);
    }
    let cancel = Cancel::new();
    let asked = cancel.clone();
    let proven = Arc::new(AtomicUsize::new(0));
    let watched = FaultyBackend::new(backend, move |_, _| Ok(()));
    let context = Context {
        cancel,
        progress: Arc::new(CancelAtFirst(asked, Arc::clone(&proven))),
        limits: strongroom_domain::tree::Limits {
            threads: 1,
            ..Default::default()
        },
    };
    let read_data = ReadData::All;
    let checked = open(watched).check(&CheckOptions { read_data }, &context);
    assert_eq!(checked.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(proven.load(Ordering::Relaxed), 1, "packs");
}

/// Cancels when the first pack was read, and counts them.
struct CancelAtFirst(Cancel, Arc<AtomicUsize>);

impl strongroom_domain::tree::Progress for CancelAtFirst {
    fn add(&self, bytes: u64, _entries: u64) {
        if bytes > 0 {
            self.0.cancel();
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
}
