//! Backups: what is read, what is reported, and what happens when something fails.

use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use jiff::Timestamp;
use strongroom_domain::tree::{
    Cancel, Content, Context, Entry, EntryError, EntryFailure, EntryKind, EntryStream, Limits,
    Metadata, Phase, Progress,
};
use strongroom_engine::backend::FileKind;
use strongroom_engine::{
    Backend, BackupOptions, BackupOutcome, CheckOptions, Chunker, Credential, Error, ErrorKind,
    Expected, InitOptions, KdfCost, MemoryBackend, Parent, Repository,
};
use tempfile::TempDir;

use crate::support::*;

fn back_up(
    repository: &Repository,
    entries: Box<dyn EntryStream>,
    options: &BackupOptions,
) -> Result<BackupOutcome, Error> {
    let context = Context::default();
    repository
        .clone()
        .into_indexed(&context)?
        .backup(entries, options, &context)
}

fn dump(repository: &Repository, outcome: &BackupOutcome, name: &str) -> Vec<u8> {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let mut out = Vec::new();
    indexed
        .reader(&outcome.snapshot)
        .dump(&path(name), &mut out, &context)
        .unwrap();
    out
}

fn memory() -> (Arc<MemoryBackend>, Repository) {
    let backend = Arc::new(MemoryBackend::new());
    (Arc::clone(&backend), init(backend))
}

fn file(
    name: &str,
    open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
) -> Entry {
    let metadata = Metadata::synthetic(EntryKind::File, 0o644, Timestamp::UNIX_EPOCH);
    Entry::file(path(name), metadata, Content::from_opener(open))
}

/// Gives some bytes, then fails.
struct Breaking(usize);

impl Read for Breaking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("pg_dump exited with 1"));
        }
        let length = buffer.len().min(self.0);
        buffer[..length].fill(b'x');
        self.0 -= length;
        Ok(length)
    }
}

#[test]
fn an_unchanged_file_is_not_read_again_and_a_stream_always_is() {
    let (_, repository) = memory();
    let opened = Arc::new(AtomicUsize::new(0));
    let entries = || {
        let counting = |name: &str| {
            let opened = Arc::clone(&opened);
            file(name, move || {
                opened.fetch_add(1, Ordering::Relaxed);
                Ok(Box::new(io::Cursor::new(b"content".to_vec())))
            })
        };
        let (mut plain, mut stream) = (counting("file"), counting("stream"));
        plain.metadata.size = 7;
        stream.metadata.size = 7;
        stream.comparable = false;
        Box::new(vec![Ok(plain), Ok(stream)].into_iter())
    };
    back_up(&repository, entries(), &options()).unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    let second = back_up(&repository, entries(), &options()).unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 3);
    assert_eq!(
        (
            second.summary.files_unmodified,
            second.summary.files_changed
        ),
        (1, 1)
    );
    assert!(second.snapshot.parent.is_some());
    assert_eq!(dump(&repository, &second, "file"), b"content");
    let unrelated = BackupOptions {
        parent: Parent::None,
        ..options()
    };
    back_up(&repository, entries(), &unrelated).unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 5);
}

#[test]
fn a_changed_file_is_read() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    fs::create_dir_all(source.join("dir")).unwrap();
    fs::write(source.join("dir/a"), "one").unwrap();
    fs::write(source.join("same"), "same").unwrap();
    let repository = init_local(&repo);
    back_up_directory(&repository, &source, &options());
    fs::write(source.join("dir/a"), "two").unwrap();
    fs::write(source.join("dir/b"), "new").unwrap();
    let second = back_up_directory(&repository, &source, &options());
    let summary = second.summary;
    assert_eq!(
        (
            summary.files_new,
            summary.files_changed,
            summary.files_unmodified,
            summary.dirs_changed
        ),
        (1, 1, 1, 1)
    );
    assert_eq!(dump(&repository, &second, "dir/a"), b"two");
}

