//! What the composed router does around every handler.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use strongroom_http::{
    compose::Limits,
    dialect::{Dialect, Fallback},
    extract::{RawBody, RawTarget},
};
use strongroom_service::Service;
use strongroom_testkit::{TestApp, TestService};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A face that fails in every way that a handler can.
const VENDOR: Dialect = Dialect {
    name: "vendor",
    title: "A vendor",
    router,
    owns: |path| path.starts_with("/vendor/"),
    fallback: in_its_own_words,
    background: None,
};

fn in_its_own_words(fallback: Fallback) -> Response {
    let text = format!("vendor: {:?} {}", fallback.reason, fallback.uri);
    (StatusCode::IM_A_TEAPOT, text).into_response()
}

#[utoipa::path(get, path = "/vendor/panic")]
async fn panics() -> StatusCode {
    panic!("a defect");
}

#[utoipa::path(get, path = "/vendor/never")]
async fn never() -> StatusCode {
    std::future::pending().await
}

#[utoipa::path(post, path = "/vendor/echo/{*rest}")]
async fn echo(target: RawTarget, body: RawBody) -> String {
    let query = target.query().unwrap_or("-");
    format!(
        "{} {query} {}",
        target.path(),
        String::from_utf8_lossy(&body.0)
    )
}

fn router() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(panics))
        .routes(routes!(never))
        .routes(routes!(echo))
}

async fn app() -> TestApp {
    let limits = Limits {
        body_bytes: 16,
        ..Limits::default()
    };
    TestApp::over(TestService::start().await, &[VENDOR], limits)
}

#[tokio::test]
async fn errors_outside_handlers_are_worded_by_the_owner_of_the_path() {
    let app = app().await;
    let long = "longer than sixteen bytes";
    for (method, path, body, expected) in [
        (
            Method::GET,
            "/vendor/nothing?q=1",
            "",
            "vendor: NotFound /vendor/nothing?q=1",
        ),
        (
            Method::POST,
            "/vendor/panic",
            "",
            "vendor: MethodNotAllowed /vendor/panic",
        ),
        (
            Method::GET,
            "/vendor/panic",
            "",
            "vendor: Panicked /vendor/panic",
        ),
        (
            Method::POST,
            "/vendor/echo/x",
            long,
            "vendor: BodyTooLarge { limit: 16 } /vendor/echo/x",
        ),
    ] {
        let answer = app.call(method, path, &[], body).await.expect(418);
        assert_eq!(answer.text(), expected);
        assert!(!answer.header("x-request-id").is_empty());
    }
    let not_allowed = app.call(Method::POST, "/vendor/panic", &[], "").await;
    assert_eq!(not_allowed.header("allow"), "GET,HEAD");
    for (method, path, status, code) in [
        (Method::GET, "/elsewhere", 404, "not_found"),
        (Method::DELETE, "/api/v1/me", 405, "method_not_allowed"),
    ] {
        let answer = app.call(method, path, &[], "").await.expect(status);
        assert_eq!(answer.json()["code"], code);
    }
    let native = app
        .call(Method::POST, "/api/v1/backups", &[], long)
        .await
        .expect(413);
    assert_eq!(native.json()["code"], "too_large");
    app.call(Method::GET, "/healthz", &[], "").await.expect(200);
}

#[tokio::test]
async fn a_handler_that_never_ends_is_given_up() {
    let limits = Limits {
        time: Duration::from_millis(1),
        ..Limits::default()
    };
    let app = TestApp::over(TestService::start().await, &[VENDOR], limits);
    let answer = app
        .call(Method::GET, "/vendor/never", &[], "")
        .await
        .expect(418);
    assert_eq!(answer.text(), "vendor: TimedOut /vendor/never");
}

#[tokio::test]
async fn a_body_without_announced_length_is_limited_too() {
    let app = app().await;
    let streamed = |chunks: &'static [&'static str]| {
        let chunks = chunks
            .iter()
            .map(|it| Ok::<_, Infallible>(Bytes::from(*it)));
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    let body = streamed(&["12345678", "12345678", "9"]);
    let answer = app.call(Method::POST, "/vendor/echo/x", &[], body).await;
    assert_eq!(
        answer.text(),
        "vendor: BodyTooLarge { limit: 16 } /vendor/echo/x"
    );
    let body = streamed(&["12345678", "12345678"]);
    let answer = app
        .call(Method::POST, "/vendor/echo/x", &[], body)
        .await
        .expect(200);
    assert_eq!(answer.text(), "/vendor/echo/x - 1234567812345678");
}

#[tokio::test]
async fn handlers_see_path_query_and_body_as_received() {
    let app = app().await;
    let path = "/vendor/echo/a%2Fb%20c?x=%41&&y";
    let answer = app.call(Method::POST, path, &[], "body").await.expect(200);
    assert_eq!(answer.text(), "/vendor/echo/a%2Fb%20c x=%41&&y body");
}

#[tokio::test]
async fn a_usable_request_id_is_taken_over_and_any_other_replaced() {
    let app = app().await;
    let id = async |given: &str| {
        let answer = app
            .call(Method::GET, "/healthz", &[("x-request-id", given)], "")
            .await;
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(id("abc-1").await, "abc-1");
    assert_eq!(id("a b").await.len(), 36);
    assert_eq!(id(&"x".repeat(129)).await.len(), 36);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status_never_by_path() {
    let app = app().await;
    app.call(Method::POST, "/vendor/echo/secret-path", &[], "")
        .await
        .expect(200);
    app.call(Method::GET, "/vendor/nothing", &[], "")
        .await
        .expect(418);
    let metrics = app.call(Method::GET, "/metrics", &[], "").await.expect(200);
    let text = metrics.text();
    let echo = r#"strongroom_http_requests_total{method="POST",route="/vendor/echo/{*rest}",status="200"} 1"#;
    assert!(text.contains(echo), "{text}");
    assert!(
        text.contains(r#"{method="GET",route="none",status="418"} 1"#),
        "{text}"
    );
    assert!(!text.contains("secret-path"), "{text}");
}

#[tokio::test]
async fn a_server_without_its_database_lives_but_is_not_ready() {
    let app = app().await;
    app.call(Method::GET, "/readyz", &[], "").await.expect(200);
    app.store.close().await;
    app.call(Method::GET, "/readyz", &[], "").await.expect(503);
    app.call(Method::GET, "/healthz", &[], "").await.expect(200);
}
