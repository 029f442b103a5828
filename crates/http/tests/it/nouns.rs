//! The other nouns: created, changed, listed and removed through the native API.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_domain::Role;
use strongroom_testkit::TestApp;

#[tokio::test]
async fn a_policy_is_created_changed_and_removed() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[]).await;
    let body = json!({
        "name": "nightly",
        "schedule": {"recurrences": [{"type": "cron", "rule": "0 2 * * *"}], "zone": "Europe/Paris"},
        "retention": {"last": 7},
        "targets": [{"type": "resource", "id": resource.id}],
    });
    let made = app
        .native(Method::POST, "/api/v1/policies", body)
        .await
        .expect(201);
    let path = made.header("location").to_owned();
    let made = made.json();
    assert_eq!(made["enabled"], true);
    // 2026-03-01T12:00Z is the test clock; two in the morning in Paris is one in UTC.
    assert_eq!(made["next_run"], "2026-03-02T01:00:00Z");
    let change = json!({"description": "every night", "retention": {"daily": 3}});
    let changed = app
        .native(Method::PATCH, &path, change)
        .await
        .expect(200)
        .json();
    assert_eq!(changed["description"], "every night");
    assert_eq!(changed["retention"]["last"], Value::Null);
    let change = json!({"description": null});
    let changed = app
        .native(Method::PATCH, &path, change)
        .await
        .expect(200)
        .json();
    assert_eq!(changed["description"], Value::Null);
    app.native(Method::POST, &format!("{path}/run"), Value::Null)
        .await
        .expect(202);
    app.native(Method::DELETE, &path, Value::Null)
        .await
        .expect(204);
    let list = app
        .native(Method::GET, "/api/v1/policies?total=true", Value::Null)
        .await
        .json();
    assert_eq!(list, json!({"items": [], "total": 0}));
}

#[tokio::test]
async fn a_policy_has_repositories_in_order_and_a_place_for_copies() {
    let app = TestApp::start().await;
    let repository = async |name: &str| {
        let body = json!({"name": name, "url": format!("memory:{name}")});
        let made = app.native(Method::POST, "/api/v1/repositories", body).await;
        made.expect(201).json()["id"].clone()
    };
    let (one, two, attic) = (
        repository("one").await,
        repository("two").await,
        repository("attic").await,
    );
    let copies = json!({"repository_id": attic, "retention": {"weekly": 4}});
    let body = json!({
        "name": "either", "schedule": {}, "repositories": [one, two], "copy_to": copies,
    });
    let made = app
        .native(Method::POST, "/api/v1/policies", body)
        .await
        .expect(201);
    let path = made.header("location").to_owned();
    let made = made.json();
    assert_eq!(made["repository_id"], one);
    assert_eq!(made["repositories"], json!([one, two]));
    assert_eq!(made["copy_to"]["repository_id"], attic);
    assert_eq!(made["copy_to"]["retention"]["weekly"], 4);
    let patch = async |change: Value| app.native(Method::PATCH, &path, change).await;
    for (change, field) in [
        (json!({"repositories": [one, one]}), "repositories[1]"),
        (
            json!({"repositories": [two, attic]}),
            "copy_to.repository_id",
        ),
        (
            json!({"repository_id": two, "repositories": [one]}),
            "repository_id",
        ),
        (
            json!({"copy_to": {"repository_id": attic, "retention": {"zone": "x"}}}),
            "copy_to.retention.zone",
        ),
        (
            json!({"copy_to": {"retention": {}}}),
            "copy_to.repository_id",
        ),
    ] {
        let problem = patch(change).await.expect(400).json();
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    // One repository takes the place of all, and each is left as it is if it is not given.
    let changed = patch(json!({"repository_id": two}))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["repositories"], json!([two]));
    assert_eq!(changed["copy_to"]["repository_id"], attic);
    let changed = patch(json!({"copy_to": null, "repository_id": null})).await;
    let changed = changed.expect(200).json();
    assert_eq!(changed["repositories"], json!([]));
    assert_eq!(changed["repository_id"], Value::Null);
    assert_eq!(changed["copy_to"], Value::Null);
}

