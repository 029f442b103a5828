//! `huaweicloudsdkcbr`, the vendor's own client, unmodified, against the real router on a socket.

use std::path::Path;

use jiff::SignedDuration;
use strongroom_testkit::{TestApp, vendor_client};
use tokio::{net::TcpListener, process::Command};

/// Runs what is queued, again and again, while time goes on.
async fn keep_working(app: &TestApp) {
    let mut changes = app.service.changes();
    loop {
        app.work().await;
        app.clock.advance(SignedDuration::from_millis(10));
        if changes.changed().await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_protects_lists_and_restores_a_directory() {
    let app = TestApp::start().await;
    let files: [(&str, &[u8]); 2] = [("a.txt", b"first"), ("deep/b.txt", b"second")];
    let resource = app.files_with("home", &files).await;
    // The client signs with the time of day.
    #[expect(clippy::disallowed_methods, reason = "the client does, too")]
    app.clock.set(jiff::Timestamp::now());
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(socket, app.router()).into_future());

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/cbr.py");
    let key = &app.tenant.access_key;
    let mut client = vendor_client("python");
    client
        .arg(script)
        .env("CBR_URL", format!("http://{address}"))
        .env("CBR_PROJECT", app.tenant.tenant.id.simple())
        .env("CBR_RESOURCE", resource.id.to_string())
        .env("CBR_DIRECTORY", app.directory().join("home"))
        .env("CBR_ACCESS_KEY", &key.credential.lookup)
        .env("CBR_SECRET_KEY", key.secret_key.expose());
    let mut client = Command::from(client);
    let output = tokio::select! {
        output = client.kill_on_drop(true).output() => output.unwrap(),
        () = keep_working(&app) => unreachable!("the service outlives the client"),
    };
    server.abort();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stdout.ends_with("all good\n"), "{stdout}\n{stderr}");
}
