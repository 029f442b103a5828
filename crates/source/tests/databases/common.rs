//! What the tests of both kinds share: a stored tree in memory, backups into it and restores from
//! it.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use strongroom_domain::{
    DatabaseServer, ResourceKind,
    resource::Settings,
    tree::{
        Content, Context, Entry, EntryKind, EntryPath, Metadata, Overwrite, Patterns,
        RestoreOptions, RestoreReport, TreeError, TreeNode, TreeReader,
    },
};
use strongroom_source::{
    PrepareRequest, Registry, RestoreRequest, RestoreTarget, SourceConfig, SourceError,
};
use tempfile::TempDir;

/// A stored tree.
#[derive(Debug, Default, Clone)]
pub(crate) struct Stored(pub(crate) BTreeMap<EntryPath, Vec<u8>>);

impl Stored {
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }

    pub(crate) fn get(&self, path: &str) -> &[u8] {
        &self.0[&EntryPath::try_from(path).unwrap()]
    }

    pub(crate) fn set(&mut self, path: &str, content: &[u8]) {
        let path = EntryPath::try_from(path).unwrap();
        self.0.insert(path, content.to_vec());
    }

    /// The same backup, of a server that said something else of itself.
    pub(crate) fn saying(&self, pointer: &str, value: serde_json::Value) -> Self {
        let mut server = self.server();
        *server.pointer_mut(pointer).unwrap() = value;
        let mut other = self.clone();
        other.set("server.json", &serde_json::to_vec(&server).unwrap());
        other
    }

    pub(crate) fn server(&self) -> serde_json::Value {
        serde_json::from_slice(self.get("server.json")).unwrap()
    }
}

impl TreeReader for Stored {
    fn nodes(&self) -> Box<dyn Iterator<Item = Result<TreeNode, TreeError>> + Send + '_> {
        let time = "2026-01-01T00:00:00Z".parse().unwrap();
        Box::new(self.0.keys().map(move |path| {
            let metadata = Metadata::synthetic(EntryKind::File, 0o600, time);
            let path = path.clone();
            Ok(TreeNode { path, metadata })
        }))
    }

    fn open(&self, path: &EntryPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        match self.0.get(path) {
            Some(content) => Ok(Box::new(&content[..])),
            None => Err(TreeError::NotFound(path.clone())),
        }
    }

    fn subtree(&self, path: &EntryPath) -> Result<Box<dyn TreeReader + '_>, TreeError> {
        Err(TreeError::NotFound(path.clone()))
    }

    fn restore_to(
        &self,
        _target: &Path,
        _options: &RestoreOptions,
        _context: &Context,
    ) -> Result<RestoreReport, TreeError> {
        Err(TreeError::Cancelled)
    }
}

/// A server as a resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: ResourceKind,
    pub(crate) settings: Settings,
    pub(crate) programs: Option<PathBuf>,
}

impl Resource {
    pub(crate) fn new(kind: ResourceKind, pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Self {
            kind,
            settings: Settings(pairs.collect()),
            programs: None,
        }
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.0.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::new(SourceConfig {
            database_programs: self.programs.clone(),
            ..SourceConfig::default()
        })
    }

    /// The entries of a backup, not read yet.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, SourceError> {
        let registry = self.registry();
        assert_eq!(registry.validate(self.kind, &self.settings), []);
        let source = registry.get(self.kind).unwrap();
        let request = PrepareRequest {
            resource: "db".to_owned(),
            settings: self.settings.clone(),
            time: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let context = Context::default();
        let prepared = source.prepare(request, &context)?;
        let entries = source.entries(&prepared, &context)?;
        assert!(entries.whole, "half a dump is worthless");
        let entries: Vec<_> = entries.stream.map(Result::unwrap).collect();
        assert!(entries.is_sorted_by(|a, b| a.path < b.path));
        Ok(entries)
    }

    /// Makes a backup.
    pub(crate) fn back_up(&self) -> Stored {
        self.back_up_while(|| ())
    }

