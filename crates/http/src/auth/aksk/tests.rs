//! Signatures made by the vendor's own SDK, and what must not pass as one.

use axum::{
    body::Body,
    http::{Request, request::Builder},
};
use bytes::Bytes;

use super::*;

const PROJECT: &str = "0605767b5780d5762fc5c0118072a564";
const HEADERS: &str = "content-type;host;user-agent;x-project-id;x-sdk-date";
const GET_SIGNATURE: &str = "7125849cd5c5e52c5e40b0b1e5b6b8222d4ceb3997c21a46ba0a39bad75229cc";
const POST_SIGNATURE: &str = "17d7f04bfde117c010795282f546e2c8fc66563e61982f6eb8a862a0f7c83a00";

fn list(query: &str) -> Builder {
    base("application/json", GET_SIGNATURE).uri(format!("/v3/{PROJECT}/backups?{query}"))
}

fn create() -> Builder {
    base("application/json;charset=utf-8", POST_SIGNATURE)
        .method("POST")
        .uri(format!("/v3/{PROJECT}/vaults"))
}

fn base(content_type: &str, signature: &str) -> Builder {
    let authorization =
        format!("SDK-HMAC-SHA256 Access=AKLOCAL, SignedHeaders={HEADERS}, Signature={signature}");
    Request::builder()
        .header("content-type", content_type)
        .header("host", "127.0.0.1:18777")
        .header("user-agent", "t")
        .header("x-project-id", PROJECT)
        .header("x-sdk-date", "20260101T000000Z")
        .header("authorization", authorization)
}

fn parts(builder: Builder, body: &'static str) -> Parts {
    let (mut parts, ()) = builder.body(()).unwrap().into_parts();
    parts
        .extensions
        .insert(RawBody(Bytes::from_static(body.as_bytes())));
    parts
}

fn verify(builder: Builder, body: &'static str) -> Result<(), AuthFailure> {
    let parts = parts(builder, body);
    Signed::read(&parts)?.verify(&Secret::new("SKLOCALSECRET"))
}

const ENCODED: &str = "limit=100&name=a%20b%2Fc%2B%E4%B8%AD%2A&offset=0";

#[test]
fn the_sdks_own_signatures_are_accepted() {
    assert_eq!(verify(list(ENCODED), ""), Ok(()));
    assert_eq!(verify(create(), r#"{"a": 1}"#), Ok(()));
}

#[test]
fn the_canonical_request_is_the_sdks() {
    let parts = parts(list(ENCODED), "");
    let text = Signed::read(&parts).unwrap().string_to_sign().unwrap();
    let hash = "330a2365fb8a94b0506abb5b462cabcdf3144f472618af93ac1151cb24c7670a";
    assert_eq!(text, format!("SDK-HMAC-SHA256\n20260101T000000Z\n{hash}"));
}

#[test]
fn the_order_and_encoding_of_the_query_as_sent_do_not_matter() {
    for query in [
        "offset=0&name=a%20b%2Fc%2B%E4%B8%AD%2A&limit=100",
        "offset=0&name=a%20b/c+%e4%b8%ad*&limit=100",
    ] {
        assert_eq!(verify(list(query), ""), Ok(()), "{query}");
    }
}

#[test]
fn whatever_was_signed_cannot_be_changed() {
    let invalid = Err(AuthFailure::Invalid);
    assert_eq!(verify(list("limit=100&offset=0"), ""), invalid);
    assert_eq!(verify(list(ENCODED), "{}"), invalid);
    assert_eq!(verify(list(ENCODED).method("DELETE"), ""), invalid);
    assert_eq!(verify(create(), r#"{"a": 2}"#), invalid);
    assert_eq!(
        verify(create().uri("/v3/other/vaults"), r#"{"a": 1}"#),
        invalid
    );
    let mut changed = parts(list(ENCODED), "");
    changed
        .headers
        .insert("x-sdk-date", HeaderValue::from_static("20260101T000001Z"));
    let read = Signed::read(&changed).unwrap();
    assert_eq!(read.verify(&Secret::new("SKLOCALSECRET")), invalid);
    let whole = parts(list(ENCODED), "");
    let read = Signed::read(&whole).unwrap();
    assert_eq!(read.verify(&Secret::new("SKLOCALSECRES")), invalid);
}

#[test]
fn a_header_that_was_not_signed_may_change() {
    assert_eq!(verify(list(ENCODED).header("accept", "*/*"), ""), Ok(()));
}

#[test]
fn a_signed_header_must_be_there_once() {
    let mut without = parts(list(ENCODED), "");
    without.headers.remove("user-agent");
    let read = Signed::read(&without).unwrap();
    let secret = Secret::new("SKLOCALSECRET");
    assert_eq!(read.verify(&secret), Err(AuthFailure::Invalid));
    let twice = list(ENCODED).header("user-agent", "t");
    assert_eq!(verify(twice, ""), Err(AuthFailure::Malformed));
}

#[test]
fn a_hash_in_a_header_does_not_let_another_body_pass() {
    let unsigned = create().header("x-sdk-content-sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(verify(unsigned, r#"{"a": 1}"#), Err(AuthFailure::Invalid));
}

#[test]
fn the_clock_may_differ_by_a_quarter_of_an_hour_either_way() {
    let parts = parts(list(ENCODED), "");
    let read = Signed::read(&parts).unwrap();
    let check = |at: &str| read.check_time(at.parse().unwrap());
    for good in ["2026-01-01T00:15:00Z", "2025-12-31T23:45:00Z"] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in ["2026-01-01T00:15:01Z", "2025-12-31T23:44:59Z"] {
        assert_eq!(check(bad), Err(AuthFailure::Expired), "{bad}");
    }
}

#[test]
fn what_is_no_signature_is_malformed() {
    for bad in [
        "",
        "Bearer abc",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=xyz",
        "SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=00",
        "SDK-HMAC-SHA256 Access=a, Access=b, SignedHeaders=host, Signature=00",
        "V11-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=00",
    ] {
        assert_eq!(Authorization::parse(bad), None, "{bad}");
    }
    for date in ["", "20260101", "2026-01-01T00:00:00Z", "20261301T000000Z"] {
        let mut request = parts(list(ENCODED), "");
        request.headers.insert("x-sdk-date", date.parse().unwrap());
        assert_eq!(
            Signed::read(&request).err(),
            Some(AuthFailure::Malformed),
            "{date}"
        );
    }
    let unnamed: Request<Body> = Request::new(Body::empty());
    let (parts, _) = unnamed.into_parts();
    assert_eq!(Signed::read(&parts).err(), Some(AuthFailure::Missing));
}
