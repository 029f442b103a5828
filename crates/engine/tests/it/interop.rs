//! Both ways with stock restic on one repository.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use strongroom_domain::tree::{Context, RestoreOptions};
use strongroom_engine::{
    ContentRule, InitOptions, KdfCost, LocalBackend, Parent, ReadData, Repository,
};
use tempfile::TempDir;

use crate::support::*;

/// `restic restore latest` of everything into a new directory.
fn restore_by_restic(repository: &Path, target: &Path) {
    restic(
        repository,
        Path::new("/"),
        &["restore", "latest", "--target", target.to_str().unwrap()],
    );
}

#[test]
fn restic_checks_and_restores_what_we_wrote() {
    let work = TempDir::new().unwrap();
    let (source, repo, target) = (
        work.path().join("src"),
        work.path().join("repo"),
        work.path().join("out"),
    );
    odd_tree(&source);
    let outcome = back_up_directory(&init_local(&repo), &source, &options());

    restic(&repo, work.path(), &["check", "--read-data"]);
    restore_by_restic(&repo, &target);
    assert_same_tree(&source, &target);
    let listed = restic(&repo, work.path(), &["snapshots", "--json"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&outcome.snapshot_id.to_hex()), "{listed}");
    let dumped = restic(&repo, work.path(), &["dump", "latest", "/dir/deep/noise"]);
    assert!(dumped.stdout == fs::read(source.join("dir/deep/noise")).unwrap());
}

#[test]
fn restic_lists_what_we_wrote_as_what_it_wrote_itself() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    odd_tree(&source);
    let ours = back_up_directory(&init_local(&repo), &source, &options());
    let other = work.path().join("other");
    restic(&other, work.path(), &["init"]);
    restic(&other, &source, &["backup", "."]);
    let list = |repo: &Path, snapshot: &str| {
        let listed = restic(repo, work.path(), &["ls", "--long", snapshot]);
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        // The first line is about the snapshot.
        let (_, entries) = text.split_once('\n').unwrap();
        entries.to_owned()
    };
    let listed = list(&repo, &ours.snapshot_id.to_hex());
    assert!(
        listed.contains("ünïcödé 日本") && listed.contains("back\\slash"),
        "{listed}"
    );
    assert_eq!(listed, list(&other, "latest"));
}

#[test]
fn we_check_and_restore_what_restic_wrote() {
    let work = TempDir::new().unwrap();
    let (source, repo, target) = (
        work.path().join("src"),
        work.path().join("repo"),
        work.path().join("out"),
    );
    odd_tree(&source);
    restic(&repo, work.path(), &["init"]);
    restic(&repo, &source, &["backup", "."]);

    let context = Context::default();
    let repository = open_local(&repo);
    let options = strongroom_engine::CheckOptions {
        read_data: ReadData::All,
    };
    let report = repository.check(&options, &context).unwrap();
    assert!(report.is_ok(), "{:?}", report.errors);
    assert!(report.packs_read > 0 && report.trees > 3);
    let snapshot = repository.find_snapshot("latest").unwrap();
    let indexed = repository.into_indexed(&context).unwrap();
    let report = indexed
        .reader(&snapshot)
        .restore(&target, &RestoreOptions::default(), &context);
    assert_eq!(report.unwrap().failures, []);
    assert_same_tree(&source, &target);
}

#[test]
fn restic_reads_what_was_cut_by_another_rule() {
    let work = TempDir::new().unwrap();
    let (source, repo, target) = (
        work.path().join("src"),
        work.path().join("repo"),
        work.path().join("out"),
    );
    odd_tree(&source);
    let options_of = InitOptions {
        content_rule: ContentRule::FastCdc,
        kdf: KdfCost::MACHINE,
        ..InitOptions::new(PASSWORD)
    };
    let backend = Arc::new(LocalBackend::new(&repo));
    Repository::init(backend, TestClock::new(), &options_of).unwrap();
    // The rule is the repository's own: whoever opens it cuts so.
    let noise = fs::read(source.join("dir/deep/noise")).unwrap();
    back_up_directory(&open_local(&repo), &source, &options());
    let mut shifted = b"a few bytes".to_vec();
    shifted.extend(&noise);
    fs::write(source.join("dir/deep/shifted"), shifted).unwrap();
    let again = back_up_directory(&open_local(&repo), &source, &options());
    let added = usize::try_from(again.summary.data_added).unwrap();
    assert!(added < noise.len() / 2, "{added} of {} bytes", noise.len());

    restic(&repo, work.path(), &["check", "--read-data"]);
    let id = again.snapshot_id.to_hex();
    let restore = ["restore", &id, "--target", target.to_str().unwrap()];
    restic(&repo, work.path(), &restore);
    assert_same_tree(&source, &target);
}

