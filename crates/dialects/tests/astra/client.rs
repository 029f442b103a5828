//! `actoolkit`, the vendor's own command-line client, unmodified, against the real router over
//! TLS: it knows no other way.

use std::{net::TcpListener, path::Path, process::Command};

use axum_server::{Handle, tls_rustls::RustlsConfig};
use serde_json::Value;
use strongroom_domain::ResourceKind;
use strongroom_testkit::{Script, Step, TestApp, vendor_client};

use crate::common::{register, run, server, stdout};

/// Makes a certificate for the local machine.
fn certificate(directory: &Path) {
    let made = Command::new("openssl")
        .args("req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost".split(' '))
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(directory)
        .output()
        .expect("openssl is not installed: run `scripts/test`");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// Serves the app over TLS until the handle is dropped, and writes the client's configuration.
async fn serve(app: &TestApp) -> Handle<std::net::SocketAddr> {
    let directory = app.directory();
    certificate(directory);
    // Another test of this process may have chosen the provider before.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let config = RustlsConfig::from_pem_file(directory.join("cert.pem"), directory.join("key.pem"));
    let config = config.await.unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let handle = Handle::new();
    let server = axum_server::from_tcp_rustls(socket, config)
        .unwrap()
        .handle(handle.clone());
    tokio::spawn(server.serve(app.router().into_make_service()));
    let (account, token) = (app.tenant.tenant.id, app.token());
    let config = format!(
        "headers:\n  Authorization: Bearer {token}\nuid: {account}\nastra_project: {address}\nverifySSL: False\n"
    );
    std::fs::write(directory.join("config.yaml"), config).unwrap();
    handle
}

fn actoolkit(app: &TestApp, arguments: &str) -> Command {
    let mut command = vendor_client("actoolkit");
    command
        .args(["-o", "json"])
        .args(arguments.split(' '))
        .current_dir(app.directory());
    command
}

async fn ask(app: &TestApp, arguments: &str) -> Value {
    let output = run(app, actoolkit(app, arguments)).await;
    let text = stdout(&output);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn actoolkit_lists_apps_creates_a_backup_and_finds_it_completed() {
    let script = Script::tree([vec![Step::File("manifest.yaml", b"kind: Deployment")]]);
    let app = server(ResourceKind::Kubernetes, script).await;
    let settings = [("context", "prod"), ("namespaces", "shop")];
    let shop = register(&app, ResourceKind::Kubernetes, "shop", &settings).await;
    let handle = serve(&app).await;

    let apps = ask(&app, "list apps").await;
    assert_eq!(apps["items"][0]["id"], shop.id.to_string());
    for list in ["clouds", "clusters", "buckets", "snapshots"] {
        ask(&app, &format!("list {list}")).await;
    }
    let namespaces = ask(&app, "list namespaces").await;
    assert_eq!(namespaces["items"][0]["associatedApps"][0], "shop");

    let create = format!("create backup {} nightly-1 -t 1", shop.id);
    let output = run(&app, actoolkit(&app, &create)).await;
    let text = stdout(&output);
    assert!(text.contains("complete"), "{text}");
    let backups = ask(&app, "list backups").await;
    let backup = &backups["items"][0];
    assert_eq!(
        (&backup["name"], &backup["state"]),
        (&"nightly-1".into(), &"completed".into())
    );

    let again = run(&app, actoolkit(&app, &create)).await;
    assert!(!again.status.success(), "the name is taken");
    assert!(
        String::from_utf8_lossy(&again.stderr).contains("problems/143"),
        "{again:?}"
    );

    let destroy = format!(
        "destroy backup {} {}",
        shop.id,
        backup["id"].as_str().unwrap()
    );
    stdout(&run(&app, actoolkit(&app, &destroy)).await);
    app.work().await;
    assert_eq!(
        ask(&app, "list backups").await["items"],
        serde_json::json!([])
    );
    handle.shutdown();
}
