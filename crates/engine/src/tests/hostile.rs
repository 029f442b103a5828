//! Snapshots made to exhaust whoever reads them: all work on them ends, or can be ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;
use rstest::rstest;
use strongroom_domain::tree::{Cancel, Context, EntryPath, Limits, Patterns, RestoreOptions};
use tempfile::TempDir;

use crate::backend::{Backend, FileKind, Handle, Listed, MemoryBackend};
use crate::check::{CheckOptions, ReadData};
use crate::error::{Error, ErrorKind, Result};
use crate::format::snapshot::Snapshot;
use crate::format::tree::{self, Tree};
use crate::id::Id;
use crate::prune::PruneOptions;
use crate::repair::SnapshotRepair;
use crate::repository::IndexedRepository;
use crate::stream::{StreamOptions, TarSink};
use crate::tests::crafted::{CONTENT, craft, craft_in, directory, file};
use crate::trees::{MAX_DEPTH, MAX_REPEATS, Repeats};

/// A file below so many directories.
fn chain(levels: usize) -> impl Iterator<Item = Vec<u8>> {
    let leaf = tree::print(&[file(b"f")]);
    let above = |below: &Vec<u8>| Some(tree::print(&[directory(b"d", Id::of(below))]));
    std::iter::successors(Some(leaf), above).take(levels + 1)
}

/// Trees that each name the one before twice: so many are 2^levels paths.
fn doubling(levels: usize) -> impl Iterator<Item = Vec<u8>> {
    let leaf = tree::print(&[file(b"f")]);
    let above = |below: &Vec<u8>| {
        let below = Id::of(below);
        Some(tree::print(&[
            directory(b"a", below),
            directory(b"b", below),
        ]))
    };
    std::iter::successors(Some(leaf), above).take(levels + 1)
}

/// Restores nothing, but plans everything.
fn nothing() -> RestoreOptions {
    RestoreOptions {
        include: Patterns::new(["no such name"]).unwrap(),
        ..RestoreOptions::default()
    }
}

/// So deep that recursion of any kind would not fit on the stack of a thread.
const LEVELS: usize = 20_000;

