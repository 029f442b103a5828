//! Whatever a client sends, the answer is a problem that says what is wrong, and the next request
//! works.

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use strongroom_http::problem::Problem;
use strongroom_testkit::{Answer, TestApp};

const SOME_ID: &str = "bab39d53-2d04-4297-b92e-58df89a2117b";

fn problem(answer: &Answer) -> Problem {
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{answer:?}"
    );
    let problem: Problem = answer.read();
    assert_eq!(problem.status, answer.status.as_u16());
    problem
}

#[rstest]
#[case("limit=0", "limit")]
#[case("limit=-1", "limit")]
#[case("limit=abc", "limit")]
#[case("limit=1001", "limit")]
#[case("limit=99999999999999999999999", "limit")]
#[case("cursor=nonsense", "cursor")]
#[case("total=maybe", "total")]
#[case("state=sleeping", "state[0]")]
#[case("kind=cloud", "kind[0]")]
#[case("face=aws", "face")]
#[case("resource_id=7", "resource_id")]
#[case("created_from=yesterday", "created_from")]
#[case("sort=colour", "sort")]
#[case("colour=red", "colour")]
#[tokio::test]
async fn a_bad_list_parameter_is_named(#[case] query: &str, #[case] field: &str) {
    let app = TestApp::start().await;
    let path = format!("/api/v1/backups?{query}");
    let answer = app
        .native(Method::GET, &path, Value::Null)
        .await
        .expect(400);
    let problem = problem(&answer);
    assert_eq!(problem.errors[0].field, field, "{problem:?}");
}

#[rstest]
#[case("{", "malformed", None)]
#[case("", "invalid", Some("resource_id"))]
#[case("[]", "invalid", Some(""))]
#[case(r#"{"resource_id": 7}"#, "invalid", Some("resource_id"))]
#[case(r#"{"resource_id": "7"}"#, "invalid", Some("resource_id"))]
#[case(
    r#"{"resource_id": "bab39d53-2d04-4297-b92e-58df89a2117b", "nam": "x"}"#,
    "invalid",
    Some("nam")
)]
#[case(
    r#"{"resource_id": "bab39d53-2d04-4297-b92e-58df89a2117b", "labels": [{"name": 1}]}"#,
    "invalid",
    Some("labels[0].name")
)]
#[case(
    r#"{"resource_id": "bab39d53-2d04-4297-b92e-58df89a2117b", "expires_at": "soon"}"#,
    "invalid",
    Some("expires_at")
)]
#[tokio::test]
async fn a_bad_body_is_refused_by_field(
    #[case] body: &'static str,
    #[case] code: &str,
    #[case] field: Option<&str>,
) {
    let app = TestApp::start().await;
    let bearer = format!("Bearer {}", app.token());
    let headers = [("authorization", bearer.as_str())];
    let answer = app
        .call(Method::POST, "/api/v1/backups", &headers, body)
        .await
        .expect(400);
    let problem = problem(&answer);
    assert_eq!(&*problem.code, code, "{problem:?}");
    assert_eq!(
        problem.errors.first().map(|it| it.field.as_str()),
        field,
        "{problem:?}"
    );
}

#[tokio::test]
async fn ids_that_are_none_unknown_or_foreign_are_told_apart_only_by_shape() {
    let app = TestApp::start().await;
    let resource = app.files_with("documents", &[("a", b"1")]).await;
    let backup = app.back_up(&resource).await;
    let foreign = app.foreign_token().await;
    for (id, status) in [("7", 400), ("%ff", 400), (SOME_ID, 404)] {
        let path = format!("/api/v1/backups/{id}");
        let answer = app
            .native(Method::GET, &path, Value::Null)
            .await
            .expect(status);
        problem(&answer);
    }
    let path = format!("/api/v1/backups/{}", backup.id);
    let theirs = app
        .native_as(&foreign, Method::GET, &path, Value::Null)
        .await
        .expect(404);
    let detail = problem(&theirs).detail;
    assert_eq!(detail, format!("backup `{}` not found", backup.id));
}

#[tokio::test]
async fn a_rule_broken_in_several_fields_names_them_all() {
    let app = TestApp::start().await;
    let body = json!({
        "name": "",
        "schedule": {"recurrences": [{"type": "cron", "rule": "nonsense"}], "zone": "Mars/Base"},
    });
    let answer = app
        .native(Method::POST, "/api/v1/policies", body)
        .await
        .expect(400);
    let fields: Vec<_> = problem(&answer)
        .errors
        .into_iter()
        .map(|it| it.field)
        .collect();
    assert!(fields.len() > 1, "{fields:?}");
    assert!(fields.iter().any(|it| it == "name"), "{fields:?}");
}

#[tokio::test]
async fn credentials_that_do_not_count_are_refused_alike() {
    let app = TestApp::start().await;
    let good = format!("Bearer {}", app.token());
    for (header, status) in [
        (None, 401),
        (Some(""), 401),
        (Some("Bearer"), 401),
        (Some("Bearer nonsense"), 401),
        (Some("Basic YWRtaW46YWRtaW4="), 401),
        (Some(good.as_str()), 200),
    ] {
        let headers: Vec<_> = header.map(|it| ("authorization", it)).into_iter().collect();
        let answer = app
            .call(Method::GET, "/api/v1/me", &headers, "")
            .await
            .expect(status);
        if status == 401 {
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            problem(&answer);
        }
    }
}

/// Bodies that no route takes, or takes only by luck.
const BODIES: [&[u8]; 12] = [
    b"",
    b"null",
    b"0",
    b"\"\"",
    b"[]",
    b"{}",
    b"{",
    b"\xff\xfe\x00",
    br#"{"name": null, "kind": null, "schedule": null, "target": null, "resource_id": null}"#,
    br#"{"name": {}, "kind": [], "url": 1, "quota_bytes": -1, "resource_ids": "x"}"#,
    br#"{"name": "\u0000", "url": "\u0000", "kind": "files", "settings": {"path": "\u0000"}}"#,
    br#"{"name": "x", "quota_bytes": 18446744073709551615, "schedule": {"recurrences": [{"type": "every", "rule": 0}]}}"#,
];

const QUERIES: [&str; 8] = [
    "",
    "?limit=0&cursor=%00&total=2",
    "?%ff=%ff",
    "?limit=1&limit=2",
    "?path=%2e%2e%2f%2e%2e%2fetc&cursor=AAAA",
    "?&&==&a",
    "?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&kind=files",
    "?sort=-&state=&name=%27%20OR%201=1--",
];

#[tokio::test]
async fn no_malformed_request_is_ever_an_internal_error() {
    let app = TestApp::start().await;
    let bearer = format!("Bearer {}", app.token());
    let headers = [("authorization", bearer.as_str())];
    let (_, native) = &app.composed().documents[0];
    for (path, method) in crate::documents::operations(native) {
        for id in [SOME_ID, "x", "%00"] {
            let path = path.replace("{id}", id).replace("{resource_id}", id);
            for query in QUERIES {
                if path.ends_with("/stream") {
                    continue;
                }
                let target = format!("{path}{query}");
                let bodies = if method == Method::GET {
                    &BODIES[..1]
                } else {
                    &BODIES[..]
                };
                for body in bodies {
                    let answer = app.call(method.clone(), &target, &headers, *body).await;
                    let status = answer.status.as_u16();
                    assert!(status < 500, "{method} {target} {body:?}: {answer:?}");
                }
            }
        }
    }
    app.native(Method::GET, "/api/v1/me", Value::Null)
        .await
        .expect(200);
}
