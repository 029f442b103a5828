//! Repositories on real S3 servers.

mod proxy;
mod servers;

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rstest::rstest;
use strongroom_domain::tree::{Cancel, Context, RestoreOptions};
use strongroom_engine::backend::{FileKind, Handle, S3Backend, S3Credentials, S3Location};
use strongroom_engine::{
    Backend, CheckOptions, Credential, ErrorKind, Id, PruneOptions, ReadData, Repository,
    open_backend,
};
use tempfile::TempDir;

use self::servers::{Kind, Server};
use crate::support::*;

fn check(repository: &Repository) {
    let options = CheckOptions {
        read_data: ReadData::All,
    };
    let report = repository.check(&options, &Context::default()).unwrap();
    assert!(report.is_ok(), "{:?}", report.errors);
}

fn restore_latest(repository: &Repository, target: &Path) {
    let context = Context::default();
    let snapshot = repository.find_snapshot("latest").unwrap();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let reader = indexed.reader(&snapshot);
    let report = reader.restore(target, &RestoreOptions::default(), &context);
    assert_eq!(report.unwrap().failures, []);
}

#[rstest]
fn restic_checks_and_restores_what_we_wrote(#[values(Kind::Ceph, Kind::S3s)] kind: Kind) {
    let (server, work) = (Server::start(kind), TempDir::new().unwrap());
    let (source, place) = (work.path().join("src"), server.place());
    odd_tree(&source);
    let repository = init(server.open(&place));
    back_up_directory(&repository, &source, &options());

    let opened = open(server.open(&place));
    assert_eq!(opened.id(), repository.id());
    check(&opened);
    restore_latest(&opened, &work.path().join("ours"));
    assert_same_tree(&source, &work.path().join("ours"));
    server.check_by_restic(&place);
    let target = work.path().join("theirs");
    let args = ["restore", "latest", "--target", target.to_str().unwrap()];
    server.restic(&place, work.path(), &args);
    assert_same_tree(&source, &target);
}

#[rstest]
fn we_restore_what_restic_wrote_and_prune_beside_it(#[values(Kind::Ceph, Kind::S3s)] kind: Kind) {
    let (server, work) = (Server::start(kind), TempDir::new().unwrap());
    let (source, place) = (work.path().join("src"), server.place());
    odd_tree(&source);
    server.restic(&place, work.path(), &["init"]);
    server.restic(&place, &source, &["backup", "."]);
    let repository = open(server.open(&place));
    check(&repository);
    restore_latest(&repository, &work.path().join("all"));
    assert_same_tree(&source, &work.path().join("all"));

    let first = repository.find_snapshot("latest").unwrap();
    fs::remove_file(source.join("dir/deep/noise")).unwrap();
    back_up_directory(&repository, &source, &options());
    repository.forget(&[first.id]).unwrap();
    let context = Context::default();
    let plan = repository.plan_prune(&PruneOptions::default(), &context);
    let report = plan.unwrap().execute(&context).unwrap();
    assert!(report.bytes_freed > 1 << 20, "{report:?}");
    check(&repository);
    server.check_by_restic(&place);
    restore_latest(&repository, &work.path().join("rest"));
    assert_same_tree(&source, &work.path().join("rest"));
    server.restic(&place, work.path(), &["list", "locks"]);
    let locks = server.open(&place).list(FileKind::Lock).unwrap();
    assert_eq!(locks, [], "all locks are released");
}

