//! Restores to a directory: selection, what is there already, and what must not be touched.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use strongroom_domain::tree::{
    Cancel, Context, Overwrite, Patterns, Phase, RestoreOptions, RestoreReport, TreeReader,
};
use strongroom_engine::{ErrorKind, Repository, Snapshot};
use tempfile::TempDir;

use crate::support::*;

struct Fixture {
    work: TempDir,
    source: PathBuf,
    repository: Repository,
    snapshot: Snapshot,
}

fn fixture(make: impl FnOnce(&Path)) -> Fixture {
    let work = TempDir::new().unwrap();
    let source = work.path().join("src");
    fs::create_dir(&source).unwrap();
    make(&source);
    let repository = init_local(&work.path().join("repo"));
    let snapshot = back_up_directory(&repository, &source, &options()).snapshot;
    Fixture {
        work,
        source,
        repository,
        snapshot,
    }
}

impl Fixture {
    fn restore(&self, target: &Path, options: &RestoreOptions) -> RestoreReport {
        let context = Context::default();
        let indexed = self.repository.clone().into_indexed(&context).unwrap();
        indexed
            .reader(&self.snapshot)
            .restore(target, options, &context)
            .unwrap()
    }
}

#[test]
fn everything_comes_back_with_all_its_attributes() {
    let fixture = fixture(odd_tree);
    for sparse in [false, true] {
        let target = fixture.work.path().join(format!("out-{sparse}"));
        let report = fixture.restore(
            &target,
            &RestoreOptions {
                sparse,
                ..Default::default()
            },
        );
        assert_eq!(report.failures, []);
        assert_eq!(report.directories, 4);
        assert_same_tree(&fixture.source, &target);
        let blocks = fs::metadata(target.join("dir/zeros inside"))
            .unwrap()
            .blocks();
        assert_eq!(sparse, blocks * 512 < 5 << 20, "{blocks} blocks");
    }
}

#[test]
fn only_what_is_included_and_not_excluded_comes_back() {
    let fixture = fixture(|source| {
        for name in [
            "keep/a.txt",
            "keep/b.log",
            "keep/deep/c.txt",
            "other/d.txt",
            "e.txt",
        ] {
            fs::create_dir_all(source.join(name).parent().unwrap()).unwrap();
            fs::write(source.join(name), name).unwrap();
        }
    });
    let target = fixture.work.path().join("out");
    let options = RestoreOptions {
        include: Patterns::new(["/keep", "d.txt"]).unwrap(),
        exclude: Patterns::new(["*.log"]).unwrap(),
        ..Default::default()
    };
    let report = fixture.restore(&target, &options);
    assert_eq!((report.files, report.directories), (3, 3));
    let found: Vec<String> = fingerprint(&target)
        .into_keys()
        .map(|p| String::from_utf8(p).unwrap())
        .collect();
    let expected = [
        "keep",
        "keep/a.txt",
        "keep/deep",
        "keep/deep/c.txt",
        "other",
        "other/d.txt",
    ];
    assert_eq!(found, expected);
}

#[test]
fn files_that_are_there_are_treated_by_the_policy() {
    let fixture = fixture(|source| {
        fs::write(source.join("same"), "same").unwrap();
        fs::write(source.join("changed"), "changed").unwrap();
    });
    let target = fixture.work.path().join("out");
    fixture.restore(&target, &RestoreOptions::default());
    let spoil = || fs::write(target.join("changed"), "edited by somebody").unwrap();
    for (overwrite, skipped, content) in [
        (Overwrite::Never, 2, "edited by somebody"),
        (Overwrite::IfChanged, 1, "changed"),
        (Overwrite::Always, 0, "changed"),
    ] {
        spoil();
        let report = fixture.restore(
            &target,
            &RestoreOptions {
                overwrite,
                ..Default::default()
            },
        );
        assert_eq!(
            (report.skipped, report.files),
            (skipped, 2 - skipped),
            "{overwrite:?}"
        );
        assert_eq!(fs::read_to_string(target.join("changed")).unwrap(), content);
    }
}

#[test]
fn a_link_at_the_target_is_not_followed() {
    let fixture = fixture(|source| {
        fs::create_dir(source.join("dir")).unwrap();
        fs::write(source.join("dir/file"), "inside").unwrap();
        fs::write(source.join("top"), "inside").unwrap();
    });
    let (target, outside) = (
        fixture.work.path().join("out"),
        fixture.work.path().join("outside"),
    );
    fs::create_dir(&target).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("victim"), "untouched").unwrap();
    symlink(&outside, target.join("dir")).unwrap();
    symlink(outside.join("victim"), target.join("top")).unwrap();

    let options = RestoreOptions {
        overwrite: Overwrite::Always,
        ..Default::default()
    };
    let report = fixture.restore(&target, &options);
    let failed: Vec<_> = report
        .failures
        .iter()
        .map(|f| (f.path.to_string(), f.phase))
        .collect();
    assert_eq!(failed, [("dir".to_owned(), Phase::Create)]);
    assert_eq!(
        fs::read_to_string(outside.join("victim")).unwrap(),
        "untouched"
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert!(
        target.join("top").symlink_metadata().unwrap().is_file(),
        "the link was replaced"
    );
}

#[test]
fn something_else_in_the_way_is_reported_and_the_rest_is_restored() {
    let fixture = fixture(|source| {
        fs::write(source.join("a"), "a").unwrap();
        fs::create_dir(source.join("b")).unwrap();
        fs::write(source.join("b/c"), "c").unwrap();
        fs::write(source.join("d"), "d").unwrap();
    });
    let target = fixture.work.path().join("out");
    fs::create_dir_all(target.join("a/not empty")).unwrap();
    fs::write(target.join("b"), "a file where a directory belongs").unwrap();
    let report = fixture.restore(&target, &RestoreOptions::default());
    let failed: Vec<String> = report.failures.iter().map(|f| f.path.to_string()).collect();
    assert_eq!(failed, ["a", "b"]);
    assert_eq!(fs::read_to_string(target.join("d")).unwrap(), "d");
}

#[test]
fn a_cancelled_restore_says_so() {
    let fixture = fixture(|source| fs::write(source.join("a"), "a").unwrap());
    let indexed = fixture
        .repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let context = Context {
        cancel,
        ..Context::default()
    };
    let target = fixture.work.path().join("out");
    let restored =
        indexed
            .reader(&fixture.snapshot)
            .restore(&target, &RestoreOptions::default(), &context);
    assert_eq!(restored.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn the_tree_reader_lists_and_opens_what_was_backed_up() {
    let fixture = fixture(odd_tree);
    let indexed = fixture
        .repository
        .clone()
        .into_indexed(&Context::default())
        .unwrap();
    let reader = indexed.reader(&fixture.snapshot);
    let reader: &dyn TreeReader = &reader;
    let listed: Vec<_> = reader.nodes().map(|node| node.unwrap()).collect();
    let expected: Vec<_> = entries_of(&fixture.source)
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(listed.len(), expected.len());
    for (node, entry) in listed.iter().zip(&expected) {
        assert_eq!(node.path, entry.path);
        assert_eq!(node.metadata.kind, entry.metadata.kind);
    }
    let mut content = Vec::new();
    let mut file = reader.open(&path("dir/deep/noise")).unwrap();
    std::io::Read::read_to_end(&mut file, &mut content).unwrap();
    assert!(content == fs::read(fixture.source.join("dir/deep/noise")).unwrap());
    assert!(reader.open(&path("dir")).is_err());
    assert!(reader.open(&path("dir/nothing")).is_err());
}
