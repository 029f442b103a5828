//! Database servers behind this face: backed up while others write, emptied, and recovered.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_testkit::TestApp;

use super::{
    catalog::encoded,
    client::{Client, polling},
};

/// Where a server is, as the run's set-up says.
pub(crate) fn told(variable: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told so where the server is"
    )]
    let told = std::env::var(variable);
    told.unwrap_or_else(|_| panic!("{variable} is not set: run the tests with `cargo nextest run`"))
}

/// Runs a client that reads statements; gives what it prints.
pub(crate) fn ask(client: &mut Command, statements: &str) -> String {
    let client = client
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = client.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(statements.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Moves money between two accounts, in transactions, until it is told to stop.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u32>>,
}

impl Writers {
    /// `transfer` makes some; given a number that no other call gets.
    pub(crate) fn start(transfer: impl Fn(u32) + Send + Clone + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let writer = |first: u32| {
            let (stop, transfer) = (Arc::clone(&stop), transfer.clone());
            std::thread::spawn(move || {
                let mut made = 0;
                while !stop.load(Ordering::SeqCst) {
                    transfer(first + 2 * made);
                    made += 1;
                }
                made
            })
        };
        let threads = (0..2).map(writer).collect();
        Self { stop, threads }
    }

    /// Stops them; they must have written.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        let made: u32 = self.threads.into_iter().map(|it| it.join().unwrap()).sum();
        assert!(made > 0);
    }
}

/// Whether a backup of one database says what the vendor's tool reads of it, which is what the
/// storage says too, and is found by that.
pub(crate) async fn check_description(app: &TestApp, client: &Client<'_>, backup: &Value) {
    let metadata = backup["metadata"].as_str().unwrap();
    let said: Value = serde_json::from_str(metadata).unwrap();
    assert_eq!(said["name"], backup["name"]);
    assert_eq!(said["createdTime"], backup["createDate"]);
    assert_eq!(said["type"], "singleDatabase");
    let version = said["version"].as_str().unwrap();
    assert!(version.split('.').count() > 1, "{version}");

    let password = app.tenant.password.expose();
    let url = format!("ssh://admin:{password}@10.0.0.7/default");
    let path = format!(
        "/zstack/v1/database-backups/image-store?url={}",
        encoded(&url)
    );
    let stored = client.get(&path).await.expect(200).json()["backups"][0].take();
    for member in ["name", "version", "type", "createdTime"] {
        assert_eq!(stored[member], said[member], "{stored}");
    }
    for (condition, found) in [
        (format!("metadata~=%\"version\":\"{version}\"%"), 1),
        (format!("metadata={metadata}"), 1),
        ("metadata!~=%singleDatabase%".to_owned(), 0),
        ("metadata is null".to_owned(), 0),
        ("metadata not null".to_owned(), 1),
    ] {
        let rows = client.query(&format!("q={}", encoded(&condition))).await;
        let rows = rows["inventories"].as_array().unwrap().len();
        assert_eq!(rows, found, "{condition}");
    }
}

/// Recovers a database as a client asks for it; what the job said.
pub(crate) async fn recover(
    app: &TestApp,
    client: &Client<'_>,
    backup: &Value,
    password: &str,
) -> Value {
    let body = json!({"recoverDatabaseFromBackup": {
        "uuid": backup["uuid"], "mysqlRootPassword": password,
    }});
    let path = "/zstack/v1/database-backups/actions";
    let accepted = client
        .call(Method::PUT, path, &body)
        .await
        .expect(202)
        .json();
    for _ in 0..3 {
        app.work().await;
        // The recovery looks every second whether its safety backup has ended.
        app.clock.advance(jiff::SignedDuration::from_secs(2));
    }
    client.poll(&polling(&accepted)).await.json()
}
