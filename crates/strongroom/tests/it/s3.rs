//! Repositories on S3, from the command line and behind a server.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::common::{Installation, assert_same, fails, json, run, strongroom, write_files};

/// The server that `scripts/test-s3` started.
struct S3 {
    url: String,
    key: String,
    secret: String,
}

impl S3 {
    #[expect(
        clippy::disallowed_methods,
        reason = "given by the set-up of the test run"
    )]
    fn new() -> Self {
        let variable = |name: &str| {
            let missing = |_| panic!("`{name}` is not set: run the tests with cargo nextest");
            std::env::var(name).unwrap_or_else(missing)
        };
        Self {
            url: variable("STRONGROOM_TEST_S3"),
            key: variable("STRONGROOM_TEST_S3_KEY"),
            secret: variable("STRONGROOM_TEST_S3_SECRET"),
        }
    }

    fn place(&self) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        format!("s3:{}/tests/cli/{}-{number}", self.url, std::process::id())
    }

    /// A command with the credentials where all clients of S3 look for them.
    fn with_credentials<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
    }

    fn restic(&self, place: &str, password: &Path, args: &[&str]) -> Output {
        let mut restic = Command::new("restic");
        restic.args(["--no-cache", "-r", place, "--password-file"]);
        let output = run(self.with_credentials(restic.arg(password).args(args)));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "restic {args:?}: {said}");
        output
    }
}

fn without_credentials(command: &mut Command) -> &mut Command {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"];
    for name in names {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent")
}

#[test]
fn repo_commands_work_on_s3_and_stock_restic_agrees() {
    let (s3, dir) = (S3::new(), tempfile::tempdir().unwrap());
    let (place, source) = (s3.place(), dir.path().join("source"));
    write_files(&source, &[3 << 20, 1_000, 0], 5);
    let password = dir.path().join("password");
    fs::write(&password, "pass word").unwrap();
    let repo = |verb: &str, args: &[&str]| {
        let mut command = strongroom();
        command.args(["repo", verb, "--json", "-r", &place, "--password-file"]);
        command.arg(&password).args(args);
        command
    };
    let said = fails(without_credentials(&mut repo("init", &[])), 1);
    assert!(said.contains("AWS_ACCESS_KEY_ID"), "{said}");

    let done = |verb: &str, args: &[&str]| json(s3.with_credentials(&mut repo(verb, args)), 0);
    done("init", &[]);
    let said = fails(s3.with_credentials(&mut repo("init", &[])), 1);
    assert!(said.contains(&format!("`{place}` is a repository already")));
    let limit = ["--limit-upload", "100000", source.to_str().unwrap()];
    let summary = done("backup", &limit);
    assert_eq!(summary["files_new"], 3, "{summary}");
    done("check", &["--read-data"]);
    s3.restic(&place, &password, &["check", "--read-data"]);
    let target = dir.path().join("target");
    done("restore", &["latest", "-t", target.to_str().unwrap()]);
    let restored = target.join(source.strip_prefix("/").unwrap());
    assert_same(&source, &restored);
}

#[test]
fn a_server_keeps_backups_on_s3_across_a_restart() {
    let (s3, installation) = (S3::new(), Installation::new());
    let dir = installation.dir.path();
    let (place, source) = (s3.place(), dir.join("source"));
    write_files(&source, &[20 << 20, 3 << 20, 1_000, 0], 9);
    let secret = dir.join("secret");
    fs::write(&secret, &s3.secret).unwrap();
    let password = dir.join("password");
    fs::write(&password, "pass word").unwrap();
    let config = format!(
        "[[s3]]\nurl = 's3:{}/tests'\naccess_key_id = '{}'\nsecret_access_key_file = '{}'\n",
        s3.url,
        s3.key,
        secret.display()
    );
    fs::write(installation.data_dir().join("strongroom.toml"), config).unwrap();

    let server = installation.serve();
    let file = password.to_str().unwrap();
    let add = [
        "repository",
        "add",
        "--name",
        "bucket",
        "--location",
        &place,
        "--password-file",
        file,
        "--default",
    ];
    let repository = json(&mut server.client(&add), 0);
    assert_eq!(repository["url"], place, "{repository}");
    let elsewhere = [
        "repository",
        "add",
        "--name",
        "x",
        "--location",
        "s3:http://127.0.0.1:9/b",
    ];
    let said = fails(&mut server.client(&elsewhere), 1);
    assert!(said.contains("no credentials for S3"), "{said}");
    let path = format!("path={}", source.display());
    let add = [
        "resource", "add", "--kind", "files", "--name", "source", "--set", &path,
    ];
    json(&mut server.client(&add), 0);
    let create = ["backup", "create", "source", "--wait"];
    let backup = json(&mut server.client(&create), 0);
    assert_eq!(backup["state"], "completed", "{backup}");
    assert_eq!(backup["repository_id"], repository["id"], "{backup}");
    assert_eq!(server.terminate(), Some(0));

    let server = installation.serve();
    let target = dir.join("restored");
    let id = backup["id"].as_str().unwrap();
    let restore = ["restore", id, "--to", target.to_str().unwrap(), "--wait"];
    let restore = json(&mut server.client(&restore), 0);
    assert_eq!(restore["state"], "completed", "{restore}");
    assert_same(&source, &target);
    assert_eq!(server.terminate(), Some(0));
    s3.restic(&place, &password, &["check", "--read-data"]);
}
