//! Repairing, keys, and a prune with a grace time.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use strongroom_domain::tree::{Context, RestoreOptions};
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{
    Backend, CheckOptions, Credential, ErrorKind, KdfCost, MemoryBackend, PruneOptions, Repository,
    SnapshotRepair, Tolerance,
};
use tempfile::TempDir;

use crate::small::*;
use crate::support::*;

#[test]
fn an_index_that_is_lost_is_made_again_from_the_packs() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    odd_tree(&source);
    let repository = init_local(&repo);
    back_up_directory(&repository, &source, &options());
    for entry in fs::read_dir(repo.join("index")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let context = Context::default();
    let report = repository.repair_index(false, &context).unwrap();
    assert!(
        report.packs_added >= 2 && report.damaged.is_empty(),
        "{report:?}"
    );
    assert_sound(&repository);
    restic(&repo, work.path(), &["check", "--read-data"]);
    let again = repository.repair_index(false, &context).unwrap();
    assert_eq!((again.packs_added, again.packs_dropped.len()), (0, 0));
}

#[test]
fn an_index_with_packs_that_are_missing_damaged_or_lied_about_is_put_right() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let first = back_up(&repository, &[("a", &noise(100_000, 1))]);
    let [tree, data] = packs(&backend)[..] else {
        panic!()
    };
    let second = back_up(&repository, &[("b", &noise(50_000, 2))]);
    // The header at the end of one pack; another is gone.
    let size = backend.get(tree).unwrap().len();
    overwrite(&backend, tree, size - 20);
    backend.delete(data).unwrap();
    let report = repository.repair_index(true, &Context::default()).unwrap();
    assert_eq!(report.packs_dropped, [data.id()]);
    assert_eq!(report.damaged.len(), 1);
    assert!(report.damaged[0].to_string().contains(&tree.id().to_hex()));
    assert_eq!(content(&repository, &second, "b"), noise(50_000, 2));
    let indexed = repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap();
    // Its directory is where the old index says, although the pack itself does not any more.
    let reader = indexed.reader(&first);
    assert_eq!(reader.children(&path("")).unwrap().len(), 1);
    let dumped = reader.dump(&path("a"), &mut Vec::new(), &Context::default());
    assert_eq!(dumped.unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn a_pack_without_its_header_stays_in_the_index_beside_an_index_file_that_is_damaged() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let (first, second) = (noise(100_000, 1), noise(50_000, 2));
    let indexes = || backend.list(FileKind::Index).unwrap();
    let one = back_up(&repository, &[("a", &first)]);
    let healthy = indexes()[0];
    let other = back_up(&repository, &[("b", &second)]);
    let snapshots = [one, other];
    let context = Context::default();
    // The one of `a`, which is larger.
    let pack = *packs(&backend).last().unwrap();
    let other = indexes().into_iter().find(|it| *it != healthy).unwrap();
    let size = backend.get(pack).unwrap().len();
    overwrite(&backend, pack, size - 20);
    overwrite(&backend, Handle::new(FileKind::Index, other.id), 40);

    let report = repository.repair_index(false, &context).unwrap();
    assert_eq!(report.damaged.len(), 2, "{report:?}");
    let prune = || {
        let plan = repository.plan_prune(&PruneOptions::default(), &context);
        plan.unwrap().execute(&context).unwrap()
    };
    assert_eq!(prune().packs_removed, 0);
    assert_eq!(content(&repository, &snapshots[0], "a"), first);
    assert_eq!(content(&repository, &snapshots[1], "b"), second);
    repository.repair_packs(&[pack.id()], &context).unwrap();
    prune();
    assert_eq!(content(&repository, &snapshots[0], "a"), first);
    assert_sound(&repository);
}

#[test]
fn what_is_whole_in_a_damaged_pack_is_saved_and_a_backup_heals_the_rest() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let (first, second) = (noise(100_000, 1), noise(100_000, 2));
    let files: [(&str, &[u8]); 2] = [("a", &first), ("b", &second)];
    let snapshot = back_up(&repository, &files);
    let pack = packs(&backend)[1];
    overwrite(&backend, pack, 1_000);
    let context = Context::default();
    let report = repository.repair_packs(&[pack.id()], &context).unwrap();
    assert_eq!((report.packs, report.lost.len()), (1, 1), "{report:?}");
    assert!(!backend.exists(pack).unwrap());
    let target = TempDir::new().unwrap();
    let restore = || {
        let indexed = repository.clone().into_indexed(&context).unwrap();
        let reader = indexed.reader(&snapshot);
        reader
            .restore(target.path(), &RestoreOptions::default(), &context)
            .unwrap()
    };
    assert_eq!(restore().failures.len(), 1);
    back_up(&repository, &files);
    fs::remove_dir_all(target.path()).unwrap();
    assert_eq!(restore().failures, []);
    assert_sound(&repository);
    let unknown = repository.repair_packs(&[pack.id()], &context).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Damaged);
}