/// Through a line that breaks connections within and before answers, and a server that is often
/// too busy.
#[rstest]
fn a_bad_line_costs_time_only(
    #[values(Kind::Ceph, Kind::S3s)] kind: Kind,
    #[values(1, 2)] seed: u64,
) {
    let (server, work) = (Server::start(kind), TempDir::new().unwrap());
    let address = server.url.strip_prefix("http://").unwrap();
    let (proxy, mishaps) = proxy::start(address.parse().unwrap(), seed);
    let (direct, source) = (server.place(), work.path().join("src"));
    odd_tree(&source);
    let place = direct.replace(&server.url, &format!("http://{proxy}"));
    let notices = Arc::new(Mutex::new(Vec::new()));
    let mut storage = server.options();
    storage.retry.first_attempts = storage.retry.attempts;
    let heard = Arc::clone(&notices);
    storage.retry.notice = Some(Arc::new(move |it| {
        heard.lock().unwrap().push(it.to_owned());
    }));

    let repository = init(open_backend(&place, &storage).unwrap());
    back_up_directory(&repository, &source, &options());
    check(&repository);
    restore_latest(&repository, &work.path().join("out"));
    assert_same_tree(&source, &work.path().join("out"));
    server.check_by_restic(&direct);
    let notices = notices.lock().unwrap().clone();
    let happened = [&mishaps.lost, &mishaps.cut, &mishaps.refused];
    let happened = happened.map(|it| it.load(Ordering::Relaxed));
    println!("seed {seed}: lost, cut, refused {happened:?}; {notices:#?}");
    assert!(happened.iter().all(|count| *count > 0), "{happened:?}");
    assert!(notices.iter().any(|it| it.contains("503 SlowDown")));
}

#[rstest]
fn files_come_and_go(#[values(Kind::Ceph, Kind::S3s)] kind: Kind) {
    let server = Server::start(kind);
    let backend = server.open(&server.place());
    let handle = |n: u32| Handle::new(FileKind::Snapshot, Id::of(&n.to_le_bytes()));
    // More than a page of a list.
    let numbers: Vec<u32> = (0..1_100).collect();
    std::thread::scope(|scope| {
        for part in numbers.chunks(100) {
            scope.spawn(|| part.iter().for_each(|n| put(&*backend, handle(*n), 10)));
        }
    });
    let mut listed: Vec<_> = backend.list(FileKind::Snapshot).unwrap();
    assert!(listed.iter().all(|file| file.size == 10));
    listed.sort_by_key(|file| file.id);
    listed.dedup();
    assert_eq!(listed.len(), 1_100);
    assert_eq!(backend.list(FileKind::Pack).unwrap(), []);

    let there = handle(3);
    assert!(backend.exists(there).unwrap());
    assert_eq!(&backend.get_range(there, 4, 3).unwrap()[..], [0; 3]);
    assert_eq!(&backend.get_range(there, 4, 0).unwrap()[..], [0; 0]);
    let kind = |result: io::Result<Bytes>| result.unwrap_err().kind();
    assert_eq!(
        kind(backend.get_range(there, 4, 7)),
        io::ErrorKind::UnexpectedEof
    );
    assert_eq!(
        kind(backend.get_range(there, 10, 1)),
        io::ErrorKind::UnexpectedEof
    );
    assert_eq!(
        kind(backend.get_range(there, 99, 1)),
        io::ErrorKind::UnexpectedEof
    );

    backend.delete(there).unwrap();
    backend.delete(there).unwrap();
    assert!(!backend.exists(there).unwrap());
    assert_eq!(kind(backend.get(there)), io::ErrorKind::NotFound);
    assert_eq!(
        kind(backend.get_range(there, 0, 1)),
        io::ErrorKind::NotFound
    );
    let all: Vec<Handle> = numbers.iter().map(|n| handle(*n)).collect();
    backend.delete_many(&all).unwrap();
    let fresh = server.open(&backend.url());
    assert_eq!(fresh.list(FileKind::Snapshot).unwrap(), []);
}

fn put(backend: &dyn Backend, handle: Handle, length: usize) {
    backend.put(handle, Bytes::from(vec![0; length])).unwrap();
}

#[rstest]
fn large_files_are_sent_in_parts(#[values(Kind::Ceph, Kind::S3s)] kind: Kind) {
    let server = Server::start(kind);
    let mut options = server.options();
    options.s3.multipart_from = 1 << 20;
    let backend = open_backend(&server.place(), &options).unwrap();
    let data = Bytes::from(noise(40 << 20, 5));
    let handle = Handle::new(FileKind::Pack, Id::of(&data));
    backend.put(handle, data.clone()).unwrap();
    assert!(backend.get(handle).unwrap() == data);
    let part = backend.get_range(handle, (16 << 20) - 3, 6).unwrap();
    assert_eq!(part, data.slice((16 << 20) - 3..(16 << 20) + 3));
}

