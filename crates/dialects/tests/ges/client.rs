//! `huaweicloudsdkges`, the vendor's own client, unmodified, in both its versions against the real
//! router on a socket.

use std::path::Path;

use strongroom_domain::ResourceKind;
use strongroom_testkit::{Script, Step, vendor_client};
use tokio::net::TcpListener;

use crate::common::{register, run, server, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_lists_creates_and_follows_its_jobs_in_both_versions() {
    let script = Script::whole([vec![Step::File("people.dump", b"Alice knows Bob")]]);
    let app = server(ResourceKind::Graph, script).await;
    let people = register(&app, ResourceKind::Graph, "people", &[]).await;
    // The client signs with the time of day.
    #[expect(clippy::disallowed_methods, reason = "the client does, too")]
    app.clock.set(jiff::Timestamp::now());
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("a bound socket has an address");
    let server = tokio::spawn(axum::serve(socket, app.router()).into_future());

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/ges.py");
    let key = &app.tenant.access_key;
    let mut client = vendor_client("python");
    client
        .arg(script)
        .env("GES_URL", format!("http://{address}"))
        .env("GES_PROJECT", app.tenant.tenant.id.simple())
        .env("GES_GRAPH", people.id.to_string())
        .env("GES_ACCESS_KEY", &key.credential.lookup)
        .env("GES_SECRET_KEY", key.secret_key.expose());
    let output = run(&app, client).await;
    assert!(stdout(&output).ends_with("all good\n"), "{output:?}");
    server.abort();
}
