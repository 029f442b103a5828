//! What clients ask the management node itself; none of it needs a session.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value, json};
use strongroom_service::Service;

use super::{Answer, Body, action, empty, ok};
use crate::zstack::wire::reply::{Empty, Failed};

/// The version of the vendor's API that this face follows.
const API_VERSION: &str = "5.2.1";

/// Says which version of the API is served, or what time it is.
#[utoipa::path(
    put,
    path = "/zstack/v1/management-nodes/actions",
    operation_id = "GetVersion",
    request_body = Object,
    responses((status = 200, body = Object), (status = 503, body = Failed)),
)]
pub(crate) async fn act(
    State(service): State<Service>,
    uri: Uri,
    body: Body<Map<String, Value>>,
) -> Answer<Value> {
    let (name, _) = action(&uri, &body.0, &["getVersion", "getCurrentTime"])?;
    let now = service.now();
    Ok(ok(match name {
        "getVersion" => json!({ "version": API_VERSION }),
        // The vendor's spelling.
        _ => json!({ "currentTime": {
            "MillionSeconds": now.as_millisecond(),
            "Seconds": now.as_second(),
        }}),
    }))
}

/// Says that requests are served.
#[utoipa::path(
    get,
    path = "/zstack/v1/management-nodes/ready",
    operation_id = "IsManagementNodeReady",
    responses((status = 200, body = Empty), (status = 503, body = Failed)),
)]
pub(crate) async fn ready(State(service): State<Service>) -> Answer<Empty> {
    service.ready().await?;
    Ok(empty())
}
