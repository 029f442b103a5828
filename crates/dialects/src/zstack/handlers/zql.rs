//! ZQL.

use axum::{extract::State, http::Uri};
use strongroom_service::Service;

use super::{Answer, ok};
use crate::zstack::{
    auth::Auth,
    call::Call,
    map,
    query::{params, zql::run::Run},
    wire::{reply::Failed, zql::ZqlReply},
};

const MESSAGE: &str = "org.zstack.query.APIZQLQueryMsg";

/// Carries out the statements of a ZQL text.
#[utoipa::path(
    get,
    path = "/zstack/v1/zql",
    operation_id = "ZQLQuery",
    params(("zql" = String, Query, description = "statements, separated by semicolons")),
    responses((status = 200, body = ZqlReply), (status = 503, body = Failed)),
)]
pub(crate) async fn query(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<ZqlReply> {
    let mut pairs = params::pairs(uri.query().unwrap_or_default()).into_iter();
    let text = pairs.find(|(name, _)| name == "zql").map(|it| it.1);
    let text = map::mandatory_of(MESSAGE, "zql", text)?;
    let run = Run::of(&service, &caller, &call.base).await?;
    Ok(ok(run.answer(&text, call.schema).await?))
}