#[test]
fn of_two_that_create_a_file_one_is_told() {
    let server = Server::start(Kind::Ceph);
    let backend = server.open(&server.place());
    let create = |text: &'static str| backend.put_new(Handle::CONFIG, Bytes::from(text));
    create("one").unwrap();
    let error = create("two").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
    assert_eq!(backend.get(Handle::CONFIG).unwrap(), "one");
}

fn open_failure(place: &str, server: &Server) -> (ErrorKind, String) {
    let backend = server.open(place);
    let opened = Repository::open(backend, TestClock::new(), &Credential::password(PASSWORD));
    let error = opened.unwrap_err();
    (error.kind(), error.chain())
}

#[rstest]
fn what_is_wrong_is_said_and_with_what(#[values(Kind::Ceph, Kind::S3s)] kind: Kind) {
    let server = Server::start(kind);
    let place = server.place();
    let (failed, text) = open_failure(&place, &server);
    assert_eq!(failed, ErrorKind::NotARepository);
    assert!(text.contains(&place), "{text}");

    let missing = format!("s3:{}/no-such-bucket/p", server.url);
    let created = server.open(&missing).create().unwrap_err().to_string();
    assert!(
        created.contains("bucket `no-such-bucket` at `http://"),
        "{created}"
    );
    assert!(created.contains("404 NoSuchBucket"), "{created}");
    if kind == Kind::Ceph {
        // s3s says the same of a missing object.
        let (kind, text) = open_failure(&missing, &server);
        assert_eq!(kind, ErrorKind::Storage, "{text}");
        assert!(text.contains("404 NoSuchBucket"), "{text}");
    }

    for (key, secret, code) in [
        (
            server.key.clone(),
            "wrong".to_owned(),
            "SignatureDoesNotMatch",
        ),
        (
            "nobody".to_owned(),
            server.secret.clone(),
            "InvalidAccessKeyId",
        ),
    ] {
        let mut wrong = Server::start(Kind::S3s);
        (wrong.url, wrong.key, wrong.secret) = (server.url.clone(), key, secret);
        let (kind, text) = open_failure(&place, &wrong);
        assert_eq!(kind, ErrorKind::Storage, "{text}");
        assert!(text.contains("bucket `tests` at"), "{text}");
        assert!(
            text.contains(&format!("403 {code}")) || text.contains("NotSignedUp"),
            "{text}"
        );
        assert!(!text.contains(&wrong.secret), "{text}");
    }
}

#[test]
fn a_server_that_is_not_there_is_known_after_few_attempts() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut server = Server::start(Kind::S3s);
    server.url = format!("http://{port}");
    let (kind, text) = open_failure(&server.place(), &server);
    assert_eq!(kind, ErrorKind::Storage);
    assert!(
        text.starts_with("cannot read config: bucket `tests` at `http://127"),
        "{text}"
    );
    assert!(text.contains("Connection refused"), "{text}");
}

#[test]
fn without_credentials_nothing_is_tried() {
    let mut server = Server::start(Kind::S3s);
    let mut options = server.options();
    options.s3.credentials = None;
    server.url = "http://127.0.0.1:1".into();
    let error = open_backend(&server.place(), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
}

/// A server that takes connections and never says a word.
#[test]
fn a_cancelled_job_does_not_wait_for_an_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/b", silent.local_addr().unwrap());
    let options = strongroom_engine::backend::S3Options {
        credentials: Some(S3Credentials::new("k", "s")),
        ..Default::default()
    };
    let backend = S3Backend::open(&S3Location::parse(&url).unwrap(), &options).unwrap();
    let cancel = Cancel::new();
    let backend = backend.with_cancel(&cancel).unwrap();
    let asked = std::thread::spawn(move || backend.get(Handle::CONFIG));
    let _connection = silent.accept().unwrap();
    cancel.cancel();
    let error = asked.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted, "{error}");
}
