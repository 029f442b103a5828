//! Keystone, as `openstack` and Terraform use it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use strongroom_testkit::Answer;

use crate::support::{Cbr, refusal, text};

async fn log_in(cbr: &Cbr, auth: Value) -> Answer {
    let body = json!({"auth": auth}).to_string();
    let headers = [("host", "cloud.example:7878")];
    cbr.app
        .call(Method::POST, "/v3/auth/tokens", &headers, body)
        .await
}

fn user(cbr: &Cbr, domain: Value) -> Value {
    let password = cbr.app.tenant.password.expose();
    json!({
        "methods": ["password"],
        "password": {"user": {"name": "admin", "password": password, "domain": domain}},
    })
}

#[tokio::test]
async fn a_password_gives_a_token_that_lists_backups_until_it_is_ended() {
    let cbr = Cbr::start().await;
    let identity = user(&cbr, json!({"name": "tenant-1"}));
    let scope = json!({"project": {"name": "tenant-1", "domain": {"name": "tenant-1"}}});
    let answer = log_in(&cbr, json!({"identity": identity, "scope": scope})).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let token = answer.headers["x-subject-token"]
        .to_str()
        .unwrap()
        .to_owned();
    let shown: Value = answer.json();
    let project = cbr.app.tenant.tenant.id.simple();
    assert_eq!(shown["token"]["project"]["id"], json!(project));
    assert_eq!(shown["token"]["issued_at"], "2026-03-01T12:00:00.000000Z");
    assert_eq!(shown["token"]["expires_at"], "2026-03-02T12:00:00.000000Z");
    let entry = &shown["token"]["catalog"][0];
    assert_eq!(entry["type"], "cbr");
    let url = format!("http://cloud.example:7878/v3/{project}");
    assert_eq!(entry["endpoints"][0]["url"], json!(url));

    let listed = cbr
        .ask_as(&token, Method::GET, "/backups", Value::Null)
        .await;
    assert_eq!(listed.status, StatusCode::OK);
    let headers = [
        ("x-auth-token", token.as_str()),
        ("x-subject-token", token.as_str()),
    ];
    let call = async |method| cbr.app.call(method, "/v3/auth/tokens", &headers, "").await;
    assert_eq!(call(Method::GET).await.status, StatusCode::OK);
    assert_eq!(call(Method::DELETE).await.status, StatusCode::NO_CONTENT);
    let ended = cbr
        .ask_as(&token, Method::GET, "/backups", Value::Null)
        .await;
    assert_eq!(refusal(&ended).1, "APIGW.0301");
}

#[tokio::test]
async fn a_token_ends_after_a_day() {
    let cbr = Cbr::start().await;
    let answer = log_in(&cbr, json!({"identity": user(&cbr, Value::Null)})).await;
    let token = answer.headers["x-subject-token"]
        .to_str()
        .unwrap()
        .to_owned();
    cbr.app.clock.advance(jiff::SignedDuration::from_hours(24));
    let late = cbr
        .ask_as(&token, Method::GET, "/backups", Value::Null)
        .await;
    let (status, code, message) = refusal(&late);
    assert_eq!((status, &*code), (401, "APIGW.0301"));
    assert!(message.contains("expired"), "{message}");
}

#[tokio::test]
async fn the_tenant_may_be_named_in_every_way_that_clients_do() {
    let cbr = Cbr::start().await;
    cbr.app.another_tenant("other").await;
    let project = cbr.app.tenant.tenant.id.simple();
    for (domain, scope) in [
        (json!({"name": "tenant-1"}), Value::Null),
        (json!({"id": project}), Value::Null),
        (
            json!({"name": "tenant-1"}),
            json!({"project": {"name": "eu-de"}}),
        ),
        (
            json!({"name": "Default"}),
            json!({"project": {"id": project}}),
        ),
        (
            json!({"id": "default"}),
            json!({"project": {"name": "tenant-1", "domain": {"id": "default"}}}),
        ),
        (Value::Null, json!({"domain": {"name": "tenant-1"}})),
    ] {
        let auth = json!({"identity": user(&cbr, domain), "scope": scope});
        let answer = log_in(&cbr, auth).await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "{scope}: {}",
            answer.text()
        );
        let shown: Value = answer.json();
        assert_eq!(shown["token"]["project"]["id"], json!(project), "{scope}");
    }
}

#[tokio::test]
async fn an_api_token_is_exchanged_for_a_token() {
    let cbr = Cbr::start().await;
    let identity = json!({"methods": ["token"], "token": {"id": cbr.app.token()}});
    let answer = log_in(&cbr, json!({"identity": identity})).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_bad_login_is_refused_in_keystones_shape() {
    let cbr = Cbr::start().await;
    let wrong = json!({
        "methods": ["password"],
        "password": {"user": {"name": "admin", "password": "wrong"}},
    });
    let foreign = json!({"project": {"id": "0605767b5780d5762fc5c0118072a564"}});
    let own = user(&cbr, json!({"name": "tenant-1"}));
    for (auth, status) in [
        (json!({"identity": wrong}), 401),
        (json!({"identity": own, "scope": foreign}), 401),
        (
            json!({"identity": {"methods": ["token"], "token": {"id": "nope"}}}),
            401,
        ),
        (json!({"identity": {"methods": ["saml2"]}}), 400),
        (json!({"identity": {"methods": []}}), 400),
        (json!({"identity": {"methods": ["password"]}}), 400),
        (json!({}), 400),
        (json!("admin"), 400),
    ] {
        let answer = log_in(&cbr, auth.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{auth}: {}", answer.text());
        let body: Value = answer.json();
        assert_eq!(body["error"]["code"], json!(status), "{auth}");
        assert!(!text(&body["error"]["message"]).is_empty());
    }
}

#[tokio::test]
async fn a_client_finds_its_project_domain_and_endpoints() {
    let cbr = Cbr::start().await;
    let token = cbr.app.token();
    let headers = [("x-auth-token", token.as_str()), ("host", "h:1")];
    let get =
        async |path: &str| -> Value { cbr.app.call(Method::GET, path, &headers, "").await.json() };
    let project = cbr.app.tenant.tenant.id.simple();
    let found = get("/v3/projects?name=eu-de").await;
    assert_eq!(found["projects"].as_array().unwrap().len(), 1);
    assert_eq!(found["projects"][0]["id"], json!(project));
    assert_eq!(found["projects"][0]["name"], "eu-de");
    assert_eq!(
        get("/v3/auth/projects").await["projects"][0]["name"],
        "tenant-1"
    );
    assert_eq!(
        get("/v3/auth/domains").await["domains"][0]["name"],
        "tenant-1"
    );
    assert_eq!(
        get("/v3/auth/domains?name=other").await["domains"],
        json!([])
    );
    let catalog = get("/v3/auth/catalog").await;
    let kinds: Vec<_> = catalog["catalog"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["type"]))
        .collect();
    assert_eq!(kinds, ["cbr", "ges", "identity"]);
    assert_eq!(
        get("/v3").await["version"]["links"][0]["href"],
        "http://h:1/v3/"
    );
    let versions = cbr.app.call(Method::GET, "/", &[], "").await;
    assert_eq!(versions.status, StatusCode::MULTIPLE_CHOICES);
    let versions: Value = versions.json();
    assert_eq!(versions["versions"][0]["id"], "v3");
}
