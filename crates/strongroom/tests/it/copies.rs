//! A backup in two repositories, as a file, and found again by a scan.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{fs, process::Command};

use crate::common::{Installation, Server, assert_same, fails, json, run, write_files};

/// The text in a field.
fn text<'a>(value: &'a serde_json::Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

fn curl(url: &str, to: &std::path::Path) -> Option<i32> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--output"]).arg(to);
    run(curl.arg(url)).status.code()
}

fn add_repository(server: &Server, installation: &Installation, name: &str) {
    let location = installation.dir.path().join(name);
    let password = installation.dir.path().join("password");
    fs::write(&password, "correct horse\n").unwrap();
    let mut add = server.client(&["repository", "add", "--name", name]);
    add.arg("--location").arg(location);
    json(add.arg("--password-file").arg(password), 0);
}

#[test]
fn a_copy_outlives_the_backup_it_was_made_of() {
    let installation = Installation::new();
    let source = installation.dir.path().join("source");
    write_files(&source, &[300_000, 5, 0], 7);
    let server = installation.serve();
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "docs", "--set", &path,
    ];
    json(&mut server.client(&add), 0);
    add_repository(&server, &installation, "second");
    let backup = json(
        &mut server.client(&["backup", "create", "docs", "--wait"]),
        0,
    );
    let id = text(&backup, "id");

    let copy = ["backup", "copy", id, "--to", "second", "--wait"];
    assert_eq!(json(&mut server.client(&copy), 0)["state"], "succeeded");
    let said = fails(&mut server.client(&copy), 1);
    assert!(said.contains("is in that repository already"), "{said}");
    let copies = json(&mut server.client(&["backup", "copies", id]), 0);
    assert_eq!(copies[0]["state"], "completed", "{copies}");
    let check = ["repository", "check", "second", "--wait"];
    assert_eq!(json(&mut server.client(&check), 0)["state"], "succeeded");

    let away = ["backup", "delete", id, "--repository", "default"];
    json(&mut server.client(&away), 0);
    let target = installation.dir.path().join("restored");
    let to = target.to_str().unwrap();
    // Waits for the deletion, which holds the backup's lock.
    json(
        &mut server.client(&["restore", id, "--to", to, "--wait"]),
        0,
    );
    assert_same(&source, &target);
    let shown = json(&mut server.client(&["backup", "show", id]), 0);
    assert_eq!(shown["repository_id"], copies[0]["repository_id"]);
    let nothing = json(&mut server.client(&["backup", "copies", id]), 0);
    assert_eq!(nothing, serde_json::json!([]));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn an_export_is_downloaded_without_a_credential_until_it_ends() {
    let installation = Installation::new();
    let source = installation.dir.path().join("source");
    write_files(&source, &[300_000, 5, 0], 9);
    let server = installation.serve();
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "docs", "--set", &path,
    ];
    json(&mut server.client(&add), 0);
    let backup = json(
        &mut server.client(&["backup", "create", "docs", "--wait"]),
        0,
    );
    let id = text(&backup, "id");

    let export = json(&mut server.client(&["backup", "export", id]), 0);
    let archive = installation.dir.path().join("archive.tar.gz");
    assert_eq!(curl(text(&export, "url"), &archive), Some(0));
    let unpacked = installation.dir.path().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(&unpacked);
    assert!(run(&mut tar).status.success());
    assert_same(&source, &unpacked);

    run(&mut server.client(&["backup", "export", id, "--end"]));
    // curl's word for an answer that is an error.
    assert_eq!(curl(text(&export, "url"), &archive), Some(22));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_scan_finds_what_another_server_backed_up() {
    let (first, second) = (Installation::new(), Installation::new());
    let source = first.dir.path().join("source");
    write_files(&source, &[70_000, 5], 13);
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "docs", "--set", &path,
    ];
    let server = first.serve();
    json(&mut server.client(&add), 0);
    let backup = json(
        &mut server.client(&["backup", "create", "docs", "--wait"]),
        0,
    );
    assert_eq!(server.terminate(), Some(0));

    let server = second.serve();
    json(&mut server.client(&add), 0);
    let mut known = server.client(&["repository", "add", "--name", "theirs"]);
    known.arg("--location").arg(first.repository());
    let password = text(&first.secrets["repository"], "password_file");
    json(known.args(["--password-file", password]), 0);
    let scan = ["repository", "scan", "theirs", "--wait"];
    let scan = json(&mut server.client(&scan), 0);
    assert_eq!(scan["state"], "succeeded", "{scan}");
    let found = json(&mut server.client(&["backup", "list"]), 0);
    assert_eq!(found[0]["snapshot"], backup["snapshot"]);
    let target = second.dir.path().join("restored");
    let to = target.to_str().unwrap();
    let id = text(&found[0], "id");
    json(
        &mut server.client(&["restore", id, "--to", to, "--wait"]),
        0,
    );
    assert_same(&source, &target);
}
