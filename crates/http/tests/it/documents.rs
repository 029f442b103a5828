//! The OpenAPI documents and the page that shows them.

use std::fmt::Write as _;

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

#[tokio::test]
async fn the_native_document_says_what_it_always_said() {
    let app = TestApp::start().await;
    let document = app
        .call(Method::GET, "/api/v1/openapi.json", &[], "")
        .await
        .expect(200);
    let json = document.json();
    assert_eq!(json["openapi"], "3.1.0");
    insta::assert_snapshot!("native", digest(&json));
}

/// A line per operation and per field: what a client relies on, short enough to review.
fn digest(document: &Value) -> String {
    let mut text = String::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            writeln!(text, "{} {path} ({name})", method.to_uppercase()).unwrap();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let (place, name) = (&parameter["in"], &parameter["name"]);
                let (place, name) = (place.as_str().unwrap(), name.as_str().unwrap());
                writeln!(text, "  {place} {name}: {}", kind(&parameter["schema"])).unwrap();
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !body.is_null() {
                writeln!(text, "  body: {}", kind(body)).unwrap();
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = response["content"]
                    .as_object()
                    .and_then(|it| it.iter().next());
                let shown = content.map_or("nothing".to_owned(), |(of, it)| {
                    format!("{of} {}", kind(&it["schema"]))
                });
                writeln!(text, "  {status}: {shown}").unwrap();
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        writeln!(text, "{name}: {}", kind(schema)).unwrap();
    }
    text
}

/// A schema in a few words.
fn kind(schema: &Value) -> String {
    let list = |of: &str| {
        let all = schema[of].as_array().into_iter().flatten();
        all.map(kind).collect::<Vec<_>>().join(" | ")
    };
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if schema["oneOf"].is_array() {
        return list("oneOf");
    }
    if let Some(fields) = schema["properties"].as_object() {
        let required: Vec<_> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let field = |(name, it): (&String, &Value)| {
            let mark = if required.contains(&name.as_str()) {
                ""
            } else {
                "?"
            };
            format!("\n    {name}{mark}: {}", kind(it))
        };
        return fields.iter().map(field).collect();
    }
    let of = match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        one => one.as_str().unwrap_or("anything").to_owned(),
    };
    let of = schema["format"]
        .as_str()
        .map_or(of.clone(), |format| format!("{of} ({format})"));
    if schema["items"].is_object() {
        format!("{of} of {}", kind(&schema["items"]))
    } else {
        of
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
