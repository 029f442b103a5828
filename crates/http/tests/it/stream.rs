//! The event stream: progress and events as they come.

use std::time::Duration;

use axum::{body::BodyDataStream, http::Method};
use futures_util::StreamExt as _;
use serde_json::Value;
use strongroom_testkit::TestApp;

/// Reads messages of a stream as name and data.
struct Reader {
    body: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(app: &TestApp, last: Option<&str>) -> Self {
        let bearer = format!("Bearer {}", app.token());
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(last.map(|id| ("last-event-id", id)));
        let response = app
            .open(Method::GET, "/api/v1/events/stream", &headers, "")
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next message: its name, its id, its data. Nothing once the stream ended.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = message.lines().filter_map(|it| it.split_once(": "));
                    let found = lines.into_iter().find(|(it, _)| *it == name);
                    found.map_or(String::new(), |(_, value)| value.to_owned())
                };
                let found = (field("event"), field("id"), field("data"));
                self.text = String::from(rest);
                if found.2.is_empty() {
                    continue;
                }
                return Some((found.0, found.1, serde_json::from_str(&found.2).unwrap()));
            }
            let waited = tokio::time::timeout(Duration::from_secs(30), self.body.next()).await;
            let chunk = waited.expect("a message within half a minute")?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads on until a message fits.
    async fn until(&mut self, fits: impl Fn(&str, &Value) -> bool) -> (String, Value) {
        loop {
            let (name, id, data) = self.next().await.expect("the stream goes on");
            if fits(&name, &data) {
                return (id, data);
            }
        }
    }
}

#[tokio::test]
async fn a_client_hears_how_a_backup_begins_and_how_it_ends() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[("a", b"1")]).await;
    let mut stream = Reader::open(&app, None).await;
    let (backup, _) = app.request(&resource).await;
    let id = backup.id.to_string();
    stream
        .until(|name, data| name == "backup" && data["id"] == id)
        .await;
    app.work().await;
    let (_, data) = stream
        .until(|name, data| name == "backup" && data["state"] == "completed")
        .await;
    assert_eq!(data["id"], id);
    stream
        .until(|name, data| name == "event" && data["name"] == "backup.completed")
        .await;
}

#[tokio::test]
async fn a_client_that_comes_back_gets_the_events_it_missed() {
    let app = TestApp::start().await;
    app.files_with("one", &[]).await;
    let mut stream = Reader::open(&app, None).await;
    app.files_with("two", &[]).await;
    let (last, _) = stream
        .until(|name, data| name == "event" && data["name"] == "resource.created")
        .await;
    drop(stream);
    let three = app.files_with("three", &[]).await;
    let mut stream = Reader::open(&app, Some(&last)).await;
    let (name, _, data) = stream.next().await.unwrap();
    assert_eq!(name, "event");
    assert_eq!(data["subject"]["id"], three.id.to_string());
}

#[tokio::test]
async fn nothing_of_another_tenant_is_heard() {
    let app = TestApp::start().await;
    let mut stream = Reader::open(&app, None).await;
    let (_, other) = app.another_tenant("other").await;
    let list = app
        .service
        .list_events(&other, &strongroom_domain::Page::ALL)
        .await
        .unwrap();
    assert!(!list.items.is_empty());
    let mine = app.files_with("mine", &[]).await;
    let (_, _, data) = stream.next().await.unwrap();
    assert_eq!(data["subject"]["id"], mine.id.to_string());
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let app = TestApp::start().await;
    let mut stream = Reader::open(&app, None).await;
    let id = app.tenant.token.credential.id;
    app.service.delete_credential(&app.owner, id).await.unwrap();
    while stream.next().await.is_some() {}
}
