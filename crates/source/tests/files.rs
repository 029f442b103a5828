//! The `files` source against a real file system.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
};

use rustix::fs::{Mode, OFlags};
use strongroom_domain::{
    resource::{ResourceKind, Settings},
    tree::{Cancel, Content, Context, Entry, EntryError, EntryKind, Patterns, Phase},
};
use strongroom_source::{
    Entries, PrepareRequest, Registry, SourceConfig, SourceError, Warnings, files::Walk,
};

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings(
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

fn entries(path: &Path, extra: &[(&str, &str)]) -> Result<Entries, SourceError> {
    let mut settings = settings(extra);
    settings
        .0
        .insert("path".to_owned(), path.to_str().unwrap().to_owned());
    let registry = Registry::new(SourceConfig::default());
    let source = registry.get(ResourceKind::Files).unwrap();
    let request = PrepareRequest {
        resource: "tree".to_owned(),
        settings,
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let context = Context::default();
    let prepared = source.prepare(request, &context)?;
    source.entries(&prepared, &context)
}

fn names(entries: Entries) -> Vec<String> {
    entries
        .stream
        .map(|it| it.unwrap().path.to_string())
        .collect()
}

fn read(entry: Entry) -> Vec<u8> {
    let Content::Reader(open) = entry.content else {
        panic!("`{}` has no content", entry.path)
    };
    let mut bytes = Vec::new();
    open().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn entries_come_in_tree_order_whatever_the_names() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.b", "a/b", "a/c/d", "b\nc", "é", "z"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let odd = dir
        .path()
        .join(std::ffi::OsStr::from_bytes(b"not-\xff-utf8"));
    fs::write(odd, "x").unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();

    let all: Vec<Entry> = entries(dir.path(), &[])
        .unwrap()
        .stream
        .map(Result::unwrap)
        .collect();
    assert!(all.is_sorted_by(|a, b| a.path < b.path), "{all:?}");
    let shown: Vec<_> = all.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(shown.iter().filter(|it| it.starts_with("a/")).count(), 3);
    assert!(all.iter().any(|it| it.path.as_bytes() == b"not-\xff-utf8"));
    let link = all.iter().find(|it| it.path.to_string() == "link").unwrap();
    assert_eq!(
        link.metadata.kind,
        EntryKind::Symlink {
            target: b"nowhere".to_vec()
        }
    );
    let file = all
        .into_iter()
        .find(|it| it.path.to_string() == "a/c/d")
        .unwrap();
    assert_eq!(read(file), b"a/c/d");
}

#[test]
fn extended_attributes_are_read_when_asked_for_however_deep_the_entry() {
    let dir = tempfile::tempdir().unwrap();
    // Deeper than directories are kept open.
    let mut deep = File::open(dir.path()).unwrap();
    for _ in 0..80 {
        let name = "n".repeat(20);
        rustix::fs::mkdirat(&deep, &name, Mode::RWXU).unwrap();
        deep = File::from(rustix::fs::openat(&deep, &name, OFlags::RDONLY, Mode::empty()).unwrap());
    }
    let mut file = File::from(
        rustix::fs::openat(
            &deep,
            "file",
            OFlags::CREATE | OFlags::RDWR,
            Mode::RUSR | Mode::WUSR,
        )
        .unwrap(),
    );
    file.write_all(b"deep").unwrap();
    xattr::FileExt::set_xattr(&file, "user.note", b"here").unwrap();
    let mut last = entries(dir.path(), &[])
        .unwrap()
        .stream
        .map(Result::unwrap)
        .last()
        .unwrap();
    assert_eq!(last.path.depth(), 81);
    assert_eq!(last.metadata.xattrs, []);
    last.complete().unwrap();
    let found = &last.metadata.xattrs[..];
    let found: Vec<_> = found
        .iter()
        .map(|it| (&it.name[..], &it.value[..]))
        .collect();
    assert_eq!(found, [(&b"user.note"[..], &b"here"[..])]);
    assert_eq!(read(last), b"deep");
}

#[test]
fn excluded_names_are_left_out_with_what_is_below_them() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["keep/x.txt", "keep/x.log", "cache/y", "z"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let found = names(entries(dir.path(), &[("exclude", "*.log, /cache")]).unwrap());
    assert_eq!(found, ["keep", "keep/x.txt", "z"]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_kept_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, vec![b'a'; 100]).unwrap();
    let mut found = entries(dir.path(), &[]).unwrap();
    let entry = found.stream.next().unwrap().unwrap();
    let Content::Reader(open) = entry.content else {
        panic!()
    };
    let mut reader = open().unwrap();
    let mut first = [0; 10];
    reader.read_exact(&mut first).unwrap();
    fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"more")
        .unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 94);
    let warnings = found.warnings.take();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].to_string(),
        "cannot read `log`: changed while it was read"
    );
}

