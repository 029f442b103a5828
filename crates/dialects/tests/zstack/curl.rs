//! The seed page's calls as it writes them, with the real `curl` on a real port.

use std::{net::SocketAddr, process::Output};

use axum::serve::Listener;
use serde_json::{Value, json};
use strongroom_http::lenient::Lenient;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Command,
};

use super::client::{Client, database, hashed, server};

async fn listen(router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(Leniently(listener), router).await.unwrap() });
    address
}

/// Reads requests as the server does.
struct Leniently(TcpListener);

impl Listener for Leniently {
    type Io = Lenient<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.0.accept().await.unwrap();
        (Lenient::new(stream), address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

async fn curl(args: &[&str]) -> Value {
    let output: Output = Command::new("curl")
        .arg("-sS")
        .args(args)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[tokio::test]
async fn the_pages_calls_work_with_curl() {
    let app = server("dump").await;
    database(&app, "orders", false).await;
    let client = Client::log_in(&app).await;
    let backup = client.back_up("nightly").await;
    let uuid = backup["uuid"].as_str().unwrap();
    let address = listen(app.router()).await;

    let login = json!({"logInByAccount": {
        "accountName": app.tenant.tenant.name,
        "password": hashed(app.tenant.password.expose()),
    }});
    let url = format!("http://{address}/zstack/v1/accounts/login");
    let json_header = "Content-Type: application/json";
    let body = login.to_string();
    let logged_in = curl(&["-H", json_header, "-X", "PUT", "-d", &body, &url]).await;
    let session = logged_in["inventory"]["uuid"].as_str().unwrap();
    let authorization = format!("Authorization: OAuth {session}");

    for path in [format!("?q=uuid={uuid}"), format!("/{uuid}")] {
        let url = format!("http://{address}/zstack/v1/database-backups{path}");
        let arguments = ["-H", json_header, "-H", &authorization, "-X", "GET", &url];
        assert_eq!(curl(&arguments).await["inventories"], json!([backup]));
    }

    let url = format!("http://{address}/zstack/v1/database-backups");
    let storage = app.repository.id.simple();
    let body = json!({"params": {"name": "second", "backupStorageUuid": storage}}).to_string();
    let arguments = [
        "-H",
        json_header,
        "-H",
        &authorization,
        "-X",
        "POST",
        "-d",
        &body,
        &url,
    ];
    let accepted = curl(&arguments).await;
    // Absolute, with the host that the client used: it can be polled as it is.
    let location = accepted["location"].as_str().unwrap();
    assert!(location.starts_with(&format!("http://{address}/zstack/v1/api-jobs/")));
    assert_eq!(curl(&[location]).await, json!({}));
    app.work().await;
    assert_eq!(curl(&[location]).await["inventory"]["name"], "second");

    // Undecoded, as the Python SDK sends it.
    let url = format!("{url}?q=name~=%s%&sort=-name&fields=name");
    let listed = curl(&["-g", "-H", &authorization, &url]).await;
    assert_eq!(listed["inventories"], json!([{"name": "second"}]));
    let url = url.split_once('?').unwrap().0;
    for (condition, count) in [
        ("size>3", 2),
        ("size<4", 0),
        ("size>=4", 2),
        ("name!=\"", 2),
    ] {
        let url = format!("{url}?q={condition}&count=true");
        let counted = curl(&["-g", "-H", &authorization, &url]).await;
        assert_eq!(counted["total"], count, "{condition}");
    }
}
