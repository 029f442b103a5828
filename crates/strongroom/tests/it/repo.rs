//! `strongroom repo …` beside stock restic: looking after a repository.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{fails, json, run, strongroom, write_files};

struct Fixture {
    dir: TempDir,
    source: PathBuf,
}

/// A repository with two snapshots, the second with a file less and a file more.
fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let fixture = Fixture { dir, source };
    write_files(&fixture.source, &[2 << 20, 70_000, 1], 3);
    for (name, text) in [
        ("password", "correct horse\n"),
        ("other", "battery staple\n"),
    ] {
        fs::write(fixture.file(name), text).unwrap();
    }
    json(&mut fixture.ours(&["init", "--json"]), 0);
    let source = fixture.source.to_str().unwrap();
    json(
        &mut fixture.ours(&["backup", source, "--tag", "first", "--json"]),
        0,
    );
    fs::write(fixture.source.join("new"), "new").unwrap();
    fs::remove_file(fixture.source.join("d0/f0")).unwrap();
    json(&mut fixture.ours(&["backup", source, "--json"]), 0);
    fixture
}

impl Fixture {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ours(&self, args: &[&str]) -> Command {
        let mut command = strongroom();
        command.arg("repo").args(args);
        command.arg("-r").arg(self.file("repo"));
        command.arg("--password-file").arg(self.file("password"));
        command
    }

    fn restic(&self, repo: &str, args: &[&str]) -> String {
        let mut command = Command::new("restic");
        command.args(["--no-cache", "-r"]).arg(self.file(repo));
        // Days begin where ours do.
        command.env("TZ", "UTC");
        command.arg("--password-file").arg(self.file("password"));
        let output = command.args(args).output().expect("apt-get install restic");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn snapshots(&self) -> Vec<String> {
        let list = json(&mut self.ours(&["snapshots", "--json"]), 0);
        let ids = list
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned());
        ids.collect()
    }
}