#[test]
fn what_vanishes_after_listing_is_an_error_that_names_it_and_the_walk_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        fs::write(dir.path().join(name), name).unwrap();
    }
    let found = entries(dir.path(), &[]).unwrap();
    fs::remove_file(dir.path().join("b")).unwrap();
    let all: Vec<Result<Entry, EntryError>> = found.stream.collect();
    assert_eq!(all.len(), 3);
    let error = all[1].as_ref().unwrap_err();
    assert_eq!(
        (error.path.to_string().as_str(), error.phase),
        ("b", Phase::Metadata)
    );
}

#[test]
fn a_link_that_took_a_files_place_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "a").unwrap();
    let mut found = entries(dir.path(), &[]).unwrap();
    let entry = found.stream.next().unwrap().unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let Content::Reader(open) = entry.content else {
        panic!()
    };
    assert!(open().is_err());
}

#[test]
fn a_directory_that_cannot_be_listed_is_an_entry_and_an_error() {
    if rustix::process::geteuid().is_root() {
        // Root lists everything; a directory removed under the walk fails in the same place.
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("gone")).unwrap();
        let found = entries(dir.path(), &[]).unwrap();
        fs::remove_dir(dir.path().join("gone")).unwrap();
        let all: Vec<_> = found.stream.collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].as_ref().unwrap_err().path.to_string(), "gone");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let all: Vec<_> = entries(dir.path(), &[]).unwrap().stream.collect();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(all[0].is_ok());
    assert_eq!(all[1].as_ref().unwrap_err().phase, Phase::List);
}

#[test]
fn several_paths_are_one_tree_with_the_directories_that_lead_to_them() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    for name in ["a/x", "a/y", "b/deep/z", "c"] {
        let path = base.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let paths = [base.join("b"), base.join("a/x"), base.join("b/deep")];
    let walk = Walk::of_paths(
        &paths,
        Patterns::default(),
        Warnings::default(),
        Cancel::new(),
    );
    let all: Vec<Entry> = walk.unwrap().map(Result::unwrap).collect();
    assert!(all.is_sorted_by(|a, b| a.path < b.path), "{all:?}");
    let inside: Vec<_> = all
        .iter()
        .filter_map(|it| {
            format!("/{}", it.path)
                .strip_prefix(base.to_str()?)
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(inside, ["", "/a", "/a/x", "/b", "/b/deep", "/b/deep/z"]);
}

#[test]
fn a_missing_directory_fails_for_good_and_a_bad_setting_is_invalid() {
    let error = entries(Path::new("/nonexistent/here"), &[]).unwrap_err();
    assert!(matches!(error, SourceError::Failed { .. }), "{error}");
    let registry = Registry::new(SourceConfig::default());
    let faults = |pairs| {
        let found = registry.validate(ResourceKind::Files, &settings(pairs));
        found.into_iter().map(|it| it.field).collect::<Vec<_>>()
    };
    assert_eq!(faults(&[]), ["settings.path"]);
    assert_eq!(faults(&[("path", "relative")]), ["settings.path"]);
    assert_eq!(
        faults(&[("path", "/x"), ("exclude", "[")]),
        ["settings.exclude"]
    );
    assert_eq!(faults(&[("path", "/x"), ("pth", "y")]), ["settings.pth"]);
    assert!(faults(&[("path", "/x")]).is_empty());
    assert_eq!(
        registry.validate(ResourceKind::Graph, &settings(&[]))[0].field,
        "kind"
    );
}
