//! Which versions there are.

use axum::http::StatusCode;

use strongroom_http::extract::Base;

use crate::cbr::{answer::Json, map, wire};

/// CBR's versions.
#[utoipa::path(get, path = "/", tag = "versions", responses((status = 300, body = wire::VersionList)))]
pub(in crate::cbr) async fn list(Base(base): Base) -> (StatusCode, Json<wire::VersionList>) {
    (StatusCode::MULTIPLE_CHOICES, Json(map::versions(&base)))
}

/// Keystone's version, for clients that are given this path and look what is there.
#[utoipa::path(get, path = "/v3", tag = "versions", responses((status = 200, body = wire::VersionEnvelope)))]
pub(in crate::cbr) async fn discover(Base(base): Base) -> Json<wire::VersionEnvelope> {
    Json(map::version_document(&base))
}

/// The same with a slash at the end.
#[utoipa::path(get, path = "/v3/", tag = "versions", responses((status = 200, body = wire::VersionEnvelope)))]
pub(in crate::cbr) async fn discover_slash(base: Base) -> Json<wire::VersionEnvelope> {
    discover(base).await
}
