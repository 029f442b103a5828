//! What the tests share: a clock, real trees, faulty storage and stock restic.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_domain::Clock;
use strongroom_domain::tree::{
    Content, Context, DeviceKind, Entry, EntryError, EntryKind, EntryPath, EntryStream, Metadata,
    Phase, Xattr,
};
use strongroom_engine::backend::{FileKind, Handle, Listed};
use strongroom_engine::{
    Backend, BackupOptions, Credential, InitOptions, KdfCost, LocalBackend, Repository,
};

pub(crate) const PASSWORD: &str = "correct horse";

/// A clock that tests set; it moves by a second with every look, so that snapshots have an order.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// Starts at the real time, which stock restic on the same repository goes by.
    pub(crate) fn new() -> Arc<Self> {
        let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap();
        Arc::new(Self(AtomicI64::new(
            i64::try_from(since_epoch.as_secs()).unwrap(),
        )))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

pub(crate) fn init(backend: Arc<dyn Backend>) -> Repository {
    let options = InitOptions {
        kdf: KdfCost::MACHINE,
        ..InitOptions::new(PASSWORD)
    };
    Repository::init(backend, TestClock::new(), &options).unwrap()
}

pub(crate) fn open(backend: Arc<dyn Backend>) -> Repository {
    Repository::open(backend, TestClock::new(), &Credential::password(PASSWORD)).unwrap()
}

pub(crate) fn init_local(path: &Path) -> Repository {
    init(Arc::new(LocalBackend::new(path)))
}

pub(crate) fn open_local(path: &Path) -> Repository {
    open(Arc::new(LocalBackend::new(path)))
}

pub(crate) fn options() -> BackupOptions {
    BackupOptions {
        hostname: "host".into(),
        paths: vec!["/src".into()],
        ..BackupOptions::default()
    }
}

pub(crate) fn path(text: &str) -> EntryPath {
    EntryPath::try_from(text).unwrap()
}

/// Backs up a directory's entries as they are on disk.
pub(crate) fn back_up_directory(
    repository: &Repository,
    directory: &Path,
    options: &BackupOptions,
) -> strongroom_engine::BackupOutcome {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let outcome = indexed
        .backup(entries_of(directory), options, &context)
        .unwrap();
    assert_eq!(outcome.failures, []);
    outcome
}

/// A stream of made-up files with a content each.
pub(crate) fn made_up(files: &[(&str, &[u8])]) -> Box<dyn EntryStream> {
    let entry = |(name, content): &(&str, &[u8])| {
        let mut metadata = Metadata::synthetic(EntryKind::File, 0o644, Timestamp::UNIX_EPOCH);
        metadata.size = content.len() as u64;
        Ok(Entry::file(
            path(name),
            metadata,
            Content::from_bytes(*content),
        ))
    };
    Box::new(files.iter().map(entry).collect::<Vec<_>>().into_iter())
}

/// The entries below a directory, in tree order.
pub(crate) fn entries_of(directory: &Path) -> Box<dyn EntryStream> {
    let mut entries = Vec::new();
    collect(directory, &EntryPath::root(), &mut entries);
    Box::new(entries.into_iter())
}

fn collect(directory: &Path, at: &EntryPath, out: &mut Vec<Result<Entry, EntryError>>) {
    let names = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_vec());
    let mut names: Vec<Vec<u8>> = names.collect();
    names.sort();
    for name in names {
        let file = directory.join(std::ffi::OsStr::from_bytes(&name));
        let at = at.join(&name).unwrap();
        match metadata_of(&file) {
            Ok(metadata) => {
                let is_dir = metadata.is_dir();
                let from = file.clone();
                let entry = if metadata.is_file() {
                    let open = move || Ok(Box::new(fs::File::open(from)?) as Box<dyn Read + Send>);
                    Entry::file(at.clone(), metadata, Content::from_opener(open))
                } else {
                    Entry::other(at.clone(), metadata)
                };
                out.push(Ok(entry));
                if is_dir {
                    collect(&file, &at, out);
                }
            }
            Err(error) => out.push(Err(EntryError::new(at, Phase::Metadata, error))),
        }
    }
}

