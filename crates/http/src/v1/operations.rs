//! `/api/v1/operations`: long work to poll.

use axum::extract::State;
use strongroom_domain::OperationId;
use strongroom_service::Service;

use super::{
    document::Problems,
    map::{common::list as listed, operations::Listing},
    reply::{Answer, Reply},
    request::{Auth, Params, PathParams, Read},
    wire::{List, ListOperations, Operation},
};

/// The tenant's operations, newest first unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/operations", operation_id = "list_operations",
    tag = "operations", params(ListOperations),
    responses((status = 200, body = List<Operation>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListOperations>,
) -> Answer<List<Operation>> {
    let Listing { filter, sort, page } = query.0.try_into()?;
    let found = service
        .list_operations(&auth.0, &filter, &sort, &page)
        .await?;
    Ok(Reply::ok(listed(found)))
}

/// One operation.
#[utoipa::path(get, path = "/api/v1/operations/{id}", operation_id = "get_operation",
    tag = "operations", params(("id" = Uuid, Path)),
    responses((status = 200, body = Operation), Problems))]
pub(super) async fn get(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<OperationId>,
) -> Answer<Operation> {
    let found = service.operation(Some(&auth.0), id.0).await?;
    Ok(Reply::ok(found.into()))
}
