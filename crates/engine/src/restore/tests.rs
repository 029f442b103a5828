//! Trees that no honest program writes, made to write outside the target.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use strongroom_domain::tree::{
    Context, EntryKind, Metadata, Overwrite, RestoreOptions, RestoreReport,
};
use tempfile::TempDir;

use crate::format::node::Node;
use crate::format::tree;
use crate::id::Id;
use crate::tests::crafted::{CONTENT, craft, directory, file, node};

fn link(name: &[u8], target: &Path) -> Node {
    let target = target.to_str().unwrap().as_bytes().to_vec();
    node(name, EntryKind::Symlink { target }, Vec::new(), None)
}

fn restore(trees: &[Vec<u8>], target: &Path) -> RestoreReport {
    let (repository, snapshot) = craft(trees.iter().cloned());
    let options = RestoreOptions {
        overwrite: Overwrite::Always,
        ..Default::default()
    };
    repository
        .reader(&snapshot)
        .restore(target, &options, &Context::default())
        .unwrap()
}

#[test]
fn names_that_lead_out_of_the_target_are_refused() {
    let work = TempDir::new().unwrap();
    let target = work.path().join("deep/target");
    let absolute = work.path().join("absolute");
    let absolute = absolute.to_str().unwrap().as_bytes();
    let names: [&[u8]; 7] = [b"../x", b"..", b".", b"", b"a/../../x", b"nul\0", absolute];
    let mut nodes: Vec<Node> = names.iter().map(|name| file(name)).collect();
    nodes.push(file(b"fine"));
    let report = restore(&[tree::print(&nodes)], &target);
    assert_eq!(report.failures.len(), names.len(), "{:?}", report.failures);
    assert_eq!(fs::read(target.join("fine")).unwrap(), CONTENT);
    assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
    assert_eq!(fs::read_dir(work.path()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(work.path().join("deep")).unwrap().count(), 1);
}

#[test]
fn a_link_and_a_directory_of_one_name_are_both_refused() {
    let work = TempDir::new().unwrap();
    let (target, outside) = (work.path().join("target"), work.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    let inner = tree::print(&[file(b"x")]);
    let directory = directory(b"a", Id::of(&inner));
    let root = tree::print(&[link(b"a", &outside), directory, file(b"b")]);
    let report = restore(&[inner, root], &target);
    assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(target.join("b").exists() && !target.join("a").exists());
}

#[test]
fn a_link_that_somebody_puts_in_the_way_later_is_not_followed() {
    let work = TempDir::new().unwrap();
    let (target, outside) = (work.path().join("target"), work.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    let inner = tree::print(&[file(b"x")]);
    let directory = directory(b"a", Id::of(&inner));
    let trees = [inner, tree::print(&[directory])];
    assert_eq!(restore(&trees, &target).failures, []);
    fs::remove_dir_all(target.join("a")).unwrap();
    symlink(&outside, target.join("a")).unwrap();
    assert!(!restore(&trees, &target).failures.is_empty());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn trees_that_make_no_sense_are_named() {
    let work = TempDir::new().unwrap();
    let texts: [&[u8]; 5] = [
        b"",
        b"{\"nodes\":[{\"name\":\"a\",\"type\":\"hologram\"}]}",
        b"{\"nodes\":[{\"name\":\"a\",\"type\":\"dir\"}]}",
        b"{\"nodes\":{}}",
        b"{\"nodes\":[{\"name\":\"\\\\q\",\"type\":\"file\"}]}",
    ];
    for text in texts {
        let report = restore(&[text.to_vec()], &work.path().join("target"));
        assert_eq!(report.failures.len(), 1, "{}", text.escape_ascii());
    }
    assert_eq!(
        restore(&[b"{\"nodes\":null}".to_vec()], work.path()).failures,
        []
    );
}

#[test]
fn a_file_whose_blobs_are_missing_or_too_short_is_reported() {
    let work = TempDir::new().unwrap();
    let mut short = file(b"short");
    short.metadata.size += 1;
    let absent = node(
        b"absent",
        EntryKind::File,
        vec![Id::of(b"not stored")],
        None,
    );
    let huge = Node {
        metadata: Metadata {
            size: u64::MAX,
            ..short.metadata.clone()
        },
        ..file(b"huge")
    };
    let root = tree::print(&[absent, file(b"fine"), huge, short]);
    let report = restore(&[root], work.path());
    let named: Vec<String> = report.failures.iter().map(|f| f.path.to_string()).collect();
    assert!(
        ["absent", "huge", "short"]
            .iter()
            .all(|name| named.contains(&(*name).to_owned()))
    );
    assert!(!named.contains(&"fine".to_owned()), "{named:?}");
    assert_eq!(fs::read(work.path().join("fine")).unwrap(), CONTENT);
}
