//! Bytes that are not what was written: what is said, and what is restored all the same.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_domain::tree::{Context, EntryPath, Limits, Phase, RestoreOptions, RestoreReport};
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{
    Backend, BlobKind, CheckOptions, CheckReport, Credential, Error, ErrorKind, MemoryBackend,
    Object, PruneOptions, ReadData, Repository, Snapshot,
};
use tempfile::TempDir;

use crate::support::*;

/// A repository with two files in different directories, and all its objects. One thread stores
/// them, so that they lie in the pack in this order.
struct Fixture {
    backend: Arc<MemoryBackend>,
    repository: Repository,
    snapshot: Snapshot,
    first: Vec<u8>,
    second: Vec<u8>,
}

fn fixture() -> Fixture {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let (first, second) = (noise(300_000, 1), noise(200_000, 2));
    let files: [(&str, &[u8]); 2] = [("a/first", &first), ("b/second", &second)];
    let context = Context {
        limits: Limits {
            threads: 1,
            ..Limits::default()
        },
        ..Context::default()
    };
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let outcome = indexed
        .backup(made_up(&files), &options(), &context)
        .unwrap();
    Fixture {
        backend,
        repository,
        snapshot: outcome.snapshot,
        first,
        second,
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    /// Four bytes from this position (of a hundred) are inverted.
    Flip(usize),
    /// Only the first half is left.
    Truncate,
    Remove,
}

impl Fixture {
    fn only(&self, kind: FileKind) -> Handle {
        let listed = self.backend.list(kind).unwrap();
        assert_eq!(listed.len(), 1, "{kind:?}");
        Handle::new(kind, listed[0].id)
    }

    /// The pack with data (the larger one) or with trees.
    fn pack(&self, kind: BlobKind) -> Handle {
        let mut packs = self.backend.list(FileKind::Pack).unwrap();
        packs.sort_by_key(|pack| pack.size);
        assert_eq!(packs.len(), 2);
        Handle::new(
            FileKind::Pack,
            packs[usize::from(kind == BlobKind::Data)].id,
        )
    }

    fn damage(&self, handle: Handle, damage: Damage) {
        let mut data = self.backend.get(handle).unwrap().to_vec();
        match damage {
            Damage::Flip(percent) => {
                let at = (data.len() * percent / 100).min(data.len() - 4);
                data[at..at + 4].iter_mut().for_each(|byte| *byte = !*byte);
            }
            Damage::Truncate => data.truncate(data.len() / 2),
            Damage::Remove => return self.backend.delete(handle).unwrap(),
        }
        self.backend.put(handle, Bytes::from(data)).unwrap();
    }

    fn check(&self, read_data: ReadData) -> CheckReport {
        self.repository
            .check(&CheckOptions { read_data }, &Context::default())
            .unwrap()
    }

    fn restore(&self, target: &Path) -> RestoreReport {
        let context = Context::default();
        let indexed = self.repository.clone().into_indexed(&context).unwrap();
        let reader = indexed.reader(&self.snapshot);
        reader
            .restore(target, &RestoreOptions::default(), &context)
            .unwrap()
    }
}

/// Whether the error is about this file of the repository.
fn names(error: &Error, handle: Handle) -> bool {
    match error {
        Error::Damaged { object, .. } | Error::Missing(object) => match *object {
            Object::File(file) => file == handle,
            Object::Blob { pack, .. } => pack == Some(handle.id()),
        },
        _ => false,
    }
}

const ALL: [Damage; 7] = [
    Damage::Flip(0),
    Damage::Flip(30),
    Damage::Flip(60),
    Damage::Flip(95),
    Damage::Flip(100),
    Damage::Truncate,
    Damage::Remove,
];

#[test]
fn an_undamaged_repository_has_no_errors() {
    let report = fixture().check(ReadData::All);
    assert!(report.is_ok(), "{:?}", report.errors);
    assert_eq!(
        (report.packs_read, report.trees, report.snapshots),
        (2, 3, 1)
    );
}

#[test]
fn a_damaged_config_does_not_open() {
    for damage in ALL {
        let fixture = fixture();
        fixture.damage(Handle::CONFIG, damage);
        let opened = Repository::open(
            fixture.backend.clone(),
            TestClock::new(),
            &Credential::password(PASSWORD),
        );
        match (damage, opened.unwrap_err()) {
            (Damage::Remove, Error::NotARepository(_)) => {}
            (_, error) => assert!(names(&error, Handle::CONFIG), "{damage:?}: {error}"),
        }
    }
}

#[test]
fn a_damaged_key_is_named_and_another_opens() {
    for damage in ALL {
        let fixture = fixture();
        let key = fixture.only(FileKind::Key);
        fixture
            .repository
            .add_key("other", strongroom_engine::KdfCost::MACHINE)
            .unwrap();
        fixture.damage(key, damage);
        let open = |password: &str| {
            let credential = Credential::password(password);
            Repository::open(fixture.backend.clone(), TestClock::new(), &credential)
        };
        match (damage, open(PASSWORD).unwrap_err()) {
            (Damage::Remove, Error::WrongPassword(_)) => {}
            (_, error) => assert!(names(&error, key), "{damage:?}: {error}"),
        }
        open("other").unwrap();
    }
}

#[test]
fn a_damaged_snapshot_is_named_and_does_not_hide_others() {
    for damage in ALL {
        let fixture = fixture();
        let handle = Handle::new(FileKind::Snapshot, fixture.snapshot.id);
        let context = Context::default();
        let indexed = fixture.repository.clone().into_indexed(&context).unwrap();
        let other = indexed
            .backup(made_up(&[("c", b"d")]), &options(), &context)
            .unwrap();
        fixture.damage(handle, damage);
        let list = fixture.repository.snapshots().unwrap();
        assert_eq!(list.snapshots, [other.snapshot], "{damage:?}");
        let error = fixture
            .repository
            .snapshot(fixture.snapshot.id)
            .unwrap_err();
        if matches!(damage, Damage::Remove) {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(list.damaged.is_empty());
        } else {
            assert!(names(&error, handle), "{damage:?}: {error}");
            assert!(names(&list.damaged[0], handle), "{damage:?}");
            assert!(
                names(&fixture.check(ReadData::None).errors[0], handle),
                "{damage:?}"
            );
            // Nobody knows what it needs, so nothing may be thrown away.
            drop(indexed);
            let plan = fixture
                .repository
                .plan_prune(&PruneOptions::default(), &context);
            assert!(names(&plan.unwrap_err(), handle), "{damage:?}");
        }
    }
}

#[test]
fn a_damaged_index_is_named_and_the_next_backup_heals() {
    for damage in ALL {
        let fixture = fixture();
        let handle = fixture.only(FileKind::Index);
        fixture.damage(handle, damage);
        let report = fixture.check(ReadData::None);
        assert!(!report.is_ok());
        if !matches!(damage, Damage::Remove) {
            assert!(
                names(&report.errors[0], handle),
                "{damage:?}: {:?}",
                report.errors
            );
        }
        let context = Context::default();
        let target = TempDir::new().unwrap();
        let lost = fixture.restore(target.path());
        assert_eq!(lost.failures.len(), 1, "{damage:?}: {lost:?}");
        assert!(lost.failures[0].path.is_root());

        let indexed = fixture.repository.clone().into_indexed(&context).unwrap();
        let damaged = usize::from(!matches!(damage, Damage::Remove));
        assert_eq!(indexed.damaged_indexes().len(), damaged);
        let files: [(&str, &[u8]); 2] =
            [("a/first", &fixture.first), ("b/second", &fixture.second)];
        indexed
            .backup(made_up(&files), &options(), &context)
            .unwrap();
        drop(indexed);
        assert_eq!(fixture.restore(target.path()).failures, [], "{damage:?}");
    }
}

#[test]
fn damaged_data_loses_the_files_it_is_in_and_no_others() {
    for damage in ALL {
        let fixture = fixture();
        let handle = fixture.pack(BlobKind::Data);
        fixture.damage(handle, damage);
        let report = fixture.check(ReadData::All);
        assert!(!report.is_ok(), "{damage:?}");
        assert!(
            report.errors.iter().all(|e| names(e, handle)),
            "{damage:?}: {:?}",
            report.errors
        );

        let target = TempDir::new().unwrap();
        let report = fixture.restore(target.path());
        let lost: Vec<String> = report.failures.iter().map(|f| f.path.to_string()).collect();
        for failure in &report.failures {
            assert_eq!(failure.phase, Phase::Fetch);
            assert!(failure.message.contains(&handle.id().to_hex()), "{failure}");
        }
        let expected: &[&str] = match damage {
            Damage::Flip(0 | 30) => &["a/first"],
            Damage::Flip(60 | 95) => &["b/second"],
            // The length of the header, which the index makes superfluous.
            Damage::Flip(_) => &[],
            Damage::Truncate | Damage::Remove => &["a/first", "b/second"],
        };
        assert_eq!(lost, expected, "{damage:?}");
        for (name, content) in [("a/first", &fixture.first), ("b/second", &fixture.second)] {
            let intact = fs::read(target.path().join(name)).is_ok_and(|read| read == *content);
            assert_eq!(
                intact,
                !lost.contains(&name.to_owned()),
                "{damage:?}: {name} {lost:?}"
            );
        }
    }
}

#[test]
fn damaged_directories_are_named_and_the_others_are_restored() {
    for damage in ALL {
        let fixture = fixture();
        let handle = fixture.pack(BlobKind::Tree);
        fixture.damage(handle, damage);
        let report = fixture.check(ReadData::All);
        assert!(!report.is_ok(), "{damage:?}");
        let target = TempDir::new().unwrap();
        let report = fixture.restore(target.path());
        let lost: Vec<&EntryPath> = report.failures.iter().map(|f| &f.path).collect();
        for (name, content) in [("a/first", &fixture.first), ("b/second", &fixture.second)] {
            let intact = fs::read(target.path().join(name)).is_ok_and(|read| read == *content);
            let reported = lost.iter().any(|lost| path(name).starts_with(lost));
            assert_eq!(intact, !reported, "{damage:?}: {name} {lost:?}");
        }
        if matches!(damage, Damage::Flip(0) | Damage::Remove | Damage::Truncate) {
            assert!(!lost.is_empty(), "{damage:?}");
        }
    }
}

#[test]
fn a_blob_that_is_damaged_in_one_pack_is_taken_from_another() {
    let fixture = fixture();
    let index = fixture.only(FileKind::Index);
    let pack = fixture.pack(BlobKind::Data);
    let kept = fixture.backend.get(index).unwrap();
    fixture.backend.delete(index).unwrap();
    let context = Context::default();
    let indexed = fixture.repository.clone().into_indexed(&context).unwrap();
    let files: [(&str, &[u8]); 2] = [("a/first", &fixture.first), ("b/second", &fixture.second)];
    indexed
        .backup(made_up(&files), &options(), &context)
        .unwrap();
    drop(indexed);
    fixture.backend.put(index, kept).unwrap();
    fixture.damage(pack, Damage::Remove);
    let target = TempDir::new().unwrap();
    assert_eq!(fixture.restore(target.path()).failures, []);
    assert!(fs::read(target.path().join("a/first")).unwrap() == fixture.first);
}

#[test]
fn an_unreadable_lock_is_named_and_can_be_removed() {
    let fixture = fixture();
    let held = fixture
        .repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap();
    let lock = fixture.only(FileKind::Lock);
    fixture.damage(lock, Damage::Flip(50));
    let error = fixture
        .repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap_err();
    assert!(names(&error, lock), "{error}");
    assert_eq!(fixture.repository.unlock(false).unwrap(), 1);
    fixture
        .repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap();
    drop(held);
}

#[test]
fn a_file_that_is_larger_than_any_of_its_kind_is_named_and_not_taken() {
    let fixture = fixture();
    let huge = Bytes::from(vec![b'{'; (1 << 20) + 1]);
    let lock = Handle::new(FileKind::Lock, strongroom_engine::Id::of(&huge));
    fixture.backend.put(lock, huge.clone()).unwrap();
    let indexed = fixture.repository.clone().into_indexed(&Context::default());
    let error = indexed.unwrap_err();
    assert!(names(&error, lock), "{error}");
    assert!(error.to_string().contains("1048577 bytes"), "{error}");
    fixture.backend.put(Handle::CONFIG, huge).unwrap();
    let credential = Credential::password(PASSWORD);
    let opened = Repository::open(fixture.backend.clone(), TestClock::new(), &credential);
    assert!(names(&opened.unwrap_err(), Handle::CONFIG));
}

#[test]
fn a_local_file_is_read_within_a_limit_only() {
    let work = TempDir::new().unwrap();
    let backend = strongroom_engine::LocalBackend::new(work.path());
    let key = Handle::new(FileKind::Key, strongroom_engine::Id::of(b"x"));
    backend.create().unwrap();
    backend.put(key, Bytes::from_static(b"12345")).unwrap();
    assert_eq!(backend.get_within(key, 5).unwrap(), b"12345"[..]);
    let refused = backend.get_within(key, 4).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::FileTooLarge);
}

#[test]
fn a_check_does_not_read_a_pack_of_the_wrong_size() {
    let fixture = fixture();
    let pack = fixture.pack(BlobKind::Data);
    let mut data = fixture.backend.get(pack).unwrap().to_vec();
    data.resize(data.len() * 2, 0);
    fixture.backend.put(pack, data.into()).unwrap();
    let watched = FaultyBackend::new(fixture.backend.clone(), move |operation, handle| {
        assert!(operation != "get" || handle != pack, "read");
        Ok(())
    });
    let read_data = ReadData::All;
    let report = open(watched)
        .check(&CheckOptions { read_data }, &Context::default())
        .unwrap();
    assert_eq!((report.errors.len(), report.packs_read), (1, 1));
    assert!(names(&report.errors[0], pack));
}