fn metadata_of(file: &Path) -> io::Result<Metadata> {
    let stat = fs::symlink_metadata(file)?;
    let kind = match stat.file_type() {
        t if t.is_dir() => EntryKind::Directory,
        t if t.is_symlink() => EntryKind::Symlink {
            target: fs::read_link(file)?.into_os_string().into_vec(),
        },
        t if t.is_fifo() => EntryKind::Fifo,
        t if t.is_socket() => EntryKind::Socket,
        t if t.is_block_device() => EntryKind::Device {
            kind: DeviceKind::Block,
            rdev: stat.rdev(),
        },
        t if t.is_char_device() => EntryKind::Device {
            kind: DeviceKind::Character,
            rdev: stat.rdev(),
        },
        _ => EntryKind::File,
    };
    let time = |seconds, nanoseconds: i64| {
        Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap()).unwrap()
    };
    let xattrs = xattr::list(file)?.map(|name| Xattr {
        value: xattr::get(file, &name).unwrap().unwrap(),
        name: name.into_vec(),
    });
    Ok(Metadata {
        mode: stat.mode() & 0o7777,
        mtime: time(stat.mtime(), stat.mtime_nsec()),
        atime: time(stat.atime(), stat.atime_nsec()),
        ctime: time(stat.ctime(), stat.ctime_nsec()),
        uid: stat.uid(),
        gid: stat.gid(),
        user: name_in("/etc/passwd", stat.uid()),
        group: name_in("/etc/group", stat.gid()),
        size: if kind == EntryKind::File {
            stat.len()
        } else {
            0
        },
        inode: stat.ino(),
        device: stat.dev(),
        // restic counts links of everything but directories, pipes and sockets.
        links: match kind {
            EntryKind::Directory | EntryKind::Fifo | EntryKind::Socket => 0,
            _ => stat.nlink(),
        },
        xattrs: xattrs.collect(),
        kind,
    })
}

fn name_in(file: &str, id: u32) -> String {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = lines.find(|fields| fields.get(2) == Some(&id.to_string().as_str()));
    found.map(|fields| fields[0].to_owned()).unwrap_or_default()
}

/// Everything about a tree that a restore must bring back, by path.
pub(crate) fn fingerprint(directory: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut found = BTreeMap::new();
    let mut inodes: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for entry in entries_of(directory) {
        let entry = entry.unwrap();
        let mut meta = entry.metadata;
        let key = entry.path.as_bytes().to_vec();
        let first = if meta.links > 1 {
            inodes.entry(meta.inode).or_insert(key.clone()).clone()
        } else {
            Vec::new()
        };
        let content = if meta.is_file() {
            let file = directory.join(std::ffi::OsStr::from_bytes(&key));
            strongroom_engine::Id::of(&fs::read(file).unwrap()).to_hex()
        } else {
            String::new()
        };
        (meta.inode, meta.device, meta.ctime, meta.atime) = (0, 0, meta.mtime, meta.mtime);
        meta.xattrs.sort_by(|a, b| a.name.cmp(&b.name));
        found.insert(key, format!("{meta:?} {content} first: {first:?}"));
    }
    found
}

/// Fails with the first difference between two trees.
pub(crate) fn assert_same_tree(expected: &Path, actual: &Path) {
    let (expected, actual) = (fingerprint(expected), fingerprint(actual));
    for (path, value) in &expected {
        assert_eq!(actual.get(path), Some(value), "{}", path.escape_ascii());
    }
    let more: Vec<_> = actual
        .keys()
        .filter(|path| !expected.contains_key(*path))
        .collect();
    assert!(more.is_empty(), "not in the source: {more:?}");
}

/// Data that does not compress and has no repetition.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next)
        .flatten()
        .take(length)
        .collect()
}

