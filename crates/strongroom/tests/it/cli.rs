//! What a person meets at the command line.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::{Command, Stdio},
};

use crate::common::{Installation, assert_same, fails, json, run, strongroom, write_files};

#[test]
fn a_typo_is_a_usage_error_with_a_suggestion() {
    let said = fails(strongroom().arg("resorce"), 2);
    assert!(said.contains("resource"), "{said}");
    let said = fails(strongroom().args(["backup", "create"]), 2);
    assert!(said.contains("<RESOURCE>"), "{said}");
    let set = [
        "resource", "add", "--kind", "files", "--name", "x", "--set", "nothing",
    ];
    assert!(fails(strongroom().args(set), 2).contains("KEY=VALUE"));
}

#[test]
fn a_missing_token_or_server_is_said_with_a_hint() {
    let said = fails(strongroom().args(["backup", "list"]), 1);
    assert!(
        said.starts_with("error: no API token was given\nhint: "),
        "{said}"
    );
    let nowhere = [
        "backup",
        "list",
        "--token",
        "x",
        "--url",
        "http://127.0.0.1:9",
    ];
    let said = fails(strongroom().args(nowhere), 1);
    assert!(
        said.contains("cannot reach the server at http://127.0.0.1:9/"),
        "{said}"
    );
    assert!(
        said.contains("hint: start one with `strongroom serve`"),
        "{said}"
    );
}

#[test]
fn init_refuses_a_directory_in_use_and_keeps_it() {
    let installation = Installation::new();
    let before = fs::read(installation.data_dir().join("keys/server.key")).unwrap();
    let said = fails(
        strongroom()
            .args(["init", "--data-dir"])
            .arg(installation.data_dir()),
        1,
    );
    assert!(said.contains("is already initialised"), "{said}");
    assert_eq!(
        fs::read(installation.data_dir().join("keys/server.key")).unwrap(),
        before
    );

    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("keys")).unwrap();
    fs::write(other.path().join("keys/mine"), "precious").unwrap();
    let said = fails(
        strongroom().args(["init", "--data-dir"]).arg(other.path()),
        1,
    );
    assert!(said.contains("is in the way"), "{said}");
    assert_eq!(
        fs::read_to_string(other.path().join("keys/mine")).unwrap(),
        "precious"
    );
}

#[test]
fn serve_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let said = fails(
        strongroom().args(["serve", "--data-dir"]).arg(dir.path()),
        1,
    );
    assert!(said.contains("is not initialised"), "{said}");
    assert!(said.contains("hint: run `strongroom init"), "{said}");
    let config = dir.path().join("c.toml");
    fs::write(&config, "lisen = 1").unwrap();
    let said = fails(strongroom().args(["serve", "--config"]).arg(&config), 1);
    assert!(said.contains("unknown field `lisen`"), "{said}");
}

#[test]
fn a_second_server_on_one_catalog_is_refused() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut second = strongroom();
    second
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(installation.data_dir());
    let said = fails(&mut second, 1);
    assert!(
        said.contains("another process") || said.contains("in use"),
        "{said}"
    );
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn files_are_protected_browsed_and_restored_through_the_command_line() {
    let installation = Installation::new();
    let source = installation.dir.path().join("source");
    write_files(&source, &[100_000, 5, 0], 3);
    let server = installation.serve();
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "docs", "--set", &path,
    ];
    let resource = json(&mut server.client(&add), 0);
    assert_eq!(resource["kind"], "files");
    let again = fails(&mut server.client(&add), 1);
    assert!(again.contains("docs"), "{again}");

    let create = ["backup", "create", "docs", "--name", "first", "--wait"];
    let backup = json(&mut server.client(&create), 0);
    assert_eq!(
        (&backup["state"], &backup["name"]),
        (&"completed".into(), &"first".into())
    );
    let id = backup["id"].as_str().unwrap();
    let listed = json(
        &mut server.client(&["backup", "list", "--resource", "docs"]),
        0,
    );
    assert_eq!(listed[0]["id"], id);
    let entries = json(&mut server.client(&["backup", "browse", id, "d0"]), 0);
    assert_eq!(entries[0]["path"], "d0/f0");

    let target = installation.dir.path().join("restored");
    let to = target.to_str().unwrap();
    let restore = ["restore", id, "--to", to, "--wait"];
    assert_eq!(json(&mut server.client(&restore), 0)["state"], "completed");
    assert_same(&source, &target);

    let one = installation.dir.path().join("one");
    let include = [
        "restore",
        id,
        "--to",
        one.to_str().unwrap(),
        "--include",
        "/d1",
        "--wait",
    ];
    json(&mut server.client(&include), 0);
    assert!(one.join("d1/f1").exists() && !one.join("d0").exists());

    let missing = fails(&mut server.client(&["backup", "create", "nothing"]), 1);
    assert!(
        missing.contains("resource `nothing` not found"),
        "{missing}"
    );
    let mut stranger = server.client(&["backup", "list"]);
    let said = fails(stranger.env("STRONGROOM_TOKEN", "wrong"), 1);
    assert!(said.contains("401"), "{said}");
    assert_eq!(server.terminate(), Some(0));
    installation.restic(&["check", "--read-data"]);
}

