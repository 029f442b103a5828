//! What goes elsewhere: copies, differences and archives.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use strongroom_domain::tree::{Cancel, Context, Patterns};
use strongroom_engine::backend::FileKind;
use strongroom_engine::{
    BrowseNode, Change, ErrorKind, InitOptions, KdfCost, MemoryBackend, Repository, Sink,
    StreamOptions, TarSink,
};
use tempfile::TempDir;

use crate::small::*;
use crate::support::*;

#[test]
fn a_copy_has_everything_and_restic_reads_it() {
    let work = TempDir::new().unwrap();
    let (source, repo, out) = (
        work.path().join("src"),
        work.path().join("repo"),
        work.path().join("out"),
    );
    odd_tree(&source);
    let from = init(Arc::new(MemoryBackend::new()));
    let snapshot = back_up_directory(&from, &source, &options()).snapshot;
    let to = init_local(&repo);
    let context = Context::default();
    let from = from.into_indexed(&context).unwrap();
    let indexed = to.clone().into_indexed(&context).unwrap();
    let copied = from.copy(&snapshot, &indexed, &context).unwrap();
    assert!(copied.blobs > 4);
    let copy = to.snapshot(copied.id).unwrap();
    assert_eq!(
        (copy.tree, copy.original),
        (snapshot.tree, Some(snapshot.id))
    );
    assert_eq!(from.copy(&snapshot, &indexed, &context).unwrap().blobs, 0);
    drop(indexed);
    assert_sound(&to);
    restic(&repo, work.path(), &["check", "--read-data"]);
    let target = out.to_str().unwrap();
    restic(
        &repo,
        work.path(),
        &["restore", &copied.id.to_hex(), "--target", target],
    );
    assert_same_tree(&source, &out);
}

#[test]
fn a_repository_made_for_copies_cuts_where_the_other_one_does() {
    let source = TempDir::new().unwrap();
    fs::write(source.path().join("file"), noise(6 << 20, 3)).unwrap();
    let tree = |repository: &Repository| {
        let outcome = back_up_directory(repository, source.path(), &options());
        outcome.snapshot.tree
    };
    let first = init(Arc::new(MemoryBackend::new()));
    let for_copies = InitOptions {
        kdf: KdfCost::MACHINE,
        chunker_of: Some(first.clone()),
        ..InitOptions::new(PASSWORD)
    };
    let backend = Arc::new(MemoryBackend::new());
    let second = Repository::init(backend, TestClock::new(), &for_copies).unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(tree(&first), tree(&second));
    assert_ne!(tree(&first), tree(&init(Arc::new(MemoryBackend::new()))));
}

#[test]
fn differences_are_those_that_restic_finds() {
    let work = TempDir::new().unwrap();
    let (source, repo) = (work.path().join("src"), work.path().join("repo"));
    odd_tree(&source);
    let repository = init_local(&repo);
    let first = back_up_directory(&repository, &source, &options()).snapshot;
    fs::write(source.join("small"), "other").unwrap();
    fs::remove_file(source.join("<&>")).unwrap();
    fs::remove_dir_all(source.join("dir/deep")).unwrap();
    fs::create_dir_all(source.join("new/deeper")).unwrap();
    fs::write(source.join("new/deeper/file"), "x").unwrap();
    fs::remove_file(source.join("pipe")).unwrap();
    fs::write(source.join("pipe"), "now a file").unwrap();
    let second = back_up_directory(&repository, &source, &options()).snapshot;

    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let mut ours = Vec::new();
    let stats = indexed.diff(&first, &second, &context, |it| {
        let letter = match it.change {
            Change::Added => '+',
            Change::Removed => '-',
            Change::Type => 'T',
            Change::Content => 'M',
            Change::Metadata => return Ok(()),
        };
        let slash = if it.is_dir { "/" } else { "" };
        ours.push(format!("{letter} /{}{slash}", it.path));
        Ok(())
    });
    assert_eq!(stats.unwrap().added, 3);
    let (first, second) = (first.id.to_hex(), second.id.to_hex());
    let output = restic(&repo, work.path(), &["diff", &first, &second]);
    let output = String::from_utf8(output.stdout).unwrap();
    let lines = output.lines().filter(|line| {
        ["+ ", "- ", "T ", "M "]
            .iter()
            .any(|it| line.starts_with(it))
    });
    let mut theirs: Vec<String> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours, theirs, "{output}");
}

