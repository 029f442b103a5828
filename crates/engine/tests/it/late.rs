//! Extended attributes that are read only if an entry is not the one of the last backup.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use strongroom_domain::tree::{
    Content, Context, Entry, EntryKind, EntryStream, Metadata, Phase, Xattr,
};
use strongroom_engine::{BackupOutcome, MemoryBackend, Repository};

use crate::support::*;

/// A directory with a file and a link, and a file beside it. All have attributes, which are read
/// late if there is a counter for that.
fn tree(changed: &[(&str, i64)], late: Option<&Arc<AtomicUsize>>) -> Box<dyn EntryStream> {
    let kinds = [
        ("dir", EntryKind::Directory),
        ("dir/file", EntryKind::File),
        (
            "dir/link",
            EntryKind::Symlink {
                target: b"file".into(),
            },
        ),
        ("file", EntryKind::File),
    ];
    let entry = |(name, kind): (&str, EntryKind)| {
        let mut metadata = Metadata::synthetic(kind, 0o755, Timestamp::UNIX_EPOCH);
        let state = changed.iter().find(|(changed, _)| *changed == name);
        let state = state.map_or(1, |(_, state)| *state);
        metadata.ctime = Timestamp::from_second(state).unwrap();
        let xattrs = vec![Xattr {
            name: b"user.state".to_vec(),
            value: format!("{name} {state}").into_bytes(),
        }];
        if late.is_none() {
            metadata.xattrs.clone_from(&xattrs);
        }
        let entry = if metadata.is_file() {
            metadata.size = 4;
            Entry::file(path(name), metadata, Content::from_bytes(*b"text"))
        } else {
            Entry::other(path(name), metadata)
        };
        match late.map(Arc::clone) {
            None => Ok(entry),
            Some(reads) => Ok(entry.with_late_xattrs(move || {
                reads.fetch_add(1, Ordering::Relaxed);
                Ok(xattrs)
            })),
        }
    };
    let entries: Vec<_> = kinds.into_iter().map(entry).collect();
    Box::new(entries.into_iter())
}

fn back_up(repository: &Repository, entries: Box<dyn EntryStream>) -> BackupOutcome {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    indexed.backup(entries, &options(), &context).unwrap()
}

#[test]
fn only_what_changed_is_asked_for_attributes_and_all_of_them_are_stored() {
    let repository = init(Arc::new(MemoryBackend::new()));
    let steps: [(&[(&str, i64)], usize); 6] = [
        (&[], 4),
        (&[], 0),
        (&[("dir/file", 2)], 1),
        (&[("dir/file", 2), ("dir", 3)], 1),
        (&[("dir/file", 4), ("dir", 3), ("file", 4)], 2),
        (&[("dir/file", 4), ("dir", 3), ("file", 4)], 0),
    ];
    for (changed, expected) in steps {
        let reads = Arc::new(AtomicUsize::new(0));
        let late = back_up(&repository, tree(changed, Some(&reads)));
        assert_eq!(late.failures, []);
        assert_eq!(reads.load(Ordering::Relaxed), expected, "{changed:?}");
        let eager = init(Arc::new(MemoryBackend::new()));
        let eager = back_up(&eager, tree(changed, None));
        assert_eq!(late.snapshot.tree, eager.snapshot.tree, "{changed:?}");
    }
}

#[test]
fn an_entry_whose_attributes_cannot_be_read_is_left_out_and_named() {
    let repository = init(Arc::new(MemoryBackend::new()));
    let broken = || Err(io::Error::other("input/output error"));
    let entries = tree(&[], None).map(move |entry| {
        entry.map(|entry| match entry.path.to_string().as_str() {
            "dir/file" => entry.with_late_xattrs(broken),
            _ => entry,
        })
    });
    let outcome = back_up(&repository, Box::new(entries));
    let [failure] = &outcome.failures[..] else {
        panic!("{:?}", outcome.failures);
    };
    assert_eq!(failure.path.to_string(), "dir/file");
    assert_eq!(failure.phase, Phase::Metadata);
    assert_eq!(failure.message, "input/output error");
    assert_eq!(outcome.entries, 3);
}