#[test]
fn restic_finds_all_our_data_again() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    odd_tree(&source);
    let ours = back_up_directory(&init_local(&repo), &source, &options());

    let before = size_of(&repo.join("data"));
    restic(&repo, &source, &["backup", "--force", "."]);
    let grown = size_of(&repo.join("data")) - before;
    assert!(grown * 100 < before, "grown by {grown} of {before} bytes");
    let mut snapshots = open_local(&repo).snapshots().unwrap().snapshots;
    snapshots.retain(|snapshot| snapshot.id != ours.snapshot_id);
    let [theirs] = &snapshots[..] else {
        panic!("{snapshots:?}")
    };
    assert_eq!(
        theirs.tree, ours.snapshot.tree,
        "trees are equal byte for byte"
    );
}

#[test]
fn we_find_all_of_restics_data_again_and_take_its_snapshot_as_parent() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    odd_tree(&source);
    restic(&repo, work.path(), &["init"]);
    restic(&repo, &source, &["backup", "."]);

    let repository = open_local(&repo);
    let theirs = repository.find_snapshot("latest").unwrap();
    let mut options = options();
    for parent in [Parent::None, Parent::Snapshot(theirs.id)] {
        options.parent = parent;
        let ours = back_up_directory(&repository, &source, &options);
        assert_eq!(
            ours.snapshot.tree, theirs.tree,
            "trees are equal byte for byte"
        );
        assert_eq!(ours.summary.data_blobs + ours.summary.tree_blobs, 0);
        let unmodified = if parent == Parent::None {
            0
        } else {
            ours.summary.total_files_processed
        };
        assert_eq!(ours.summary.files_unmodified, unmodified);
    }
    restic(&repo, work.path(), &["check", "--read-data"]);
}

#[test]
fn prune_by_either_leaves_what_both_wrote() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    odd_tree(&source);
    let repository = init_local(&repo);
    let first = back_up_directory(&repository, &source, &options());
    fs::remove_file(source.join("dir/deep/noise")).unwrap();
    restic(&repo, &source, &["backup", "."]);

    let context = Context::default();
    repository.forget(&[first.snapshot_id]).unwrap();
    let plan = repository.plan_prune(&strongroom_engine::PruneOptions::default(), &context);
    let report = plan.unwrap().execute(&context).unwrap();
    assert!(report.bytes_freed > 1 << 20, "{report:?}");
    restic(&repo, work.path(), &["check", "--read-data"]);
    let theirs = work.path().join("theirs");
    restore_by_restic(&repo, &theirs);
    assert_same_tree(&source, &theirs);

    back_up_directory(&repository, &source, &options());
    restic(&repo, work.path(), &["prune", "--max-unused", "0"]);
    let options = strongroom_engine::CheckOptions {
        read_data: ReadData::All,
    };
    let report = repository.check(&options, &context).unwrap();
    assert!(report.is_ok(), "{:?}", report.errors);
    let target = work.path().join("out");
    restore_by_restic(&repo, &target);
    assert_same_tree(&source, &target);
}

#[test]
fn restics_locks_are_respected_and_ours_are_by_restic() {
    let work = TempDir::new().unwrap();
    let repo = work.path().join("repo");
    let repository = init_local(&repo);
    let indexed = repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap();
    let listed = restic(&repo, work.path(), &["list", "locks", "--no-lock"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim().len(), 64);
    let pruned = std::process::Command::new("restic")
        .args(["--no-cache", "prune", "--repo"])
        .arg(&repo)
        .env("RESTIC_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&pruned.stderr);
    assert!(message.contains("already locked"), "{message}");
    drop(indexed);
    restic(&repo, work.path(), &["prune"]);
}
