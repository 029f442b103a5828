//! `/api/v1/events`: what happened, as a list and as a stream.

pub(super) mod stream;

use axum::extract::State;
use strongroom_service::Service;

use super::{
    document::Problems,
    map::common::list as listed,
    reply::{Answer, Reply},
    request::{Auth, Params, Read},
    wire::{Event, List, ListQuery},
};

/// The tenant's events, newest first.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "list_events", tag = "events",
    params(ListQuery), responses((status = 200, body = List<Event>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Event>> {
    let found = service.list_events(&auth.0, &query.0.into()).await?;
    Ok(Reply::ok(listed(found)))
}