#[test]
fn directories_that_are_too_deep_are_named_by_all_work_and_nothing_overflows() {
    let (repository, snapshot) = craft(chain(LEVELS));
    let context = Context::default();
    let too_deep = format!("it is {} levels deep", MAX_DEPTH + 1);
    let reader = repository.reader(&snapshot);
    let target = TempDir::new().unwrap();
    let restored = reader.restore(target.path(), &nothing(), &context).unwrap();
    assert_eq!(restored.failures.len(), 1);
    assert!(restored.failures[0].message.contains(&too_deep));

    let mut walk = reader.walk(&EntryPath::root()).unwrap();
    assert_eq!(
        walk.by_ref().take_while(Result::is_ok).count(),
        MAX_DEPTH + 1
    );
    assert!(walk.next().is_none());

    let mut sink = TarSink::new(io::sink());
    let streamed = reader.stream(&StreamOptions::default(), &mut sink, &context);
    let streamed = streamed.unwrap();
    assert_eq!(streamed.failures.len(), 1);
    assert!(streamed.failures[0].message.contains(&too_deep));

    let verified = repository.verify_snapshot(snapshot.id, None, 1.0, &context);
    let problems = verified.unwrap().problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().contains(&too_deep));

    let empty = Snapshot {
        tree: Id::of(&chain(0).next().unwrap()),
        ..snapshot.clone()
    };
    let differs = repository.diff(&empty, &snapshot, &context, |_| Ok(()));
    assert_eq!(differs.unwrap_err().kind(), ErrorKind::Damaged);

    // These need no paths: they look at each directory once, however deep.
    let options = CheckOptions::default();
    let report = repository.repository().check(&options, &context).unwrap();
    assert_eq!((report.trees, report.errors.len()), (LEVELS as u64 + 1, 0));
    let plain = repository.repository().clone();
    drop((walk, reader, repository));
    let plan = plain.plan_prune(&PruneOptions::default(), &context);
    assert!(plan.unwrap().is_empty());
    let repaired = plain.repair_snapshots(&[], SnapshotRepair::default(), &context);
    assert_eq!(repaired.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn directories_are_made_and_dropped_without_recursion() {
    const DEPTH: usize = 300;
    let (repository, snapshot) = craft(chain(DEPTH));
    let options = RestoreOptions {
        include: Patterns::new(["f"]).unwrap(),
        ..RestoreOptions::default()
    };
    let target = TempDir::new().unwrap();
    let context = Context {
        limits: Limits {
            threads: 1,
            ..Limits::default()
        },
        ..Context::default()
    };
    let at = target.path().to_owned();
    let restore = move || {
        repository
            .reader(&snapshot)
            .restore(&at, &options, &context)
    };
    // A call for each level would not fit.
    let small = thread::Builder::new().stack_size(128 << 10);
    let report = small.spawn(restore).unwrap().join().unwrap().unwrap();
    assert_eq!(report.failures, []);
    let deep = target.path().join("d/".repeat(DEPTH)).join("f");
    assert_eq!(std::fs::read(deep).unwrap(), CONTENT);
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Restore,
    Stream,
    Verify,
    Diff,
}

fn carry_out(
    work: Work,
    repository: &IndexedRepository,
    snapshot: &Snapshot,
    context: &Context,
) -> Result<()> {
    let reader = repository.reader(snapshot);
    match work {
        Work::Restore => {
            let target = TempDir::new().unwrap();
            reader.restore(target.path(), &nothing(), context).map(drop)
        }
        Work::Stream => {
            let sink = &mut TarSink::new(io::sink());
            let options = StreamOptions::default();
            reader.stream(&options, sink, context).map(drop)
        }
        Work::Verify => {
            let verified = repository.verify_snapshot(snapshot.id, None, 0.0, context);
            verified.map(drop)
        }
        Work::Diff => {
            let leaf = Snapshot {
                tree: Id::of(&doubling(0).next().unwrap()),
                ..snapshot.clone()
            };
            let each = |_| Ok(());
            repository.diff(&leaf, snapshot, context, each).map(drop)
        }
    }
}

#[rstest]
fn work_on_more_paths_than_anybody_can_count_can_be_cancelled(
    #[values(Work::Restore, Work::Stream, Work::Verify, Work::Diff)] work: Work,
) {
    let storage = Arc::new(Counting::default());
    let (repository, snapshot) = craft_in(storage.clone(), doubling(40));
    let context = Context::default();
    *storage.cancel.lock().unwrap() = Some(context.cancel.clone());
    let error = carry_out(work, &repository, &snapshot, &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{}", error.chain());
    let after = storage.after.load(Ordering::Relaxed);
    // A comparison reads two at a time.
    assert!(after <= context.limits.threads.max(2), "{after} reads");
}

#[test]
fn work_that_needs_no_paths_looks_at_each_directory_once() {
    let (repository, _) = craft(doubling(40));
    let context = Context::default();
    let read_data = ReadData::All;
    let plain = repository.repository().clone();
    let report = plain.check(&CheckOptions { read_data }, &context).unwrap();
    assert_eq!((report.trees, report.errors.len()), (41, 0));
    drop(repository);
    let plan = plain.plan_prune(&PruneOptions::default(), &context);
    assert!(plan.unwrap().is_empty());
    let repaired = plain.repair_snapshots(&[], SnapshotRepair::default(), &context);
    assert_eq!(repaired.unwrap(), []);
}

#[test]
fn a_plan_with_directories_that_occur_again_and_again_ends() {
    let below = Id::of(b"below");
    let json = tree::print(&[directory(b"a", below), directory(b"b", below)]);
    let tree = Tree::parse(&json).unwrap();
    let leaf = Tree::parse(&tree::print(&[file(b"f")])).unwrap();
    let mut repeats = Repeats::default();
    for _ in 0..=MAX_REPEATS {
        repeats.count(Id::of(b"leaf"), &leaf).unwrap();
        repeats.count(Id::of(b"tree"), &tree).unwrap();
    }
    let error = repeats.count(Id::of(b"tree"), &tree).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    repeats.count(Id::of(b"leaf"), &leaf).unwrap();
    repeats.count(Id::of(b"other"), &tree).unwrap();
}

/// A file that is said to be so much longer than what is stored of it.
fn longer(by: u64) -> (IndexedRepository, Snapshot) {
    let mut short = file(b"short");
    short.metadata.size += by;
    craft([tree::print(&[short])])
}

#[test]
fn a_file_of_which_not_everything_is_stored_is_not_dumped_with_success() {
    let (repository, snapshot) = longer(1);
    let mut content = Vec::new();
    let path = EntryPath::try_from("short").unwrap();
    let reader = repository.reader(&snapshot);
    let dumped = reader.dump(&path, &mut content, &Context::default());
    let error = dumped.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(
        error.to_string().contains("1 bytes at the end of `short`"),
        "{error}"
    );
    assert_eq!(content, CONTENT);
}

#[test]
fn a_file_ends_in_an_archive_where_nothing_more_is_stored() {
    let (repository, snapshot) = longer(1 << 63);
    let mut sink = TarSink::new(Vec::new());
    let reader = repository.reader(&snapshot);
    let context = Context::default();
    let report = reader.stream(&StreamOptions::default(), &mut sink, &context);
    let report = report.unwrap();
    assert_eq!(
        (report.bytes, report.failures.len()),
        (CONTENT.len() as u64, 1)
    );
    let message = &report.failures[0].message;
    assert_eq!(
        message,
        "9223372036854775808 bytes at its end are not stored"
    );
    // A header, a block of content, two empty blocks.
    assert_eq!(sink.into_inner().len(), 4 * 512);
}

/// Cancels a job at its hundredth read, and counts the reads after that.
#[derive(Debug, Default)]
struct Counting {
    inner: MemoryBackend,
    cancel: std::sync::Mutex<Option<Cancel>>,
    reads: AtomicUsize,
    after: AtomicUsize,
}

impl Backend for Counting {
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
        if let Some(cancel) = &*self.cancel.lock().unwrap() {
            if cancel.is_cancelled() {
                self.after.fetch_add(1, Ordering::Relaxed);
            } else if self.reads.fetch_add(1, Ordering::Relaxed) == 99 {
                cancel.cancel();
            }
        }
        self.inner.get_range(handle, offset, length)
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