    /// Makes a backup, and does something while the first file is being written, of which less than
    /// all fits into a pipe.
    pub(crate) fn back_up_while(&self, during: impl FnOnce()) -> Stored {
        let mut during = Some(during);
        let read = |entry: Entry| {
            let path = entry.path.clone();
            let mut file = open(entry);
            let mut content = Vec::new();
            let start = file.by_ref().take(100_000).read_to_end(&mut content);
            start.unwrap();
            if let Some(during) = during.take() {
                during();
            }
            file.read_to_end(&mut content).unwrap();
            (path, content)
        };
        Stored(self.entries().unwrap().into_iter().map(read).collect())
    }

    /// What the catalog is told of a backup: its mode, and how many databases are in it.
    pub(crate) fn about(&self, stored: &Stored) -> (String, u64) {
        let registry = self.registry();
        let about = registry.get(self.kind).unwrap().about(stored).unwrap();
        let server = DatabaseServer::of(&about).unwrap();
        assert!(server.size_bytes.is_some(), "{server:?}");
        (server.mode, server.databases)
    }

    /// The error that a backup comes to before anything is read.
    pub(crate) fn refusal(&self) -> SourceError {
        self.entries().expect_err("the backup is refused")
    }

    /// Restores what `include` names to this server, renamed.
    pub(crate) fn restore(
        &self,
        stored: &Stored,
        include: &[&str],
        rename: &[(&str, &str)],
    ) -> Result<RestoreReport, SourceError> {
        let target = RestoreTarget::Resource {
            name: "db".to_owned(),
            settings: self.settings.clone(),
        };
        self.restore_to(stored, target, include, rename, Overwrite::IfChanged)
    }

    pub(crate) fn restore_to(
        &self,
        stored: &Stored,
        target: RestoreTarget,
        include: &[&str],
        rename: &[(&str, &str)],
        overwrite: Overwrite,
    ) -> Result<RestoreReport, SourceError> {
        let rename = rename
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let request = RestoreRequest {
            target,
            include: Patterns::new(include).unwrap(),
            overwrite,
            rename: rename.collect(),
        };
        let registry = self.registry();
        let source = registry.get(self.kind).unwrap();
        source.restore(&request, stored, &Context::default())
    }
}

/// An entry's content.
pub(crate) fn open(entry: Entry) -> Box<dyn Read + Send> {
    assert!(!entry.comparable, "a dump must always be read");
    let Content::Reader(open) = entry.content else {
        panic!("`{}` has no content", entry.path)
    };
    open().unwrap()
}

/// A file with a password, and the directory that it is in.
pub(crate) fn password_file(password: &str) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    fs::write(&path, format!("{password}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

/// A directory with a program that only tells its version, and the real ones of other names.
pub(crate) fn programs(fake: &str, says: &str, real: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(fake);
    fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    for name in real {
        std::os::unix::fs::symlink(format!("/usr/bin/{name}"), dir.path().join(name)).unwrap();
    }
    dir
}

/// Runs a program with an input; gives what it prints.
pub(crate) fn run(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    feeder.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A command that drops root, which servers refuse to run as.
pub(crate) fn as_user(user: &str, program: &str) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let [uid, gid] = [["-u", user], ["-g", user]].map(|it| {
        let id = run(Command::new("id").args(it), "");
        id.trim().to_owned()
    });
    command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
    command.args(["--clear-groups", program]);
    command
}

/// A directory with a short path (sockets are in it) that belongs to a user.
pub(crate) fn home_of(user: &str) -> TempDir {
    let dir = tempfile::Builder::new()
        .prefix("strongroom-")
        .tempdir_in("/tmp")
        .unwrap();
    if rustix::process::geteuid().is_root() {
        run(Command::new("chown").arg(user).arg(dir.path()), "");
    }
    dir
}

/// What tests are told about the server they may use.
pub(crate) fn told(variable: &str, package: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told so where the server is"
    )]
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: run the tests with `cargo nextest run`, which starts a \
             private server (needs `apt-get install {package}`)"
        )
    })
}

/// Makes a certificate for `localhost` in `directory`, as `NAME.crt` and `NAME.key`, that belongs
/// to a user.
pub(crate) fn certificate(directory: &Path, name: &str, user: &str) {
    let [key, certificate] = ["key", "crt"].map(|it| directory.join(format!("{name}.{it}")));
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
    ]);
    openssl.args([
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]);
    openssl
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    run(&mut openssl, "");
    if rustix::process::geteuid().is_root() {
        run(
            Command::new("chown").arg(user).args([&key, &certificate]),
            "",
        );
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
