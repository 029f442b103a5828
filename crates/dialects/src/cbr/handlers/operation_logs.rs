//! Operation logs.

use axum::extract::State;
use strongroom_service::Service;

use super::{OfOne, Path, Query};
use crate::cbr::{
    answer::Json,
    auth::Auth,
    error::{Errors, Result},
    look, map,
    page::ListLogs,
    wire,
};

/// Lists operation logs, newest first.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/operation-logs",
    tag = "operation-logs",
    params(("project_id" = String, Path), ListLogs),
    responses((status = 200, body = wire::OperationLogList), Errors)
)]
pub(in crate::cbr) async fn list(
    State(service): State<Service>,
    Auth(caller): Auth,
    query: Query<ListLogs>,
) -> Result<Json<wire::OperationLogList>> {
    let query = map::log_query(query.0)?;
    look::logs(&service, &caller, &query).await.map(Json)
}

/// Shows an operation log.
#[utoipa::path(
    get,
    path = "/v3/{project_id}/operation-logs/{id}",
    tag = "operation-logs",
    params(("project_id" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = wire::OperationLogEnvelope), Errors)
)]
pub(in crate::cbr) async fn show(
    State(service): State<Service>,
    Auth(caller): Auth,
    path: Path<OfOne>,
) -> Result<Json<wire::OperationLogEnvelope>> {
    let operation_log = look::log(&service, &caller, &path.0.id).await?;
    Ok(Json(wire::OperationLogEnvelope { operation_log }))
}
