//! Four flipped bytes in every place of one object of each kind, and packs cut off at every length:
//! exactly what is lost, and that it is said.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use strongroom_domain::tree::{Context, Limits, Phase, RestoreOptions};
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{
    Backend, CheckOptions, Credential, Error, MemoryBackend, Object, ReadData, Repository, Snapshot,
};
use tempfile::TempDir;

use crate::support::*;

/// Bytes by which what is sealed is longer.
const SEAL: usize = 32;
/// Lengths of the two files' blobs, which are stored as they are.
const FIRST: usize = 300 + SEAL;
const SECOND: usize = 200 + SEAL;
/// Bytes flipped.
const FLIPPED: usize = 4;
/// The field at a pack's end.
const LENGTH: usize = 4;

/// Two files in a directory each, stored by one thread: the pack of data has the first and the
/// second file, the pack of trees `a`, `b` and the root.
struct Fixture {
    backend: Arc<MemoryBackend>,
    repository: Repository,
    snapshot: Snapshot,
    files: [(&'static str, Vec<u8>); 2],
}

fn fixture() -> Fixture {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let files = [("a/first", noise(300, 1)), ("b/second", noise(200, 2))];
    let entries = made_up(&[(files[0].0, &files[0].1), (files[1].0, &files[1].1)]);
    let indexed = repository.clone().into_indexed(&one_thread()).unwrap();
    let outcome = indexed.backup(entries, &options(), &one_thread());
    Fixture {
        backend,
        repository,
        snapshot: outcome.unwrap().snapshot,
        files,
    }
}

fn one_thread() -> Context {
    let limits = Limits {
        threads: 1,
        ..Limits::default()
    };
    Context {
        limits,
        ..Context::default()
    }
}

/// What a restore says is lost, and how many damages in a row lose that.
type Lost = (Vec<String>, usize);

impl Fixture {
    /// The files of a kind, the smallest first.
    fn all(&self, kind: FileKind) -> Vec<Handle> {
        let mut listed = self.backend.list(kind).unwrap();
        listed.sort_by_key(|file| file.size);
        let handles = listed.iter().map(|file| Handle::new(kind, file.id));
        handles.collect()
    }

    fn only(&self, kind: FileKind) -> Handle {
        let [handle] = self.all(kind)[..] else {
            panic!("not one {kind:?}");
        };
        handle
    }

    /// The packs of data and of trees.
    fn packs(&self) -> [Handle; 2] {
        let packs = self.all(FileKind::Pack);
        let length = |pack: &Handle| self.backend.get(*pack).unwrap().len();
        let is_data = |pack: &&Handle| length(pack) == FIRST + SECOND + 2 * 37 + SEAL + LENGTH;
        let data = *packs.iter().find(is_data).unwrap();
        let trees = *packs.iter().find(|pack| **pack != data).unwrap();
        assert_eq!(packs.len(), 2);
        [data, trees]
    }

    /// Calls `look` with every four bytes of the object flipped in turn.
    fn flip_everywhere(&self, handle: Handle, mut look: impl FnMut(usize)) {
        let whole = self.backend.get(handle).unwrap();
        for at in 0..=whole.len() - FLIPPED {
            let mut data = whole.to_vec();
            data[at..at + FLIPPED]
                .iter_mut()
                .for_each(|byte| *byte = !*byte);
            self.backend.put(handle, Bytes::from(data)).unwrap();
            look(at);
        }
        self.backend.put(handle, whole).unwrap();
    }

    /// Calls `look` with the object cut off at every length, the shortest first.
    fn cut_everywhere(&self, handle: Handle, mut look: impl FnMut(usize)) {
        let whole = self.backend.get(handle).unwrap();
        for length in 0..whole.len() {
            self.backend.put(handle, whole.slice(..length)).unwrap();
            look(length);
        }
        self.backend.put(handle, whole).unwrap();
    }

    /// What a restore says is lost; everything else is as it was.
    fn lost(&self) -> Vec<String> {
        let target = TempDir::new().unwrap();
        let context = one_thread();
        let indexed = self.repository.clone().into_indexed(&context).unwrap();
        let reader = indexed.reader(&self.snapshot);
        let report = reader
            .restore(target.path(), &RestoreOptions::default(), &context)
            .unwrap();
        for (name, content) in &self.files {
            let failed = |failed: &_| path(name).starts_with(failed);
            if !report.failures.iter().any(|it| failed(&it.path)) {
                assert_eq!(fs::read(target.path().join(name)).unwrap(), *content);
            }
        }
        let failures = report.failures.into_iter().map(|failure| {
            assert_eq!(failure.phase, Phase::Fetch);
            failure.path.to_string()
        });
        failures.collect()
    }

    /// Notes what is lost now; a check has to blame `handle` and nothing else.
    fn note(&self, handle: Handle, noted: &mut Vec<Lost>) {
        let options = CheckOptions {
            read_data: ReadData::All,
        };
        let report = self.repository.check(&options, &one_thread()).unwrap();
        assert!(!report.is_ok());
        for error in &report.errors {
            assert!(names(error, handle), "{error}");
        }
        let lost = self.lost();
        match noted.last_mut() {
            Some((last, count)) if *last == lost => *count += 1,
            _ => noted.push((lost, 1)),
        }
    }
}

fn lost(names: &[&str], count: usize) -> Lost {
    (names.iter().map(ToString::to_string).collect(), count)
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

#[test]
fn a_flip_in_a_pack_of_data_loses_the_files_whose_bytes_it_hits() {
    let fixture = fixture();
    let [data, _] = fixture.packs();
    let mut noted = Vec::new();
    fixture.flip_everywhere(data, |_| fixture.note(data, &mut noted));
    let header = 2 * 37 + SEAL + LENGTH;
    let expected = [
        lost(&["a/first"], FIRST - (FLIPPED - 1)),
        lost(&["a/first", "b/second"], FLIPPED - 1),
        lost(&["b/second"], SECOND),
        // The header is needed only if the index is lost.
        lost(&[], header - (FLIPPED - 1)),
    ];
    assert_eq!(noted, expected);
}

#[test]
fn a_flip_in_a_pack_of_trees_loses_the_directories_whose_bytes_it_hits() {
    let fixture = fixture();
    let [_, trees] = fixture.packs();
    let length = fixture.backend.get(trees).unwrap().len();
    let mut noted = Vec::new();
    fixture.flip_everywhere(trees, |_| fixture.note(trees, &mut noted));
    let counts: Vec<usize> = noted.iter().map(|(_, count)| *count).collect();
    let [a, _, b, root, _] = counts[..] else {
        panic!("{noted:?}");
    };
    let header = 3 * 41 + SEAL + LENGTH;
    let expected = [
        lost(&["a"], a),
        lost(&["a", "b"], FLIPPED - 1),
        lost(&["b"], b),
        lost(&[""], root),
        lost(&[], header - (FLIPPED - 1)),
    ];
    assert_eq!(noted, expected);
    // Trees of the same form are of nearly the same length, and nothing else is in the pack.
    assert!(a.abs_diff(b) < 16 && a > SEAL, "{noted:?}");
    assert_eq!(a + b + root + (FLIPPED - 1) + header, length);
}

#[test]
fn a_pack_that_is_cut_off_loses_what_was_behind() {
    let fixture = fixture();
    let [data, trees] = fixture.packs();
    let mut noted = Vec::new();
    fixture.cut_everywhere(data, |_| fixture.note(data, &mut noted));
    let header = 2 * 37 + SEAL + LENGTH;
    let expected = [
        lost(&["a/first", "b/second"], FIRST),
        lost(&["b/second"], SECOND),
        lost(&[], header),
    ];
    assert_eq!(noted, expected);

    let length = fixture.backend.get(trees).unwrap().len();
    let header = 3 * 41 + SEAL + LENGTH;
    noted.clear();
    fixture.cut_everywhere(trees, |_| fixture.note(trees, &mut noted));
    // The root is the last.
    assert_eq!(noted, [lost(&[""], length - header), lost(&[], header)]);
}

#[test]
fn a_pack_that_is_missing_loses_all_that_was_in_it() {
    let fixture = fixture();
    for (pack, expected) in fixture
        .packs()
        .into_iter()
        .zip([lost(&["a/first", "b/second"], 1), lost(&[""], 1)])
    {
        let whole = fixture.backend.get(pack).unwrap();
        fixture.backend.delete(pack).unwrap();
        let mut noted = Vec::new();
        fixture.note(pack, &mut noted);
        assert_eq!(noted, [expected]);
        fixture.backend.put(pack, whole).unwrap();
    }
    assert_eq!(fixture.lost(), Vec::<String>::new());
}

#[test]
fn a_flip_in_an_index_loses_everything_it_named() {
    let fixture = fixture();
    let index = fixture.only(FileKind::Index);
    fixture.flip_everywhere(index, |at| {
        assert_eq!(fixture.lost(), [""], "byte {at}");
        let report = fixture
            .repository
            .check(&CheckOptions::default(), &one_thread())
            .unwrap();
        let named = report.errors.iter().filter(|error| names(error, index));
        assert_eq!(named.count(), 1, "byte {at}");
        assert_eq!(report.unreferenced_packs.len(), 2, "byte {at}");
    });
    assert_eq!(fixture.lost(), Vec::<String>::new());
}

#[test]
fn a_flip_in_a_snapshot_hides_that_snapshot_only() {
    let fixture = fixture();
    let snapshot = fixture.only(FileKind::Snapshot);
    let indexed = fixture.repository.clone().into_indexed(&one_thread());
    let other = indexed
        .unwrap()
        .backup(made_up(&[("c", b"d")]), &options(), &one_thread())
        .unwrap();
    fixture.flip_everywhere(snapshot, |at| {
        let list = fixture.repository.snapshots().unwrap();
        assert_eq!(
            list.snapshots,
            std::slice::from_ref(&other.snapshot),
            "byte {at}"
        );
        assert_eq!(list.damaged.len(), 1, "byte {at}");
        assert!(names(&list.damaged[0], snapshot), "byte {at}");
    });
    assert_eq!(fixture.repository.snapshots().unwrap().snapshots.len(), 2);
}

#[test]
fn a_flip_in_the_config_or_the_only_key_or_a_lock_is_named() {
    let fixture = fixture();
    let open = || {
        let password = Credential::password(PASSWORD);
        Repository::open(fixture.backend.clone(), TestClock::new(), &password)
    };
    for handle in [Handle::CONFIG, fixture.only(FileKind::Key)] {
        fixture.flip_everywhere(handle, |at| {
            let error = open().unwrap_err();
            assert!(names(&error, handle), "byte {at}: {error}");
        });
        open().unwrap();
    }
    let held = fixture.repository.clone().into_indexed(&one_thread());
    let lock = fixture.only(FileKind::Lock);
    fixture.flip_everywhere(lock, |at| {
        let second = fixture.repository.clone().into_indexed(&one_thread());
        let error = second.unwrap_err();
        assert!(names(&error, lock), "byte {at}: {error}");
    });
    drop(held.unwrap());
    assert_eq!(fixture.lost(), Vec::<String>::new());
}
