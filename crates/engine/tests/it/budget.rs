//! A job keeps to its memory for data in flight, however many threads it may use.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;
use rstest::rstest;
use strongroom_domain::tree::{Context, Limits, RestoreOptions};
use strongroom_engine::backend::{FileKind, Handle, Listed};
use strongroom_engine::{
    Backend, CheckOptions, MemoryBackend, PruneOptions, ReadData, Repository, Snapshot, Tolerance,
};
use tempfile::TempDir;

use crate::small::*;
use crate::support::*;

/// Counts the bytes of packs that are being read at the same time. A read takes long enough for
/// others to begin.
#[derive(Debug)]
struct Watched {
    inner: Arc<MemoryBackend>,
    in_flight: AtomicU64,
    most: AtomicU64,
    reads: AtomicUsize,
}

impl Watched {
    fn count(&self, handle: Handle, read: io::Result<Bytes>) -> io::Result<Bytes> {
        let length = read.as_ref().map_or(0, |data| data.len() as u64);
        if handle.kind() == FileKind::Pack {
            let now = self.in_flight.fetch_add(length, Ordering::AcqRel) + length;
            self.most.fetch_max(now, Ordering::AcqRel);
            self.reads.fetch_add(1, Ordering::Relaxed);
            for _ in 0..2_000 {
                thread::yield_now();
            }
            self.in_flight.fetch_sub(length, Ordering::AcqRel);
        }
        read
    }
}

impl Backend for Watched {
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
        self.count(handle, self.inner.get(handle))
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.count(handle, self.inner.get_range(handle, offset, length))
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        self.inner.list(kind)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.inner.delete(handle)
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.inner.exists(handle)
    }
}

type Job = fn(&Repository, &Snapshot, &Context);

#[rstest]
#[case::restore(|repository: &Repository, snapshot: &Snapshot, context: &Context| {
    let target = TempDir::new().unwrap();
    let reader = repository.clone().into_indexed(context).unwrap().reader(snapshot);
    let report = reader.restore(target.path(), &RestoreOptions::default(), context);
    assert_eq!(report.unwrap().failures, []);
})]
#[case::check(|repository: &Repository, _: &Snapshot, context: &Context| {
    let read_data = ReadData::All;
    let report = repository.check(&CheckOptions { read_data }, context);
    assert!(report.unwrap().is_ok());
})]
#[case::verify(|repository: &Repository, snapshot: &Snapshot, context: &Context| {
    let indexed = repository.clone().into_indexed(context).unwrap();
    let found = indexed.verify_snapshot(snapshot.id, None, 1.0, context);
    assert!(found.unwrap().problems.is_empty());
})]
#[case::copy(|repository: &Repository, snapshot: &Snapshot, context: &Context| {
    let other = init(Arc::new(MemoryBackend::new())).into_indexed(context).unwrap();
    let indexed = repository.clone().into_indexed(context).unwrap();
    indexed.copy(snapshot, &other, context).unwrap();
})]
#[case::prune(|repository: &Repository, _: &Snapshot, context: &Context| {
    let options = PruneOptions {
        tolerance: Tolerance::Bytes(0),
        grace: None,
    };
    let plan = repository.plan_prune(&options, context).unwrap();
    assert!(plan.packs_to_repack() >= 8);
    plan.execute(context).unwrap();
})]
fn bytes_in_flight_stay_within_the_memory_with_many_threads(#[case] job: Job) {
    const MEMORY: u64 = 24 << 20;
    let inner = Arc::new(MemoryBackend::new());
    let repository = init(inner.clone());
    // Eight and more packs, of each of which something goes.
    let data: Vec<Vec<u8>> = (0..10).map(|seed| noise(6 << 20, seed)).collect();
    let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let mut second = Vec::new();
    for (name, data) in names.iter().zip(&data) {
        back_up(&repository, &[(name, data)]);
        second.push((&name[..], &data[..5 << 20]));
    }
    let snapshot = back_up(&repository, &second);
    let mut others = repository.snapshots().unwrap().snapshots;
    others.retain(|it| it.id != snapshot.id);
    let others: Vec<_> = others.iter().map(|it| it.id).collect();
    repository.forget(&others).unwrap();

    let watched = Arc::new(Watched {
        inner,
        in_flight: AtomicU64::new(0),
        most: AtomicU64::new(0),
        reads: AtomicUsize::new(0),
    });
    let context = Context {
        limits: Limits {
            threads: 8,
            memory_bytes: MEMORY,
        },
        ..Context::default()
    };
    job(&open(watched.clone()), &snapshot, &context);
    let most = watched.most.load(Ordering::Acquire);
    let reads = watched.reads.load(Ordering::Relaxed);
    assert!(
        reads >= 8 && most <= MEMORY,
        "{most} bytes in {reads} reads"
    );
}
