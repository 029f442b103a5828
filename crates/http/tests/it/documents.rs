//! The OpenAPI documents and the page that shows them.

use axum::http::Method;
use serde_json::Value;
use strongroom_testkit::TestApp;
use utoipa::openapi::OpenApi;

/// Every path and method of a document.
pub(crate) fn operations(document: &OpenApi) -> Vec<(String, Method)> {
    let json = serde_json::to_value(document).unwrap();
    let mut all = Vec::new();
    for (path, item) in json["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete", "head"] {
            if item.get(method).is_some() {
                all.push((path.clone(), method.to_uppercase().parse().unwrap()));
            }
        }
    }
    all
}

/// What generators of clients and reviewers read. After a change that is meant, copy the file that
/// the failing test names.
#[tokio::test]
async fn the_document_in_the_repository_is_the_one_that_is_served() {
    let app = TestApp::start().await;
    let served = app
        .call(Method::GET, "/api/v1/openapi.json", &[], "")
        .await
        .expect(200)
        .json();
    assert_eq!(served["openapi"], "3.1.0");
    let served = format!("{served:#}\n");
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    if std::fs::read_to_string(kept).ok().as_ref() != Some(&served) {
        let fresh = std::env::temp_dir().join("strongroom-openapi.json");
        std::fs::write(&fresh, served).unwrap();
        panic!("docs/openapi.json differs from `{}`", fresh.display());
    }
}

#[tokio::test]
async fn every_reference_of_every_document_leads_somewhere() {
    let app = TestApp::start().await;
    let mut dangling = Vec::new();
    for (name, document) in &app.composed().documents {
        let json = serde_json::to_value(document).unwrap();
        let mut references = Vec::new();
        collect(&json, &mut references);
        references.retain(|it| json.pointer(it.strip_prefix('#').unwrap()).is_none());
        dangling.extend(references.into_iter().map(|it| (name, it)));
    }
    assert!(dangling.is_empty(), "{dangling:?}");
}

fn collect(json: &Value, references: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            references.extend(
                fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields.values().for_each(|it| collect(it, references));
        }
        Value::Array(items) => items.iter().for_each(|it| collect(it, references)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let app = TestApp::start().await;
    for (name, document) in &app.composed().documents {
        let json = serde_json::to_value(document).unwrap();
        let items = json["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|it| it.as_object().unwrap().values());
        let mut ids: Vec<_> = operations
            .map(|it| it["operationId"].as_str().unwrap().to_owned())
            .collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}");
    }
}

#[tokio::test]
async fn the_page_lists_every_document_and_loads_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let redirect = app.call(Method::GET, "/docs", &[], "").await.expect(308);
    assert_eq!(redirect.header("location"), "/docs/");
    let page = app.call(Method::GET, "/docs/", &[], "").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text().contains("://"), "{page:?}");
    let start = app
        .call(Method::GET, "/docs/swagger-initializer.js", &[], "")
        .await
        .expect(200);
    for (name, _) in &app.composed().documents {
        let path = match *name {
            "native" => "/api/v1/openapi.json".to_owned(),
            face => format!("/docs/{face}.json"),
        };
        assert!(start.text().contains(&path), "{start:?}");
        app.call(Method::GET, &path, &[], "").await.expect(200);
    }
    app.call(Method::GET, "/docs/swagger-ui-bundle.js", &[], "")
        .await
        .expect(200);
    app.call(Method::GET, "/docs/nothing.js", &[], "")
        .await
        .expect(404);
}
