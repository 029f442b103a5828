//! A server with directories to protect, asked as CBR's clients ask.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use strongroom_domain::Resource;
use strongroom_testkit::{Answer, TestApp};

/// A server and its CBR face.
pub(crate) struct Cbr {
    pub(crate) app: TestApp,
    token: String,
}

impl Cbr {
    pub(crate) async fn start() -> Self {
        let app = TestApp::start().await;
        let token = app.token();
        Self { app, token }
    }

    /// The path below the tenant's project.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v3/{}{rest}", self.app.tenant.tenant.id.simple())
    }

    /// Asks with the owner's API token; `Value::Null` sends no body.
    pub(crate) async fn ask(&self, method: Method, rest: &str, body: Value) -> Answer {
        self.ask_as(&self.token, method, rest, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: Method,
        rest: &str,
        body: Value,
    ) -> Answer {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let headers = [("x-auth-token", token)];
        self.app
            .call(method, &self.path(rest), &headers, body)
            .await
    }

    /// What is at a path that there must be something at.
    pub(crate) async fn get(&self, rest: &str) -> Value {
        self.done(Method::GET, rest, Value::Null).await
    }

    pub(crate) async fn post(&self, rest: &str, body: Value) -> Value {
        self.done(Method::POST, rest, body).await
    }

    async fn done(&self, method: Method, rest: &str, body: Value) -> Value {
        let answer = self.ask(method, rest, body).await;
        assert!(answer.status.is_success(), "{rest}: {}", answer.text());
        answer.json()
    }

    /// Status and code of a refusal in CBR's shape.
    pub(crate) async fn refusal(
        &self,
        method: Method,
        rest: &str,
        body: Value,
    ) -> (u16, String, String) {
        refusal(&self.ask(method, rest, body).await)
    }

    /// A vault for directories, with these in it.
    pub(crate) async fn vault(&self, name: &str, resources: &[&Resource]) -> String {
        let body = json!({"vault": vault_body(name, resources)});
        text(&self.post("/vaults", body).await["vault"]["id"])
    }

    /// Starts a checkpoint; gives its id.
    pub(crate) async fn checkpoint(&self, vault: &str, name: &str) -> String {
        let parameters = json!({"name": name});
        let body = json!({"checkpoint": {"vault_id": vault, "parameters": parameters}});
        text(&self.post("/checkpoints", body).await["checkpoint"]["id"])
    }

    /// The names of the listed backups, and the count.
    pub(crate) async fn names(&self, query: &str) -> (Vec<String>, u64) {
        let found = self.get(&format!("/backups?{query}")).await;
        let backups = found["backups"].as_array().unwrap();
        let names = backups.iter().map(|it| text(&it["name"])).collect();
        (names, found["count"].as_u64().unwrap())
    }
}

pub(crate) fn vault_body(name: &str, resources: &[&Resource]) -> Value {
    let resources: Vec<_> = resources
        .iter()
        .map(|it| json!({"id": it.id.to_string(), "type": "OS::Sfs::Turbo"}))
        .collect();
    json!({
        "name": name,
        "resources": resources,
        "billing": {
            "consistent_level": "crash_consistent",
            "object_type": "turbo",
            "protect_type": "backup",
            "size": 40,
        },
    })
}

/// Status, code and text of a refusal, which must have CBR's shape.
pub(crate) fn refusal(answer: &Answer) -> (u16, String, String) {
    assert_ne!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.headers.contains_key("x-request-id"));
    let body: Value = answer.json();
    let fields = body.as_object().unwrap();
    let known = ["error_code", "error_msg", "request_id"];
    assert!(
        fields.keys().all(|it| known.contains(&it.as_str())),
        "{body}"
    );
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (
        answer.status.as_u16(),
        text("error_code"),
        text("error_msg"),
    )
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
