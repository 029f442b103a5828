//! Somebody removes the lock of work that goes on: nothing is committed or deleted beside others.

use std::io::Cursor;
use std::path::Path;

use jiff::Timestamp;
use strongroom_domain::tree::{Content, Context, Entry, EntryKind, Metadata};
use strongroom_engine::backend::FileKind;
use strongroom_engine::{
    Backend, Error, ErrorKind, LocalBackend, PruneOptions, Repository, Tolerance,
};
use tempfile::TempDir;

use crate::small::*;
use crate::support::*;

fn unlock_by_restic(repo: &Path) {
    restic(repo, repo, &["unlock", "--remove-all"]);
}

fn count(repo: &Path, kind: FileKind) -> usize {
    LocalBackend::new(repo).list(kind).unwrap().len()
}

fn assert_lost<T: std::fmt::Debug>(done: Result<T, Error>) {
    let error = done.unwrap_err();
    assert!(matches!(error, Error::LockLost(_)), "{}", error.chain());
    assert_eq!(error.kind(), ErrorKind::Locked);
}

#[test]
fn a_backup_whose_lock_was_removed_writes_no_snapshot() {
    let work = TempDir::new().unwrap();
    let repo = work.path().join("repo");
    let repository = init_local(&repo);
    let from = repo.clone();
    let open = move || {
        unlock_by_restic(&from);
        Ok(Box::new(Cursor::new(b"text")) as Box<dyn std::io::Read + Send>)
    };
    let mut metadata = Metadata::synthetic(EntryKind::File, 0o600, Timestamp::UNIX_EPOCH);
    metadata.size = 4;
    let entry = Entry::file(path("a"), metadata, Content::from_opener(open));
    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let entries = Box::new(vec![Ok(entry)].into_iter());
    assert_lost(indexed.backup(entries, &options(), &context));
    drop(indexed);
    assert_eq!(count(&repo, FileKind::Snapshot), 0);
    restic(&repo, work.path(), &["check"]);
}

/// A repository of which all data can go.
fn useless(repo: &Path) -> Repository {
    let repository = init_local(repo);
    let snapshot = back_up(&repository, &[("a", &noise(90_000, 1))]);
    repository.forget(&[snapshot.id]).unwrap();
    repository
}

#[test]
fn a_prune_whose_lock_was_removed_deletes_nothing() {
    let work = TempDir::new().unwrap();
    let repo = work.path().join("repo");
    let repository = useless(&repo);
    let context = Context::default();
    let options = PruneOptions {
        tolerance: Tolerance::Bytes(0),
        grace: None,
    };
    let plan = repository.plan_prune(&options, &context).unwrap();
    unlock_by_restic(&repo);
    assert_lost(plan.execute(&context));
    assert_eq!(
        (count(&repo, FileKind::Pack), count(&repo, FileKind::Index)),
        (2, 1)
    );
    let report = repository.plan_prune(&options, &context).unwrap();
    assert_eq!(report.execute(&context).unwrap().packs_removed, 2);
}

#[test]
fn a_copy_whose_lock_was_removed_writes_no_snapshot() {
    let work = TempDir::new().unwrap();
    let repo = work.path().join("repo");
    let from = init_local(&work.path().join("from"));
    let snapshot = back_up(&from, &[("a", b"text")]);
    let context = Context::default();
    let from = from.into_indexed(&context).unwrap();
    let to = init_local(&repo).into_indexed(&context).unwrap();
    unlock_by_restic(&repo);
    assert_lost(from.copy(&snapshot, &to, &context));
    assert_eq!(count(&repo, FileKind::Snapshot), 0);
}