fn with_failures() -> Box<dyn EntryStream> {
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let entries: Vec<Result<Entry, EntryError>> = vec![
        Ok(file("a fine", || Ok(Box::new(&b"fine"[..])))),
        Err(EntryError::new(path("b unreadable"), Phase::List, denied)),
        Ok(file("c vanished", || Err(io::ErrorKind::NotFound.into()))),
        Ok(file("d breaks early", || Ok(Box::new(Breaking(100))))),
        Ok(file("e breaks late", || Ok(Box::new(Breaking(9 << 20))))),
        Ok(file("f fine", || Ok(Box::new(&b"fine too"[..])))),
    ];
    Box::new(entries.into_iter())
}

#[test]
fn failed_entries_are_named_and_the_rest_is_in_the_snapshot() {
    let (_, repository) = memory();
    let outcome = back_up(&repository, with_failures(), &options()).unwrap();
    let named: Vec<(String, Phase)> = outcome
        .failures
        .iter()
        .map(|f| (f.path.to_string(), f.phase))
        .collect();
    let expected = [
        ("b unreadable".to_owned(), Phase::List),
        ("c vanished".to_owned(), Phase::Open),
        ("d breaks early".to_owned(), Phase::Read),
        ("e breaks late".to_owned(), Phase::Read),
    ];
    assert_eq!(named, expected);
    assert_eq!(outcome.failures[3].message, "pg_dump exited with 1");
    assert_eq!(outcome.entries, 2);
    assert_eq!(dump(&repository, &outcome, "f fine"), b"fine too");
    let indexed = repository.into_indexed(&Context::default()).unwrap();
    let missing = indexed
        .reader(&outcome.snapshot)
        .find(&path("d breaks early"));
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_backup_that_is_to_be_whole_fails_with_its_first_failed_entry() {
    let (_, repository) = memory();
    let whole = BackupOptions {
        whole: true,
        ..options()
    };
    let error = back_up(&repository, with_failures(), &whole).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert!(error.to_string().contains("cannot "), "{error}");
    assert_eq!(repository.snapshots().unwrap().snapshots, []);
}

#[test]
fn a_source_that_panics_fails_the_backup_and_nothing_else() {
    let (_, repository) = memory();
    let entries = vec![Ok(file("a", || panic!("a bug in a source")))];
    let error = back_up(&repository, Box::new(entries.into_iter()), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    back_up(&repository, made_up(&[("a", b"b")]), &options()).unwrap();
}

/// Cancels once a pack is stored.
struct CancelOnceStored(Cancel);

impl Progress for CancelOnceStored {
    fn add(&self, _: u64, _: u64) {}

    fn stored(&self, _: u64) {
        self.0.cancel();
    }
}

#[test]
fn a_cancelled_backup_leaves_no_snapshot_and_what_it_stored_is_used_by_the_next() {
    let (backend, repository) = memory();
    let noise = noise(40 << 20, 3);
    let cancel = Cancel::new();
    let progress = Arc::new(CancelOnceStored(cancel.clone()));
    let context = Context {
        cancel,
        progress,
        // So little that packs do not wait for each other.
        limits: Limits {
            memory_bytes: 32 << 20,
            ..Limits::default()
        },
    };
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let error = indexed
        .backup(made_up(&[("noise", &noise)]), &options(), &context)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    drop(indexed);
    assert_eq!(repository.snapshots().unwrap().snapshots, []);
    assert!(!backend.list(FileKind::Index).unwrap().is_empty());
    assert!(backend.list(FileKind::Lock).unwrap().is_empty());

    let outcome = back_up(&repository, made_up(&[("noise", &noise)]), &options()).unwrap();
    assert!(
        outcome.summary.data_added < 30 << 20,
        "{:?}",
        outcome.summary
    );
    assert!(dump(&repository, &outcome, "noise") == noise);
}

#[test]
fn a_repository_without_room_is_told_apart() {
    for kind in [
        FileKind::Pack,
        FileKind::Index,
        FileKind::Snapshot,
        FileKind::Lock,
    ] {
        let (inner, repository) = memory();
        back_up(&repository, made_up(&[("before", b"before")]), &options()).unwrap();
        let faulty = FaultyBackend::new(inner.clone(), move |operation, handle| {
            if operation == "put" && handle.kind() == kind {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        });
        let noise = noise(40 << 20, 4);
        let error = back_up(&open(faulty), made_up(&[("noise", &noise)]), &options()).unwrap_err();
        assert!(error.is_no_space(), "{kind:?}: {}", error.chain());
        assert_eq!(repository.snapshots().unwrap().snapshots.len(), 1);
        let report = repository
            .check(&CheckOptions::default(), &Context::default())
            .unwrap();
        assert!(report.is_ok(), "{:?}", report.errors);
    }
}

#[test]
fn entries_out_of_order_are_failures_not_damage() {
    let (_, repository) = memory();
    let entries: [(&str, &[u8]); 4] = [("b", b"1"), ("a", b"2"), ("b/c", b"3"), ("d", b"4")];
    let outcome = back_up(&repository, made_up(&entries), &options()).unwrap();
    let failed: Vec<String> = outcome
        .failures
        .iter()
        .map(|f| f.path.to_string())
        .collect();
    assert_eq!(failed, ["a", "b/c"]);
    assert_eq!(dump(&repository, &outcome, "d"), b"4");
}

#[test]
fn directories_that_are_not_delivered_are_made_up() {
    let (_, repository) = memory();
    let entries: [(&str, &[u8]); 3] = [("a/b/c", b"1"), ("a/d", b"2"), ("e/f", b"3")];
    let outcome = back_up(&repository, made_up(&entries), &options()).unwrap();
    assert_eq!((outcome.failures.len(), outcome.entries), (0, 6));
    assert_eq!(dump(&repository, &outcome, "a/b/c"), b"1");
    let indexed = repository.into_indexed(&Context::default()).unwrap();
    let children = indexed
        .reader(&outcome.snapshot)
        .children(&path("a"))
        .unwrap();
    let names: Vec<String> = children.iter().map(|node| node.path.to_string()).collect();
    assert_eq!(names, ["a/b", "a/d"]);
}

#[derive(Default)]
struct Counting(AtomicU64, AtomicU64);

impl Progress for Counting {
    fn add(&self, bytes: u64, entries: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        self.1.fetch_add(entries, Ordering::Relaxed);
    }
}

#[test]
fn any_number_of_threads_stores_the_same_and_counts_the_same() {
    let large = noise(30 << 20, 9);
    let small = noise(1000, 10);
    let entries: [(&str, &[u8]); 3] = [("large", &large), ("small", &small), ("z", b"")];
    let (_, repository) = memory();
    let mut trees = Vec::new();
    for threads in [1, 2, 7] {
        let progress = Arc::new(Counting::default());
        let limits = Limits {
            threads,
            memory_bytes: 64 << 20,
        };
        let context = Context {
            progress: progress.clone(),
            limits,
            ..Context::default()
        };
        let indexed = repository.clone().into_indexed(&context).unwrap();
        let options = BackupOptions {
            parent: Parent::None,
            ..options()
        };
        let outcome = indexed
            .backup(made_up(&entries), &options, &context)
            .unwrap();
        let counted = (
            progress.0.load(Ordering::Relaxed),
            progress.1.load(Ordering::Relaxed),
        );
        assert_eq!(counted, ((30 << 20) + 1000, outcome.entries));
        assert_eq!(outcome.summary.total_bytes_processed, counted.0);
        assert!(dump(&repository, &outcome, "large") == large);
        trees.push(outcome.snapshot.tree);
    }
    assert!(trees.iter().all(|tree| *tree == trees[0]));
}

#[test]
fn chunks_of_a_fixed_size_store_what_changed_in_place_only() {
    let (_, repository) = memory();
    let fixed = BackupOptions {
        chunker: Chunker::Fixed(65_536),
        ..options()
    };
    let mut data = noise(4 << 20, 11);
    back_up(&repository, made_up(&[("volume", &data)]), &fixed).unwrap();
    data[1_000_000] ^= 1;
    let mut entries: Vec<_> = made_up(&[("volume", &data)]).collect();
    entries[0].as_mut().unwrap().comparable = false;
    let outcome = back_up(&repository, Box::new(entries.into_iter()), &fixed).unwrap();
    assert_eq!(outcome.summary.data_blobs, 1);
    assert!(dump(&repository, &outcome, "volume") == data);
    let nonsense = BackupOptions {
        chunker: Chunker::Fixed(1),
        ..options()
    };
    let error = back_up(&repository, made_up(&[]), &nonsense).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn a_backup_is_verified_against_what_the_source_delivered() {
    let (backend, repository) = memory();
    let data = noise(3 << 20, 12);
    let entries: [(&str, &[u8]); 2] = [("a/noise", &data), ("b", b"text")];
    let outcome = back_up(&repository, made_up(&entries), &options()).unwrap();
    let expected = Expected {
        entries: outcome.entries,
        bytes: (3 << 20) + 4,
    };
    let context = Context::default();
    let verify = |expected| {
        let indexed = repository.clone().into_indexed(&context).unwrap();
        indexed
            .verify_snapshot(outcome.snapshot_id, Some(expected), 1.0, &context)
            .unwrap()
    };
    let good = verify(expected);
    assert!(good.problems.is_empty(), "{:?}", good.problems);
    assert!(good.blobs_read > 1);
    let short = verify(Expected {
        bytes: expected.bytes + 1,
        ..expected
    });
    assert!(
        short.problems[0].to_string().contains("instead of"),
        "{:?}",
        short.problems
    );

    let largest = backend
        .list(FileKind::Pack)
        .unwrap()
        .into_iter()
        .max_by_key(|pack| pack.size);
    let handle = strongroom_engine::backend::Handle::new(FileKind::Pack, largest.unwrap().id);
    backend.delete(handle).unwrap();
    let lost = verify(expected);
    assert!(!lost.problems.is_empty());
    assert!(
        lost.problems.iter().all(|p| p.kind() == ErrorKind::Damaged),
        "{:?}",
        lost.problems
    );
}

#[test]
fn only_the_password_or_the_exported_key_opens_a_repository() {
    let (backend, repository) = memory();
    let open = |credential: &Credential| {
        Repository::open(backend.clone(), TestClock::new(), credential).map(|r| r.id())
    };
    assert_eq!(
        open(&Credential::password(PASSWORD)).unwrap(),
        repository.id()
    );
    let key = repository.master_key();
    let exported = strongroom_engine::MasterKey::from_bytes(*key.to_bytes());
    assert_eq!(
        open(&Credential::MasterKey(exported)).unwrap(),
        repository.id()
    );
    let wrong = open(&Credential::password("wrong")).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongPassword);
    let other = init(Arc::new(MemoryBackend::new())).master_key();
    let wrong = open(&Credential::MasterKey(other)).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongPassword);
    repository.add_key("second", KdfCost::MACHINE).unwrap();
    assert_eq!(
        open(&Credential::password("second")).unwrap(),
        repository.id()
    );

    let again = Repository::init(backend.clone(), TestClock::new(), &InitOptions::new("x"));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyInitialised);
    let empty = Arc::new(MemoryBackend::new());
    let none = Repository::open(empty, TestClock::new(), &Credential::password("x"));
    assert_eq!(none.unwrap_err().kind(), ErrorKind::NotARepository);
}

#[test]
fn a_failure_prints_path_phase_and_cause() {
    let failure = EntryFailure::new(path("a/b"), Phase::Open, "permission denied");
    assert_eq!(failure.to_string(), "cannot open `a/b`: permission denied");
}