#[test]
fn snapshots_do_without_what_is_lost() {
    let work = TempDir::new().unwrap();
    let repo = work.path().join("repo");
    let repository = init_local(&repo);
    let (lost, kept) = (noise(100_000, 1), noise(80_000, 2));
    let whole = back_up(&repository, &[("kept", &kept)]);
    let data: Vec<_> = packs_of(&repo);
    let snapshot = back_up(&repository, &[("dir/lost", &lost), ("kept", &kept)]);
    let mut new = packs_of(&repo);
    new.retain(|pack| !data.contains(pack));
    // The data, not the directories.
    let pack = new
        .iter()
        .max_by_key(|pack| fs::metadata(pack).unwrap().len());
    fs::remove_file(pack.unwrap()).unwrap();
    let context = Context::default();
    repository.repair_index(false, &context).unwrap();

    let dry = SnapshotRepair {
        forget: false,
        dry_run: true,
    };
    let found = repository.repair_snapshots(&[], dry, &context).unwrap();
    assert_eq!((found.len(), found[0].replaced_by), (1, None));
    let forget = SnapshotRepair {
        forget: true,
        dry_run: false,
    };
    let repaired = repository.repair_snapshots(&[], forget, &context).unwrap();
    assert_eq!((repaired[0].id, repaired[0].files), (snapshot.id, 1));
    let mut snapshots = repository.snapshots().unwrap().snapshots;
    snapshots.retain(|it| it.id != whole.id);
    let [new] = &snapshots[..] else {
        panic!("{snapshots:?}")
    };
    assert_eq!(
        (new.original, &new.tags[..]),
        (Some(snapshot.id), &["repaired".to_owned()][..])
    );
    assert_eq!(content(&repository, new, "kept"), kept);
    assert_eq!(content(&repository, new, "dir/lost.repaired"), b"");
    assert_sound(&repository);
    restic(&repo, work.path(), &["check", "--read-data"]);
}

fn packs_of(repo: &Path) -> Vec<std::path::PathBuf> {
    let data = entries_of(&repo.join("data")).map(|entry| entry.unwrap());
    let files = data.filter(|entry| entry.metadata.is_file());
    files
        .map(|entry| repo.join("data").join(entry.path.to_string()))
        .collect()
}

#[test]
fn passwords_are_added_changed_and_removed() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let open = |password: &str| {
        let credential = Credential::password(password);
        Repository::open(backend.clone(), TestClock::new(), &credential)
    };
    let second = repository.add_key("second", KdfCost::MACHINE).unwrap();
    let keys = repository.keys().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.iter().filter(|key| key.current).count(), 1);
    let current = keys.iter().find(|key| key.current).unwrap().id;
    assert_eq!(
        repository.remove_key(current).unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let third = open("second")
        .unwrap()
        .change_password("third", KdfCost::MACHINE)
        .unwrap();
    assert_eq!(open("second").unwrap_err().kind(), ErrorKind::WrongPassword);
    assert_eq!(
        repository.remove_key(second).unwrap_err().kind(),
        ErrorKind::Damaged
    );
    assert_eq!(open("third").unwrap().id(), repository.id());
    repository.remove_key(third).unwrap();
    assert_eq!(open("third").unwrap_err().kind(), ErrorKind::WrongPassword);
    open(PASSWORD).unwrap();
}

#[test]
fn a_prune_with_a_grace_time_takes_back_what_is_used_again() {
    let backend = Arc::new(MemoryBackend::new());
    let clock = TestClock::new();
    init(backend.clone());
    let credential = Credential::password(PASSWORD);
    let repository = Repository::open(backend.clone(), clock.clone(), &credential).unwrap();
    let snapshot = back_up(&repository, &[("a", &noise(90_000, 1))]);
    let handle = Handle::new(FileKind::Snapshot, snapshot.id);
    let file = backend.get(handle).unwrap();
    let context = Context::default();
    let prune = || {
        let options = PruneOptions {
            tolerance: Tolerance::Bytes(0),
            grace: Some(jiff::SignedDuration::from_hours(23)),
        };
        let plan = repository.plan_prune(&options, &context).unwrap();
        let marked = plan.packs_marked();
        (marked, plan.execute(&context).unwrap().packs_removed)
    };
    repository.forget(&[snapshot.id]).unwrap();
    assert_eq!(prune(), (2, 0));
    let report = repository
        .check(&CheckOptions::default(), &context)
        .unwrap();
    assert_eq!((report.packs, report.marked_packs), (0, 2));
    // A writer that never saw the lock ends only now.
    backend.put(handle, file).unwrap();
    clock.advance(24 * 3600);
    assert_eq!(prune(), (0, 0));
    assert_sound(&repository);
    repository.forget(&[snapshot.id]).unwrap();
    assert_eq!(prune(), (2, 0));
    assert_eq!(prune(), (2, 0));
    clock.advance(24 * 3600);
    assert_eq!(prune(), (0, 2));
    assert_eq!(backend.list(FileKind::Pack).unwrap(), []);
}