#[test]
fn resources_repositories_and_policies_go_by_their_names() {
    let installation = Installation::new();
    let server = installation.serve();
    let add = [
        "resource",
        "add",
        "--kind",
        "files",
        "--name",
        "docs",
        "--set",
        "path=/etc",
    ];
    json(&mut server.client(&add), 0);
    let add = [
        "policy",
        "add",
        "--name",
        "nightly",
        "--resource",
        "docs",
        "--cron",
        "0 2 * * *",
        "--repository",
        "default",
    ];
    let policy = json(&mut server.client(&add), 0);
    let default = json(&mut server.client(&["repository", "show", "default"]), 0);
    assert_eq!(policy["repositories"][0], default["id"]);
    assert_eq!(policy["repository_id"], default["id"]);
    let beside = ["--copy-to", "default", "--copy-keep-last", "1"];
    let said = fails(&mut server.client(&[&add[..], &beside].concat()), 1);
    assert!(said.contains("copy_to.repository_id"), "{said}");
    for (noun, name) in [
        ("resource", "docs"),
        ("policy", "nightly"),
        ("repository", "default"),
    ] {
        let found = json(&mut server.client(&[noun, "show", name]), 0);
        assert_eq!(found["name"], name);
        let id = found["id"].as_str().unwrap();
        let same = json(&mut server.client(&[noun, "show", id]), 0);
        assert_eq!(same["name"], name);
        let said = fails(&mut server.client(&[noun, "show", "other"]), 1);
        assert!(
            said.contains(&format!("{noun} `other` not found")),
            "{said}"
        );
        let hint = format!("hint: `strongroom {noun} list` shows what there is");
        assert!(said.contains(&hint), "{said}");
    }
    let into = ["backup", "create", "docs", "--repository", "default"];
    json(&mut server.client(&into), 0);
}

#[test]
fn a_backup_goes_by_its_name_where_no_other_has_it() {
    let installation = Installation::new();
    let source = installation.dir.path().join("source");
    write_files(&source, &[5], 3);
    let server = installation.serve();
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "docs", "--set", &path,
    ];
    json(&mut server.client(&add), 0);
    let back_up = |name: &str| {
        let create = ["backup", "create", "docs", "--name", name, "--wait"];
        let backup = json(&mut server.client(&create), 0);
        backup["id"].as_str().unwrap().to_owned()
    };
    let (first, twice) = (back_up("first"), [back_up("twice"), back_up("twice")]);
    let shown = json(&mut server.client(&["backup", "show", "first"]), 0);
    assert_eq!(shown["id"], *first);
    let target = installation.dir.path().join("restored");
    let restore = [
        "restore",
        "first",
        "--to",
        target.to_str().unwrap(),
        "--wait",
    ];
    json(&mut server.client(&restore), 0);
    assert_same(&source, &target);
    for delete in [["backup", "delete", "twice"], ["backup", "show", "twice"]] {
        let said = fails(&mut server.client(&delete), 1);
        assert!(said.contains("2 backups have the name `twice`"), "{said}");
        assert!(twice.iter().all(|it| said.contains(it)), "{said}");
        assert!(said.contains("hint: give its id"), "{said}");
    }
    run(&mut server.client(&["backup", "delete", "first"]));
    let said = fails(&mut server.client(&["backup", "show", "other"]), 1);
    assert!(said.contains("backup `other` not found"), "{said}");
}

/// Takes one request and answers it.
#[expect(clippy::unwrap_used, reason = "a test")]
fn answer_once(listener: &TcpListener, body: &str) {
    let (stream, _) = listener.accept().unwrap();
    let mut request = BufReader::new(&stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line).unwrap();
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(given) = line.strip_prefix("content-length:") {
            length = given.trim().parse().unwrap();
        }
    }
    io::copy(&mut request.take(length), &mut io::sink()).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    (&stream).write_all((head + body).as_bytes()).unwrap();
}

