//! Graphs: the resources that this face shows.

use axum::extract::State;
use strongroom_domain::{Face, Page, ResourceId};
use strongroom_http::auth::permission::Read;
use strongroom_service::{Caller, Error as Core, Service, resources::ResourceFilter};

use super::{OfGraph, Path, graphs};
use crate::ges::{
    answer::Answer,
    auth::Auth,
    error::{Refused, Result, V1, V2},
    map,
    page::{Paging, PagingParameters},
    wire::{v1, v2},
};

/// Lists the graphs.
#[utoipa::path(
    get,
    path = "/v1.0/{project_id}/graphs",
    tag = "Graphs 1.0",
    params(("project_id" = String, Path), PagingParameters),
    responses((status = 200, body = v1::GraphList), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn list_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V1>,
    Paging(page, ..): Paging<V1>,
) -> Result<Answer<v1::GraphList>, Refused<V1>> {
    Ok(Answer(list(&service, &caller, &page).await?.into()))
}

/// Lists the graphs.
#[utoipa::path(
    get,
    path = "/v2/{project_id}/graphs",
    tag = "Graphs 2",
    params(("project_id" = String, Path), PagingParameters),
    responses((status = 200, body = v2::GraphList), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn list_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V2>,
    Paging(page, ..): Paging<V2>,
) -> Result<Answer<v2::GraphList>, Refused<V2>> {
    Ok(Answer(list(&service, &caller, &page).await?))
}

/// Shows a graph, also one that is gone.
#[utoipa::path(
    get,
    path = "/v1.0/{project_id}/graphs/{graph_id}",
    tag = "Graphs 1.0",
    params(("project_id" = String, Path), OfGraph),
    responses((status = 200, body = v1::OneGraph), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn show_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V1>,
    path: Path<OfGraph, V1>,
) -> Result<Answer<v1::OneGraph>, Refused<V1>> {
    Ok(Answer(
        show(&service, &caller, path.0.graph_id).await?.into(),
    ))
}

/// Shows a graph, also one that is gone.
#[utoipa::path(
    get,
    path = "/v2/{project_id}/graphs/{graph_id}",
    tag = "Graphs 2",
    params(("project_id" = String, Path), OfGraph),
    responses((status = 200, body = v2::OneGraph), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn show_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V2>,
    path: Path<OfGraph, V2>,
) -> Result<Answer<v2::OneGraph>, Refused<V2>> {
    Ok(Answer(show(&service, &caller, path.0.graph_id).await?))
}

async fn list(service: &Service, caller: &Caller, page: &Page) -> Result<v2::GraphList> {
    let filter = ResourceFilter {
        face: Some(Face::Ges),
        ..ResourceFilter::default()
    };
    let found = service.list_resources(caller, &filter, page).await?;
    Ok(v2::GraphList {
        graph_count: found.total.unwrap_or(found.items.len() as u64),
        graphs: found.items.iter().map(map::graph).collect(),
    })
}

async fn show(service: &Service, caller: &Caller, id: ResourceId) -> Result<v2::OneGraph> {
    let graphs = graphs(service, caller).await?;
    let graph = graphs.get(&id).map(map::graph);
    let graph = graph.ok_or_else(|| Core::not_found("resource", id))?;
    Ok(v2::OneGraph { graph })
}