#[tokio::test]
async fn a_vault_takes_checkpoints_of_its_resources() {
    let app = TestApp::start().await;
    let one = app.files_with("one", &[("a", b"1")]).await;
    let two = app.files_with("two", &[("a", b"2")]).await;
    let body = json!({"name": "v", "resource_ids": [one.id], "quota_bytes": 1_000_000_000_u64});
    let made = app
        .native(Method::POST, "/api/v1/vaults", body)
        .await
        .expect(201);
    let path = made.header("location").to_owned();
    let members = json!({"resource_ids": [two.id]});
    let vault = app
        .native(Method::POST, &format!("{path}/resources"), members)
        .await
        .expect(200);
    assert_eq!(vault.json()["resources"].as_array().unwrap().len(), 2);
    let made = app
        .native(Method::POST, &format!("{path}/checkpoints"), json!({}))
        .await
        .expect(202);
    app.work().await;
    let shown = app
        .native(Method::GET, made.header("location"), Value::Null)
        .await
        .expect(200);
    let states: Vec<_> = shown.json()["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["completed", "completed"]);
    let vault = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(200)
        .json();
    assert!(vault["used_bytes"].as_u64().unwrap() > 0, "{vault}");
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked_and_its_secret_is_shown_once() {
    let app = TestApp::start().await;
    let body = json!({"name": "ci"});
    let made = app
        .native(Method::POST, "/api/v1/tokens", body)
        .await
        .expect(201)
        .json();
    let (id, secret) = (
        made["token"]["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    let me = app
        .native_as(secret, Method::GET, "/api/v1/me", Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(me["principal_name"], "admin");
    let listed = app
        .native(Method::GET, "/api/v1/tokens", Value::Null)
        .await
        .expect(200);
    assert!(listed.text().contains(id));
    assert!(!listed.text().contains(secret));
    let credential = id.parse().unwrap();
    let off = app.service.switch_credential(&app.owner, credential, false);
    off.await.unwrap();
    let listed = app
        .native(Method::GET, "/api/v1/tokens", Value::Null)
        .await
        .json();
    let items = listed["items"].as_array().unwrap();
    let enabled = |it: &&Value| it["enabled"] == true;
    assert!(items.iter().filter(enabled).all(|it| it["id"] != id));
    assert_eq!(items.iter().filter(enabled).count(), items.len() - 1);
    let path = format!("/api/v1/tokens/{id}");
    app.native(Method::DELETE, &path, Value::Null)
        .await
        .expect(204);
    app.native_as(secret, Method::GET, "/api/v1/me", Value::Null)
        .await
        .expect(401);
}

#[tokio::test]
async fn only_an_owner_adds_users() {
    let app = TestApp::start().await;
    let body = json!({"name": "eve", "role": "viewer", "password": "long enough"});
    let operator = app.token_of(Role::Operator).await;
    let path = "/api/v1/principals";
    app.native_as(&operator, Method::POST, path, body.clone())
        .await
        .expect(403);
    let made = app.native(Method::POST, path, body).await.expect(201);
    assert!(!made.text().contains("long enough"));
}

#[tokio::test]
async fn everything_that_happened_is_listed_newest_first() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[("a", b"1")]).await;
    app.back_up(&resource).await;
    let list = app
        .native(Method::GET, "/api/v1/events?limit=1000", Value::Null)
        .await
        .expect(200);
    let names: Vec<_> = list.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect();
    let place = |name: &str| names.iter().position(|it| it == name);
    assert!(
        place("backup.completed") < place("backup.requested"),
        "{names:?}"
    );
    assert!(place("resource.created").is_some(), "{names:?}");
}

#[tokio::test]
async fn only_an_owner_of_the_first_tenant_makes_tenants() {
    let app = TestApp::start().await;
    let body = json!({"name": "second"});
    let path = "/api/v1/tenants";
    let made = app
        .native(Method::POST, path, body)
        .await
        .expect(201)
        .json();
    let theirs = made["api_token"].as_str().unwrap();
    let me = app
        .native_as(theirs, Method::GET, "/api/v1/me", Value::Null)
        .await
        .expect(200);
    assert_eq!(me.json()["tenant_name"], "second");
    let third = json!({"name": "third"});
    app.native_as(theirs, Method::POST, path, third.clone())
        .await
        .expect(403);
    let operator = app.token_of(Role::Operator).await;
    app.native_as(&operator, Method::POST, path, third)
        .await
        .expect(403);
    let own = app
        .native_as(theirs, Method::GET, path, Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
}
