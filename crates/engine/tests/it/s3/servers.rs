//! Two S3 servers that have nothing in common: Ceph, started once for the run by
//! `scripts/test-s3`, and s3s, started in the test's own process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use strongroom_engine::backend::{RetryPolicy, S3Credentials, S3Options};
use strongroom_engine::{Backend, StorageOptions, open_backend};
use tempfile::TempDir;

use crate::support::PASSWORD;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ceph,
    S3s,
}

/// A server with the bucket `tests`.
pub(crate) struct Server {
    kind: Kind,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    /// The directory that s3s keeps its buckets in.
    _directory: Option<TempDir>,
}

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        match kind {
            Kind::Ceph => Self {
                kind,
                url: variable("STRONGROOM_TEST_S3"),
                key: variable("STRONGROOM_TEST_S3_KEY"),
                secret: variable("STRONGROOM_TEST_S3_SECRET"),
                _directory: None,
            },
            Kind::S3s => {
                let directory = TempDir::new().unwrap();
                std::fs::create_dir(directory.path().join("tests")).unwrap();
                let address = start_s3s(directory.path(), "key of s3s", "secret of s3s");
                Self {
                    kind,
                    url: format!("http://{address}"),
                    key: "key of s3s".into(),
                    secret: "secret of s3s".into(),
                    _directory: Some(directory),
                }
            }
        }
    }

    /// A place for a repository that nobody else has, with a name that needs encoding.
    pub(crate) fn place(&self) -> String {
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        format!("s3:{}/tests/a+b ü/{process}-{number}", self.url)
    }

    pub(crate) fn options(&self) -> StorageOptions {
        StorageOptions {
            s3: S3Options {
                credentials: Some(S3Credentials::new(&self.key, &self.secret)),
                ..S3Options::default()
            },
            retry: impatient(),
            ..StorageOptions::default()
        }
    }

    pub(crate) fn open(&self, place: &str) -> Arc<dyn Backend> {
        open_backend(place, &self.options()).unwrap()
    }

    /// Stock restic checks a repository, data and all. s3s shows no packs to restic's way of
    /// listing them, so there restic only restores.
    pub(crate) fn check_by_restic(&self, place: &str) {
        if self.kind == Kind::Ceph {
            self.restic(place, Path::new("/"), &["check", "--read-data"]);
        }
    }

    /// Stock restic on a repository of this server.
    pub(crate) fn restic(&self, place: &str, directory: &Path, args: &[&str]) -> Output {
        let output = Command::new("restic")
            .args(["--no-cache", "--repo", place])
            .args(args)
            .current_dir(directory)
            .env("RESTIC_PASSWORD", PASSWORD)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
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
}

/// Tries again as usual, but without pauses.
pub(crate) fn impatient() -> RetryPolicy {
    RetryPolicy {
        pause: Duration::ZERO,
        ..RetryPolicy::default()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "given by the set-up of the test run"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("`{name}` is not set: run the tests with cargo nextest, which starts a server")
    })
}

/// Serves a directory until the process ends.
fn start_s3s(directory: &Path, key: &str, secret: &str) -> SocketAddr {
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(directory).unwrap());
    service.set_auth(SimpleAuth::from_single(key, secret));
    let service = service.build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(async move {
                let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                // Clients that go away are none of our business.
                drop(http.serve_connection(TokioIo::new(socket), service).await);
            });
        }
    };
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let () = runtime.enable_all().build().unwrap().block_on(serve);
    });
    address
}
