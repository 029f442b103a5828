//! What the tests with database servers share.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use strongroom_domain::{
    Backup, BackupState, DatabaseServer, Resource,
    restore::{Restore, RestoreTarget},
};
use strongroom_service::restores::RequestRestore;
use strongroom_testkit::TestService;

use crate::backup::restore_to;

/// Where the server is, as the run's set-up says.
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
    let mut child = client
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let statements = statements.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(statements.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{client:?}: {said}");
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Makes two backups, of which the second must find nearly everything stored already.
pub(crate) async fn back_up_twice(t: &TestService, resource: &Resource) -> Backup {
    let first = t.back_up(resource).await;
    assert_eq!(first.state, BackupState::Completed, "{:?}", first.reason);
    let second = t.back_up(resource).await;
    assert_eq!(second.state, BackupState::Completed, "{:?}", second.reason);
    let [first, second] = [&first, &second].map(|it| it.stored_bytes.unwrap());
    // The head of a dump may say where the log stands. The piece that it is in is one of 8 MiB at
    // most, wherever the repository cuts.
    assert!(second * 2 < first, "{second} bytes added to {first}");
    t.back_up(resource).await
}

/// Whether the record of a backup tells what its server was.
pub(crate) fn check_server(backup: &Backup, product: &str, databases: u64) {
    let server = DatabaseServer::of(&backup.annotations).unwrap();
    assert_eq!((&*server.product, &*server.mode), (product, "logical"));
    assert_eq!(server.databases, databases);
    assert!(server.size_bytes > Some(1_000_000), "{server:?}");
    assert!(
        server.version.starts_with(|c: char| c.is_ascii_digit()),
        "{server:?}"
    );
    assert!(server.position.is_object(), "{server:?}");
}

/// Restores to where the backup came from.
pub(crate) async fn restore_in_place(
    t: &TestService,
    backup: &Backup,
    include: &[&str],
) -> Restore {
    let request = RequestRestore {
        target: RestoreTarget::Original,
        include: include.iter().map(|it| (*it).to_owned()).collect(),
        ..restore_to(backup, t.directory())
    };
    let requested = t.service.request_restore(&t.owner, request).await;
    let (restore, _) = requested.unwrap();
    t.work().await;
    let restore = t.service.restore(&t.owner, restore.id).await;
    restore.unwrap()
}