/// The lines of JSON that a command prints.
fn lines(command: &mut Command) -> Vec<Value> {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_differs_between_snapshots_is_said_as_restic_does() {
    let fixture = fixture();
    let ids = fixture.snapshots();
    let theirs = fixture.restic("repo", &["diff", &ids[0], &ids[1]]);
    let printed = lines(&mut fixture.ours(&["diff", &ids[0], &ids[1], "--json"]));
    let (statistics, changes) = printed.split_last().unwrap();
    assert_eq!(
        (&statistics["added"], &statistics["removed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(changes.len(), 2);
    for change in changes {
        let (letter, path) = (&change["modifier"], change["path"].as_str().unwrap());
        let line = format!("{}    {path}", letter.as_str().unwrap());
        assert!(theirs.lines().any(|it| it == line), "{line}: {theirs}");
    }
}

#[test]
fn a_directory_is_dumped_as_an_archive() {
    let fixture = fixture();
    let path = fixture.source.to_str().unwrap();
    let output = run(&mut fixture.ours(&["dump", "latest", path]));
    assert!(output.status.success());
    let archive = fixture.file("archive.tar");
    fs::write(&archive, output.stdout).unwrap();
    let out = fixture.file("out");
    fs::create_dir(&out).unwrap();
    let tar = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(&out)
        .status();
    assert!(tar.unwrap().success());
    let unpacked = out.join(path.trim_start_matches('/'));
    crate::common::assert_same(&fixture.source, &unpacked);
}

#[test]
fn passwords_are_added_changed_and_removed() {
    let fixture = fixture();
    let other = fixture.file("other");
    let other = other.to_str().unwrap();
    let added = json(
        &mut fixture.ours(&["key", "add", "--new-password-file", other, "--json"]),
        0,
    );
    let id = added["id"].as_str().unwrap();
    let keys = json(&mut fixture.ours(&["key", "list", "--json"]), 0);
    assert_eq!(keys.as_array().unwrap().len(), 2);
    let current = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["current"] == true);
    let current = current.unwrap()["id"].as_str().unwrap();
    assert!(fails(&mut fixture.ours(&["key", "remove", current]), 1).contains("in use"));
    json(
        &mut fixture.ours(&["key", "remove", &id[..12], "--json"]),
        0,
    );
    assert!(fails(&mut fixture.ours(&["key", "remove", id]), 1).contains("no key"));
    json(
        &mut fixture.ours(&["key", "passwd", "--new-password-file", other, "--json"]),
        0,
    );
    assert!(fails(&mut fixture.ours(&["snapshots"]), 1).contains("password"));
    fs::copy(other, fixture.file("password")).unwrap();
    fixture.restic("repo", &["check"]);
}

#[test]
fn snapshots_are_copied_to_another_repository_once() {
    let fixture = fixture();
    let to = fixture.file("to");
    let mut init = strongroom();
    init.args(["repo", "init", "--json", "--copy-chunker-params", "-r"]);
    init.arg(&to).arg("--from-repo").arg(fixture.file("repo"));
    for flag in ["--password-file", "--from-password-file"] {
        init.arg(flag).arg(fixture.file("password"));
    }
    json(&mut init, 0);
    let copy = || {
        let mut command = strongroom();
        command.args(["repo", "copy", "--json", "-r"]).arg(&to);
        for flag in ["--password-file", "--from-password-file"] {
            command.arg(flag).arg(fixture.file("password"));
        }
        lines(command.arg("--from-repo").arg(fixture.file("repo")))
    };
    assert_eq!(copy().len(), 2);
    assert_eq!(copy().len(), 0);
    fixture.restic("to", &["check", "--read-data"]);
    let listed = fixture.restic("to", &["ls", "latest"]);
    assert!(listed.contains("/new"), "{listed}");
}

#[test]
fn unused_data_goes_as_far_and_as_soon_as_is_asked_for() {
    let fixture = fixture();
    let kept = [
        "forget",
        "--keep-tag",
        "first",
        "--keep-last",
        "1",
        "--dry-run",
        "--json",
    ];
    let decided = json(&mut fixture.ours(&kept), 0);
    assert_eq!(decided["keep"].as_array().unwrap().len(), 2);
    let forgotten = json(
        &mut fixture.ours(&["forget", "--keep-last", "1", "--json"]),
        0,
    );
    assert_eq!(forgotten["remove"].as_array().unwrap().len(), 1);
    let plan = ["prune", "--max-unused", "0", "--dry-run", "--json"];
    let planned = json(&mut fixture.ours(&plan), 0);
    assert!(
        planned["bytes_repacked"].as_u64().unwrap() > 2 << 20,
        "{planned}"
    );
    let marking = [
        "prune",
        "--max-unused",
        "0",
        "--keep-delete",
        "1d",
        "--json",
    ];
    let marked = json(&mut fixture.ours(&marking), 0);
    assert_eq!(marked["packs_removed"], 0);
    assert!(marked["packs_marked"].as_u64().unwrap() > 0, "{marked}");
    fixture.restic("repo", &["check", "--read-data"]);
    let done = json(
        &mut fixture.ours(&["prune", "--max-unused", "0", "--json"]),
        0,
    );
    assert!(done["bytes_freed"].as_u64().unwrap() > 2 << 20, "{done}");
    fixture.restic("repo", &["check", "--read-data"]);
    assert!(fails(&mut fixture.ours(&["prune", "--max-unused", "much"]), 1).contains("`much`"));
}

#[test]
fn a_repository_without_index_and_with_a_lost_pack_is_repaired() {
    let fixture = fixture();
    fs::remove_dir_all(fixture.file("repo/index")).unwrap();
    fs::create_dir(fixture.file("repo/index")).unwrap();
    let mut packs = packs(&fixture.file("repo/data"));
    packs.sort_by_key(|pack| fs::metadata(pack).unwrap().len());
    fs::remove_file(packs.pop().unwrap()).unwrap();
    let repaired = json(&mut fixture.ours(&["repair", "index", "--json"]), 0);
    assert_eq!(repaired["packs_added"], packs.len());
    let found = json(
        &mut fixture.ours(&["repair", "snapshots", "--dry-run", "--json"]),
        0,
    );
    assert!(!found.as_array().unwrap().is_empty());
    json(
        &mut fixture.ours(&["repair", "snapshots", "--forget", "--json"]),
        0,
    );
    let report = json(
        &mut fixture.ours(&["check", "--read-data-subset", "100%", "--json"]),
        0,
    );
    assert_eq!(
        (&report["num_errors"], &report["packs_read"]),
        (&0.into(), &report["packs"])
    );
    fixture.restic("repo", &["check", "--read-data"]);
}

fn packs(data: &Path) -> Vec<PathBuf> {
    let directories = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = directories.flat_map(|path| fs::read_dir(path).unwrap());
    files.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_rules_of_forget_keep_what_restic_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let fixture = Fixture { dir, source };
    write_files(&fixture.source, &[10], 3);
    fs::write(fixture.file("password"), "correct horse\n").unwrap();
    json(&mut fixture.ours(&["init", "--json"]), 0);
    let source = fixture.source.to_str().unwrap();
    for time in [
        "2023-12-31 23:30:00",
        "2024-06-30 12:00:00",
        "2025-01-01 00:10:00",
        "2025-02-28 08:00:00",
        "2025-03-01 08:00:00",
        "2025-03-02 23:59:59",
        "2025-03-03 00:00:00",
        "2025-03-03 00:30:00",
        "2025-03-03 01:00:00",
        "2025-03-10 01:00:00",
        "2025-03-10 01:59:00",
        "2025-03-10 02:00:00",
    ] {
        let backup = ["backup", source, "--host", "h", "--time", time];
        fixture.restic("repo", &backup);
    }
    for rules in [
        &["--keep-last", "3"][..],
        &["--keep-hourly", "3"],
        &["--keep-daily", "3"],
        &["--keep-weekly", "3"],
        &["--keep-monthly", "3"],
        &["--keep-yearly", "3"],
        &["--keep-within", "7d1h"],
        &["--keep-within", "1y2m"],
        &[
            "--keep-daily",
            "2",
            "--keep-weekly",
            "2",
            "--keep-yearly",
            "9",
        ],
    ] {
        let args = [&["forget", "--dry-run", "--json"], rules].concat();
        let theirs = fixture.restic("repo", &args);
        let theirs: Value = serde_json::from_str(theirs.lines().next().unwrap()).unwrap();
        let ours = json(&mut fixture.ours(&args), 0);
        let ids = |kept: &Value| {
            let kept = kept.as_array().cloned().unwrap_or_default();
            let mut ids: Vec<_> = kept
                .iter()
                .map(|it| it["id"].as_str().unwrap().to_owned())
                .collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&ours["keep"]), ids(&theirs[0]["keep"]), "{rules:?}");
        assert_eq!(ids(&ours["remove"]), ids(&theirs[0]["remove"]), "{rules:?}");
    }
}