#[test]
fn an_archive_is_unpacked_by_tar() {
    let work = TempDir::new().unwrap();
    let (source, out) = (work.path().join("src"), work.path().join("out"));
    odd_tree(&source);
    let long = source.join("long ".repeat(40)).join("path ".repeat(40));
    fs::create_dir_all(&long).unwrap();
    fs::write(long.join("file"), "deep").unwrap();
    let repository = init(Arc::new(MemoryBackend::new()));
    let snapshot = back_up_directory(&repository, &source, &options()).snapshot;
    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let mut sink = TarSink::new(Vec::new());
    let reader = indexed.reader(&snapshot);
    let report = reader
        .stream(&StreamOptions::default(), &mut sink, &context)
        .unwrap();
    assert_eq!(report.failures, []);
    let archive = work.path().join("archive.tar");
    fs::write(&archive, sink.into_inner()).unwrap();
    fs::create_dir(&out).unwrap();
    let tar = Command::new("tar")
        .args([
            "--extract",
            "--preserve-permissions",
            "--numeric-owner",
            "--xattrs",
        ])
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        tar.status.success(),
        "{}",
        String::from_utf8_lossy(&tar.stderr)
    );
    // Hard links come as copies.
    for name in ["dir/small again", "z last"] {
        for root in [&source, &out] {
            fs::remove_file(root.join(name)).unwrap();
        }
    }
    let times = |root: &Path| {
        fs::File::open(root)
            .unwrap()
            .set_modified(std::time::UNIX_EPOCH)
    };
    for root in [&source, &out] {
        times(&root.join("dir")).unwrap();
    }
    assert_same_tree(&source, &out);
}

#[test]
fn a_stream_takes_what_is_chosen_and_fills_what_is_lost_with_zeros() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let data = noise(50_000, 1);
    let files: [(&str, &[u8]); 3] = [("a/b", &data), ("a/c", b"c"), ("d", b"d")];
    let snapshot = back_up(&repository, &files);
    overwrite(&backend, packs(&backend)[1], 100);
    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let options = StreamOptions {
        path: path("a"),
        exclude: Patterns::new(["c"]).unwrap(),
        ..StreamOptions::default()
    };
    let mut sink = TarSink::new(Vec::new());
    let reader = indexed.reader(&snapshot);
    let report = reader.stream(&options, &mut sink, &context).unwrap();
    assert_eq!(
        (report.entries, report.failures.len()),
        (2, 1),
        "{report:?}"
    );
    // Two headers, the file in whole blocks, two empty blocks.
    let archive = sink.into_inner();
    assert_eq!(
        archive.len(),
        2 * 512 + 50_000_usize.next_multiple_of(512) + 2 * 512
    );
    assert!(archive[1024..51_024].iter().all(|byte| *byte == 0));
}

#[test]
fn a_copy_that_was_cancelled_goes_on_with_what_it_has_stored() {
    let from = init(Arc::new(MemoryBackend::new()));
    let data: Vec<Vec<u8>> = (0..8).map(|seed| noise(8 << 20, seed)).collect();
    let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let files = names.iter().zip(&data);
    let files: Vec<(&str, &[u8])> = files.map(|(name, data)| (&name[..], &data[..])).collect();
    let snapshot = back_up(&from, &files);
    let from = from.into_indexed(&Context::default()).unwrap();

    let backend = Arc::new(MemoryBackend::new());
    init(backend.clone());
    let cancel = Cancel::new();
    let asked = cancel.clone();
    let watched = FaultyBackend::new(backend.clone(), move |operation, handle| {
        if operation == "put" && handle.kind() == FileKind::Pack {
            asked.cancel();
        }
        Ok(())
    });
    let context = Context {
        cancel,
        ..Context::default()
    };
    let to = open(watched).into_indexed(&Context::default()).unwrap();
    let cancelled = from.copy(&snapshot, &to, &context).unwrap_err();
    assert_eq!(cancelled.kind(), ErrorKind::Cancelled);
    drop(to);
    let context = Context::default();
    let to = open(backend.clone());
    let indexed = to.clone().into_indexed(&context).unwrap();
    let rest = from.copy(&snapshot, &indexed, &context).unwrap();
    drop(indexed);
    let whole = init(Arc::new(MemoryBackend::new()))
        .into_indexed(&context)
        .unwrap();
    let whole = from.copy(&snapshot, &whole, &context).unwrap();
    assert!(rest.blobs < whole.blobs, "{rest:?} {whole:?}");
    assert_sound(&to);
}

/// Cancels at the first piece of content, and counts the pieces.
struct Impatient(Cancel, usize);

impl Sink for Impatient {
    fn entry(&mut self, _: &BrowseNode) -> io::Result<()> {
        Ok(())
    }

    fn content(&mut self, _: &[u8]) -> io::Result<()> {
        self.0.cancel();
        self.1 += 1;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn zeros_for_what_is_lost_end_when_the_stream_is_cancelled() {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let snapshot = back_up(&repository, &[("a", &noise(400_000, 1))]);
    overwrite(&backend, packs(&backend)[1], 100);
    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let mut sink = Impatient(context.cancel.clone(), 0);
    let reader = indexed.reader(&snapshot);
    let streamed = reader.stream(&StreamOptions::default(), &mut sink, &context);
    assert_eq!(streamed.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(sink.1, 1);
}
