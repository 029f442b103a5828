//! The cache of what the last backup stored: it may make a backup faster, never different.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strongroom_domain::tree::Context;
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{
    Backend, BackupOptions, BackupOutcome, CheckOptions, Id, MemoryBackend, Parent, PruneOptions,
    ReadData, Repository,
};

use crate::support::*;

/// A repository, a source and a cache.
struct Place {
    backend: Arc<MemoryBackend>,
    repository: Repository,
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let backend = Arc::new(MemoryBackend::new());
        let place = Self {
            repository: init(backend.clone()),
            backend,
            directory,
        };
        odd_tree(&place.source());
        for directory in ["one", "two/three"] {
            let directory = place.source().join(directory);
            fs::create_dir_all(&directory).unwrap();
            for number in 0..20 {
                let content = noise(300 * number, number as u64);
                fs::write(directory.join(format!("file-{number}")), content).unwrap();
            }
        }
        place
    }

    fn source(&self) -> PathBuf {
        self.directory.path().join("source")
    }

    fn caches(&self) -> PathBuf {
        self.directory.path().join("caches")
    }

    fn cache_file(&self) -> PathBuf {
        let mut files = fs::read_dir(self.caches()).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(
            files.next().is_none(),
            "something was left beside the cache"
        );
        file
    }

    fn back_up(&self) -> BackupOutcome {
        let options = BackupOptions {
            cache: Some(self.caches()),
            ..options()
        };
        back_up_directory(&self.repository, &self.source(), &options)
    }

    /// The tree of a backup that reads everything and knows nothing.
    fn true_tree(&self) -> Id {
        let options = BackupOptions {
            parent: Parent::None,
            hostname: "another".into(),
            ..options()
        };
        back_up_directory(&self.repository, &self.source(), &options)
            .snapshot
            .tree
    }

    fn assert_sound(&self) {
        let options = CheckOptions {
            read_data: ReadData::All,
        };
        let report = self
            .repository
            .check(&options, &Context::default())
            .unwrap();
        assert!(report.errors.is_empty(), "{:?}", report.errors);
    }
}

fn edit(source: &Path) {
    fs::write(source.join("one/file-3"), noise(900, 99)).unwrap();
    fs::remove_file(source.join("one/file-4")).unwrap();
    fs::rename(source.join("one/file-5"), source.join("one/file-55")).unwrap();
    fs::write(source.join("two/three/new"), "new").unwrap();
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(source.join("two/three/file-7"), mode).unwrap();
    fs::create_dir(source.join("two/empty")).unwrap();
}

#[test]
fn an_unchanged_source_has_the_same_tree_and_stores_nothing() {
    let place = Place::new();
    let first = place.back_up();
    let second = place.back_up();
    assert_eq!(second.snapshot.tree, first.snapshot.tree);
    assert_eq!(second.summary.data_blobs + second.summary.tree_blobs, 0);
    assert_eq!(
        second.summary.files_unmodified,
        first.summary.total_files_processed
    );
    assert_eq!(second.entries, first.entries);
    assert_eq!(second.snapshot.tree, place.true_tree());
}

#[test]
fn a_changed_source_has_the_tree_that_reading_everything_gives() {
    let place = Place::new();
    place.back_up();
    place.back_up();
    edit(&place.source());
    let changed = place.back_up();
    assert_eq!(changed.snapshot.tree, place.true_tree());
    assert_eq!(place.back_up().snapshot.tree, changed.snapshot.tree);
    place.assert_sound();
}

#[test]
fn a_damaged_cache_changes_nothing() {
    let place = Place::new();
    place.back_up();
    let good = fs::read(place.cache_file()).unwrap();
    let expected = place.true_tree();
    let mut damaged: Vec<Vec<u8>> = vec![Vec::new(), vec![0xff; 8], noise(5000, 1)];
    for part in 0..16 {
        let at = (good.len() - 1) * part / 15;
        let mut flipped = good.clone();
        flipped[at] ^= 4;
        damaged.push(flipped);
        damaged.push(good[..at].to_vec());
    }
    for bytes in damaged {
        fs::write(place.cache_file(), bytes).unwrap();
        assert_eq!(place.back_up().snapshot.tree, expected);
    }
    fs::remove_file(place.cache_file()).unwrap();
    assert_eq!(place.back_up().snapshot.tree, expected);
    place.assert_sound();
}

#[test]
fn a_cache_of_an_older_state_or_another_repository_changes_nothing() {
    let place = Place::new();
    place.back_up();
    let older = fs::read(place.cache_file()).unwrap();
    edit(&place.source());
    let expected = place.back_up().snapshot.tree;
    fs::write(place.cache_file(), older).unwrap();
    assert_eq!(place.back_up().snapshot.tree, expected);

    let other = Place::new();
    other.back_up();
    fs::copy(other.cache_file(), place.cache_file()).unwrap();
    assert_eq!(place.back_up().snapshot.tree, expected);
    place.assert_sound();
}

#[test]
fn a_parent_that_was_removed_is_stored_again() {
    let place = Place::new();
    let first = place.back_up();
    place.repository.forget(&[first.snapshot_id]).unwrap();
    let context = Context::default();
    let plan = place
        .repository
        .plan_prune(&PruneOptions::default(), &context);
    plan.unwrap().execute(&context).unwrap();
    let again = place.back_up();
    assert_eq!(again.snapshot.parent, None);
    assert_eq!(again.snapshot.tree, first.snapshot.tree);
    place.assert_sound();
}

#[test]
fn what_the_repository_lost_is_stored_again_whatever_the_cache_says() {
    let place = Place::new();
    let first = place.back_up();
    for kind in [FileKind::Pack, FileKind::Index] {
        for file in place.backend.list(kind).unwrap() {
            place.backend.delete(Handle::new(kind, file.id)).unwrap();
        }
    }
    let again = place.back_up();
    assert_eq!(again.snapshot.tree, first.snapshot.tree);
    assert_eq!(again.summary.data_blobs, first.summary.data_blobs);
    assert_eq!(again.summary.tree_blobs, first.summary.tree_blobs);
    place.assert_sound();
}
