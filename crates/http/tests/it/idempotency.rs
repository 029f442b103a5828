//! `Idempotency-Key`: whatever a POST makes is made once.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_domain::{Backup, Resource, Role};
use strongroom_testkit::{Answer, TestApp};

use crate::documents::operations;

/// What the paths of the document are about.
struct Things {
    app: TestApp,
    resource: Resource,
    /// In no vault.
    spare: Resource,
    completed: Backup,
    completed_id: String,
    spare_repository: String,
    pending: Backup,
    restore: String,
    policy: String,
    vault: String,
}

impl Things {
    async fn make() -> Self {
        let app = TestApp::start().await;
        let resource = app.files_with("documents", &[("a", b"1")]).await;
        let spare = app.files_with("spare", &[("a", b"1")]).await;
        let completed = app.back_up(&resource).await;
        let (pending, _) = app.request(&resource).await;
        let made = async |path: &str, pointer: &str, body: Value| {
            let made = app.native(Method::POST, path, body).await.json();
            made.pointer(pointer).unwrap().as_str().unwrap().to_owned()
        };
        let restore = json!({"backup_id": completed.id, "target": {"type": "original"}});
        let restore = made("/api/v1/restores", "/restore/id", restore).await;
        let spare_repository = json!({"name": "spare", "url": "memory:spare"});
        let spare_repository = made("/api/v1/repositories", "/id", spare_repository).await;
        let policy = made("/api/v1/policies", "/id", policy("hourly")).await;
        let vault = json!({"name": "v", "resource_ids": [resource.id], "quota_bytes": 1 << 30});
        let vault = made("/api/v1/vaults", "/id", vault).await;
        Self {
            app,
            resource,
            spare,
            completed_id: completed.id.to_string(),
            completed,
            spare_repository,
            pending,
            restore,
            policy,
            vault,
        }
    }

    /// Where to send a POST to, a body that it takes, and another one.
    fn case(&self, path: &str) -> (String, Value, Value) {
        let (id, one, other) = match path.strip_prefix("/api/v1").unwrap() {
            "/resources" => {
                let settings = &self.resource.settings.0;
                let body = |name| json!({"kind": "files", "name": name, "settings": settings});
                ("", body("one"), body("two"))
            }
            "/backups" => {
                let body = |name| json!({"resource_id": self.resource.id, "name": name});
                ("", body("one"), body("two"))
            }
            "/backups/{id}/cancel" => {
                return Self::without_body(path, &self.pending.id.to_string());
            }
            "/backups/{id}/copies" => {
                let body = |id: &str| json!({ "repository_id": id });
                let other = self.app.repository.id.to_string();
                (
                    &*self.completed_id,
                    body(&self.spare_repository),
                    body(&other),
                )
            }
            "/backups/{id}/exports" => {
                let body = |from: &Value| json!({ "repository_id": from });
                let own = json!(self.app.repository.id);
                (&*self.completed_id, body(&own), body(&Value::Null))
            }
            "/restores" => {
                let target = json!({"type": "original"});
                let body = |conflict| json!({"backup_id": self.completed.id, "target": target, "conflict": conflict});
                ("", body("keep"), body("replace"))
            }
            "/restores/{id}/cancel" => return Self::without_body(path, &self.restore),
            "/repositories" => {
                let body = |name: &str| json!({"name": name, "url": format!("memory:{name}")});
                ("", body("one"), body("two"))
            }
            "/repositories/{id}/check" | "/repositories/{id}/scan" => {
                return Self::without_body(path, &self.app.repository.id.to_string());
            }
            "/policies" => ("", policy("one"), policy("two")),
            "/policies/{id}/run" => return Self::without_body(path, &self.policy),
            "/vaults" => {
                let body = |name| json!({"name": name, "resource_ids": [], "quota_bytes": 1});
                ("", body("one"), body("two"))
            }
            "/vaults/{id}/resources" => {
                let body = |ids: &[_]| json!({ "resource_ids": ids });
                (&*self.vault, body(&[self.spare.id]), body(&[]))
            }
            "/vaults/{id}/checkpoints" => {
                let body = |name| json!({ "name": name });
                (&*self.vault, body("one"), body("two"))
            }
            "/tenants" => {
                let body = |name| json!({"name": name, "administrator": "root"});
                ("", body("one"), body("two"))
            }
            "/principals" => {
                let body =
                    |password| json!({"name": "eve", "role": "viewer", "password": password});
                ("", body("long enough"), body("also long enough"))
            }
            "/tokens" => {
                let body = |kind| json!({"name": "ci", "kind": kind});
                ("", body("api_token"), body("access_key"))
            }
            other => panic!("say here how to POST to `{other}`: it must honour Idempotency-Key"),
        };
        (path.replace("{id}", id), one, other)
    }

    fn without_body(path: &str, id: &str) -> (String, Value, Value) {
        (path.replace("{id}", id), Value::Null, json!({}))
    }

    async fn post(&self, token: &str, key: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        self.app.call(Method::POST, path, &headers, body).await
    }
}

fn policy(name: &str) -> Value {
    json!({
        "name": name, "retention": {"last": 7}, "targets": [],
        "schedule": {"recurrences": [{"type": "cron", "rule": "0 2 * * *"}], "zone": "UTC"},
    })
}

#[tokio::test]
async fn a_repeated_post_gets_the_first_answer_and_a_reused_key_is_refused() {
    let things = Things::make().await;
    let (_, native) = &things.app.composed().documents[0];
    let token = things.app.token();
    let mut count = 0;
    for (route, _) in operations(native)
        .into_iter()
        .filter(|it| it.1 == Method::POST)
    {
        let (path, body, other) = things.case(&route);
        let first = things.post(&token, &route, &path, &body).await;
        assert!(first.status.is_success(), "{route}: {first:?}");
        let again = things.post(&token, &route, &path, &body).await;
        assert_eq!(again.status, first.status, "{route}: {again:?}");
        assert_eq!(again.json(), first.json(), "{route}");
        assert_eq!(
            again.header("location"),
            first.header("location"),
            "{route}"
        );
        let reused = things.post(&token, &route, &path, &other).await.expect(422);
        assert_eq!(reused.json()["code"], "key_reused", "{route}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[tokio::test]
async fn nobody_else_gets_the_answer_to_a_key() {
    let things = Things::make().await;
    let body = json!({"name": "ci"});
    let path = "/api/v1/tokens";
    let own = things.app.token();
    things.post(&own, "k", path, &body).await.expect(201);
    let colleague = things.app.token_of(Role::Operator).await;
    let refused = things.post(&colleague, "k", path, &body).await.expect(422);
    assert_eq!(refused.json()["code"], "key_reused");
    let foreign = things.app.foreign_token().await;
    things.post(&foreign, "k", path, &body).await.expect(201);
}

#[tokio::test]
async fn an_unusable_key_is_refused() {
    let things = Things::make().await;
    let body = json!({"name": "ci"});
    for key in ["", &"k".repeat(256), "\u{e9}"] {
        let answer = things
            .post(&things.app.token(), key, "/api/v1/tokens", &body)
            .await
            .expect(400);
        assert_eq!(answer.json()["errors"][0]["field"], "idempotency-key");
    }
}
