//! The real binary, in directories and on ports of its own.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The binary with an environment that the test controls.
pub(crate) fn strongroom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STRONGROOM_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// What a command printed as data, which must be JSON; it must have ended with `code`.
pub(crate) fn json(command: &mut Command, code: i32) -> Value {
    let output = run(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a command that must fail said.
pub(crate) fn fails(command: &mut Command, code: i32) -> String {
    let output = run(command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    assert!(output.stdout.is_empty(), "{command:?} printed data");
    said
}

/// An initialised data directory.
pub(crate) struct Installation {
    pub(crate) dir: TempDir,
    pub(crate) secrets: Value,
}

impl Installation {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut init = strongroom();
        init.args(["init", "--json", "--data-dir"])
            .arg(dir.path().join("data"));
        let secrets = json(&mut init, 0);
        Self { dir, secrets }
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.data_dir().join("repositories/default")
    }

    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn serve_with(&self, more: &[&str]) -> Server {
        let mut command = strongroom();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(self.data_dir())
            .args(more)
            .env("HOME", self.dir.path());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Somebody must read the log, or the server would block on a full pipe.
        let errors = BufReader::new(child.stderr.take().unwrap());
        let log = std::thread::spawn(move || {
            errors
                .lines()
                .map_while(Result::ok)
                .collect::<Vec<_>>()
                .join("\n")
        });
        let Some(Ok(ready)) = lines.next() else {
            panic!("the server did not start: {}", log.join().unwrap());
        };
        let url = ready.strip_prefix("ready ").unwrap().to_owned();
        Server {
            child,
            url,
            token: self.secrets["api_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Stock restic on the default repository; it must succeed.
    pub(crate) fn restic(&self, args: &[&str]) -> String {
        let output = Command::new("restic")
            .args(["--no-cache", "-r"])
            .arg(self.repository())
            .arg("--password-file")
            .arg(
                self.secrets["repository"]["password_file"]
                    .as_str()
                    .unwrap(),
            )
            .args(args)
            .output()
            .expect("restic is needed: apt-get install restic");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "restic {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Server {
    /// A client command for this server.
    pub(crate) fn client(&self, args: &[&str]) -> Command {
        let mut command = strongroom();
        command
            .args(args)
            .env("STRONGROOM_URL", &self.url)
            .env("STRONGROOM_TOKEN", &self.token)
            .env("STRONGROOM_JSON", "true");
        command
    }

    /// SIGKILL: the process gets no chance to clean up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        // The shell's own `kill`: the program is in a package that not every machine has.
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill $0", &pid]).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone if the test ended it.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Files of `sizes` bytes that no compression makes smaller, the same for the same `seed`.
pub(crate) fn write_files(dir: &Path, sizes: &[usize], seed: u64) {
    let mut state = seed | 1;
    for (at, size) in sizes.iter().enumerate() {
        let mut bytes = vec![0; *size];
        for chunk in bytes.chunks_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
        }
        let path = dir.join(format!("d{}/f{at}", at % 3));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// `diff -r` must find nothing.
pub(crate) fn assert_same(a: &Path, b: &Path) {
    let output = Command::new("diff")
        .args(["-r", "--no-dereference"])
        .args([a, b])
        .output();
    let output = output.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