/// A tree with everything that is odd about file systems.
pub(crate) fn odd_tree(root: &Path) {
    let text: Vec<u8> = (0..200_000)
        .flat_map(|n: u32| format!("line {n}\n").into_bytes())
        .collect();
    fs::create_dir_all(root.join("dir/deep/er")).unwrap();
    fs::create_dir(root.join("empty-dir")).unwrap();
    fs::write(root.join("empty"), "").unwrap();
    fs::write(root.join("small"), "hello").unwrap();
    fs::write(root.join("dir/text"), &text).unwrap();
    fs::write(root.join("dir/deep/noise"), noise(5 << 20, 1)).unwrap();
    fs::write(root.join("dir/deep/er/noise too"), noise(3 << 20, 1)).unwrap();
    let mut sparse = noise(9 << 20, 7);
    sparse[1 << 20..7 << 20].fill(0);
    fs::write(root.join("dir/zeros inside"), sparse).unwrap();
    for name in [
        "new\nline",
        "tab\tquote\"back\\slash",
        "<&>",
        "ünïcödé 日本",
        "nb\u{a0}\u{200b}e\u{301}",
    ] {
        fs::write(root.join(name), name).unwrap();
    }
    let bytes = std::ffi::OsStr::from_bytes(b"not utf8 \xff\xfe");
    fs::write(root.join(bytes), "bytes").unwrap();
    fs::hard_link(root.join("small"), root.join("dir/small again")).unwrap();
    fs::hard_link(root.join("small"), root.join("z last")).unwrap();
    std::os::unix::fs::symlink("../small", root.join("dir/link")).unwrap();
    std::os::unix::fs::symlink("/nowhere <at> all", root.join("dangling")).unwrap();
    run("mkfifo", &["-m", "640"], &root.join("pipe"), &[]);
    xattr::set(root.join("small"), "user.comment", b"some \xff bytes").unwrap();
    xattr::set(root.join("dir"), "user.empty", b"").unwrap();
    for (name, mode) in [
        ("small", 0o4751),
        ("dir", 0o1777),
        ("empty", 0o000),
        ("empty-dir", 0o500),
    ] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(root.join("empty"), Some(1), Some(65_534)).unwrap();
        std::os::unix::fs::lchown(root.join("dangling"), Some(2), Some(3)).unwrap();
        run(
            "mknod",
            &["-m", "600"],
            &root.join("device"),
            &["c", "1", "3"],
        );
    }
    let times = [
        ("small", "@1234567890.123456789"),
        ("dir/link", "1969-12-31 23:59:58.5 UTC"),
        ("dir", "@86400"),
    ];
    for (name, time) in times {
        run("touch", &["-h", "-d", time], &root.join(name), &[]);
    }
}

fn run(program: &str, before: &[&str], path: &Path, after: &[&str]) {
    let status = Command::new(program)
        .args(before)
        .arg(path)
        .args(after)
        .status();
    assert!(
        status.unwrap().success(),
        "{program} {before:?} {}",
        path.display()
    );
}

/// Stock restic on a local repository.
pub(crate) fn restic(repository: &Path, working_directory: &Path, args: &[&str]) -> Output {
    let output = Command::new("restic")
        .args(["--no-cache", "--repo"])
        .arg(repository)
        .args(args)
        .current_dir(working_directory)
        .env("RESTIC_PASSWORD", PASSWORD)
        .env("TZ", "UTC")
        .output()
        .expect("stock restic is needed: apt-get install restic");
    assert!(
        output.status.success(),
        "restic {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// Bytes of all files below a directory.
pub(crate) fn size_of(directory: &Path) -> u64 {
    let entries = entries_of(directory);
    entries.map(|entry| entry.unwrap().metadata.size).sum()
}

type Fault = Box<dyn Fn(&'static str, Handle) -> io::Result<()> + Send + Sync>;

/// Storage that asks before every operation whether to fail.
pub(crate) struct FaultyBackend {
    inner: Arc<dyn Backend>,
    fault: Mutex<Fault>,
    pub(crate) writes: AtomicUsize,
}

impl FaultyBackend {
    pub(crate) fn new(
        inner: Arc<dyn Backend>,
        fault: impl Fn(&'static str, Handle) -> io::Result<()> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let (fault, writes) = (Mutex::new(Box::new(fault) as Fault), AtomicUsize::new(0));
        Arc::new(Self {
            inner,
            fault,
            writes,
        })
    }

    fn ask(&self, operation: &'static str, handle: Handle) -> io::Result<()> {
        (self.fault.lock().unwrap())(operation, handle)
    }
}

impl std::fmt::Debug for FaultyBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyBackend")
    }
}

impl Backend for FaultyBackend {
    fn url(&self) -> String {
        self.inner.url()
    }

    fn create(&self) -> io::Result<()> {
        self.inner.create()
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.ask("put", handle)?;
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.put(handle, data)
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.ask("get", handle)?;
        self.inner.get(handle)
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.ask("get", handle)?;
        self.inner.get_range(handle, offset, length)
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        self.inner.list(kind)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.ask("delete", handle)?;
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.delete(handle)
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.inner.exists(handle)
    }
}