#[test]
fn who_stops_waiting_is_told_that_the_backup_goes_on() {
    let id = "bab39d53-2d04-5297-b92e-58df89a2117b";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut client = strongroom();
    client
        .args([
            "backup", "create", id, "--wait", "--token", "x", "--url", &url,
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let client = client.spawn().unwrap();
    // A server whose backup never ends: its second answer is to somebody who waits.
    let backup = format!(r#"{{"id": "{id}", "state": "running"}}"#);
    for body in [format!(r#"{{"backup": {backup}}}"#), backup] {
        answer_once(&listener, &body);
    }
    let pid = client.id().to_string();
    let sent = Command::new("sh")
        .args(["-c", "kill -INT $0", &pid])
        .status();
    assert!(sent.unwrap().success());
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains(&format!("the backup {id} goes on on the server")),
        "{said}"
    );
    assert!(
        said.contains(&format!("`strongroom backup cancel {id}`")),
        "{said}"
    );
}

#[test]
fn a_backup_that_fails_names_the_path_and_ends_with_1() {
    let installation = Installation::new();
    let server = installation.serve();
    let gone = installation.dir.path().join("gone");
    let path = format!("path={}", gone.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "gone", "--set", &path,
    ];
    json(&mut server.client(&add), 0);
    let output = run(&mut server.client(&["backup", "create", "gone", "--wait"]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(gone.to_str().unwrap()), "{said}");
}

#[test]
fn the_engine_alone_works_beside_stock_restic() {
    let dir = tempfile::tempdir().unwrap();
    let (source, repo) = (dir.path().join("source"), dir.path().join("repo"));
    write_files(&source, &[3 << 20, 70_000, 1, 0], 11);
    let password = dir.path().join("password");
    fs::write(&password, "correct horse\n").unwrap();
    let ours = |args: &[&str]| {
        let mut command = strongroom();
        command
            .arg("repo")
            .args(args)
            .arg("-r")
            .arg(&repo)
            .arg("--password-file")
            .arg(&password);
        command
    };
    let theirs = |args: &[&str]| {
        let mut command = Command::new("restic");
        command
            .args(["--no-cache", "-r"])
            .arg(&repo)
            .arg("--password-file")
            .arg(&password);
        let output = command.args(args).output().expect("apt-get install restic");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    json(&mut ours(&["init", "--json"]), 0);
    let path = source.to_str().unwrap();
    let done = json(&mut ours(&["backup", path, "--json", "--tag", "a"]), 0);
    let id = done["snapshot_id"].as_str().unwrap();
    theirs(&["check", "--read-data"]);
    let out = dir.path().join("theirs");
    theirs(&["restore", id, "--target", out.to_str().unwrap()]);
    assert_same(&source, &out.join(path.trim_start_matches('/')));

    // What restic backs up after us is known already, and the other way round.
    theirs(&["backup", "--host", "other", path]);
    let snapshots = json(&mut ours(&["snapshots", "--json"]), 0);
    assert_eq!(snapshots.as_array().unwrap().len(), 2);
    let again = json(&mut ours(&["backup", path, "--json"]), 0);
    assert_eq!(again["files_unmodified"], 4, "{again}");
    let report = json(&mut ours(&["check", "--read-data", "--json"]), 0);
    assert_eq!(report["num_errors"], 0);

    let forgotten = json(&mut ours(&["forget", "--keep-last", "1", "--json"]), 0);
    assert_eq!(
        forgotten["remove"].as_array().unwrap().len(),
        1,
        "{forgotten}"
    );
    json(&mut ours(&["prune", "--json"]), 0);
    theirs(&["check", "--read-data"]);
    let target = dir.path().join("ours");
    let to = target.to_str().unwrap();
    json(
        &mut ours(&["restore", "latest", "--target", to, "--json"]),
        0,
    );
    assert_same(&source, &target.join(path.trim_start_matches('/')));

    fs::write(&password, "wrong").unwrap();
    let said = fails(&mut ours(&["snapshots"]), 1);
    assert!(said.contains("password"), "{said}");
}

#[test]
fn a_backup_shows_how_much_there_is_to_do_on_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let (source, repo) = (dir.path().join("source"), dir.path().join("repo"));
    write_files(&source, &[40 << 20], 5);
    let password = dir.path().join("password");
    fs::write(&password, "correct horse").unwrap();
    let program = env!("CARGO_BIN_EXE_strongroom");
    let common = format!(
        "-r {} --password-file {}",
        repo.display(),
        password.display()
    );
    let init = format!("{program} repo init {common}");
    let backup = format!(
        "{program} repo backup {common} --no-cache {}",
        source.display()
    );
    // util-linux's program gives its command a terminal.
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command"]);
    terminal.arg(format!("{init} && {backup}")).arg("/dev/null");
    let output = run(terminal.env("TERM", "xterm"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("/40.00 MiB") && said.contains("eta "),
        "{said}"
    );
}
