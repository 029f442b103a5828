//! A client that sends what ZStack's SDKs send.

use axum::http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use strongroom_domain::{Face, Resource, ResourceKind, resource::Settings};
use strongroom_testkit::{Answer, TestApp, TestParts};

/// The name of the command that stands for a database.
const DUMP: &str = "dump";

/// A server where the command `dump` writes `content`, as a database of this face.
pub(crate) async fn server(content: &str) -> TestApp {
    let argv = ["printf", "%s", content];
    TestApp::with(TestParts::with_command(DUMP, &argv, Face::Zstack)).await
}

/// Registers a database.
pub(crate) async fn database(app: &TestApp, name: &str, default: bool) -> Resource {
    let mut settings = Settings([("command".to_owned(), DUMP.to_owned())].into());
    if default {
        settings.0.insert("default".to_owned(), "true".to_owned());
    }
    app.resource(ResourceKind::Command, name, settings).await
}

/// The password as clients send it.
pub(crate) fn hashed(password: &str) -> String {
    hex::encode(Sha512::digest(password))
}

/// The Java SDK: a job id and the wish for a schema with every call.
pub(crate) struct Client<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) session: String,
}

impl<'a> Client<'a> {
    /// Logs the tenant's administrator in.
    pub(crate) async fn log_in(app: &'a TestApp) -> Client<'a> {
        let tenant = &app.tenant;
        let login = json!({"logInByAccount": {
            "accountName": tenant.tenant.name,
            "password": hashed(tenant.password.expose()),
        }});
        let headers = [
            ("content-type", "application/json"),
            ("x-json-schema", "true"),
            ("host", "backup.example:8080"),
        ];
        let path = "/zstack/v1/accounts/login";
        let answer = app
            .call(Method::PUT, path, &headers, login.to_string())
            .await
            .expect(200);
        let session = answer.json()["inventory"]["uuid"]
            .as_str()
            .unwrap()
            .to_owned();
        Self { app, session }
    }

    /// Sends a call with a session and a fresh job id.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let authorization = format!("OAuth {}", self.session);
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json; charset=utf-8"),
            ("host", "backup.example:8080"),
            ("x-json-schema", "true"),
            ("x-session-id", self.session.as_str()),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.app.call(method, path, &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// Queries database backups.
    pub(crate) async fn query(&self, query: &str) -> Value {
        self.get(&format!("/zstack/v1/database-backups?{query}"))
            .await
            .expect(200)
            .json()
    }

    /// Starts a backup; gives the path to poll.
    pub(crate) async fn create(&self, params: &Value) -> String {
        let body = json!({ "params": params });
        let answer = self
            .call(Method::POST, "/zstack/v1/database-backups", &body)
            .await;
        let accepted = answer.expect(202).json();
        polling(&accepted)
    }

    /// Polls a job as the SDKs do with access keys: without a session.
    pub(crate) async fn poll(&self, path: &str) -> Answer {
        self.app
            .call(Method::GET, path, &[("authorization", "OAuth null")], "")
            .await
    }

    /// Makes a backup of that name and gives its row.
    pub(crate) async fn back_up(&self, name: &str) -> Value {
        let storage = self.app.repository.id.simple();
        let job = self
            .create(&json!({"name": name, "backupStorageUuid": storage}))
            .await;
        self.app.work().await;
        self.poll(&job).await.expect(200).json()["inventory"].clone()
    }
}

/// The path behind the location that a client polls.
pub(crate) fn polling(accepted: &Value) -> String {
    let location = accepted["location"].as_str().unwrap();
    location
        .strip_prefix("http://backup.example:8080")
        .unwrap()
        .to_owned()
}
