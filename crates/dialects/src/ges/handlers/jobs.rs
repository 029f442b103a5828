//! Jobs: what this face's own calls started.

use axum::extract::State;
use strongroom_domain::{
    Face, Page, Start,
    query::{Filter, OperationField},
};
use strongroom_http::auth::permission::Read;
use strongroom_service::{Caller, Error as Core, Service};

use super::{OneJob, Path};
use crate::ges::{
    answer::Answer,
    auth::Auth,
    error::{Refused, Result, V1, V2, Version},
    map,
    page::{JobParametersV1, JobParametersV2, JobQuery, PagingParameters},
    wire::{v1, v2},
};

/// Shows a job.
#[utoipa::path(
    get,
    path = "/v1.0/{project_id}/graphs/{graph_id}/jobs/{job_id}/status",
    tag = "Jobs 1.0",
    params(("project_id" = String, Path), OneJob),
    responses((status = 200, body = v1::Job), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn show_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V1>,
    path: Path<OneJob, V1>,
) -> Result<Answer<v1::Job>, Refused<V1>> {
    Ok(Answer(show(&service, &caller, path.0).await?.into()))
}

/// Shows a job.
#[utoipa::path(
    get,
    path = "/v2/{project_id}/graphs/{graph_id}/jobs/{job_id}/status",
    tag = "Jobs 2",
    params(("project_id" = String, Path), OneJob),
    responses((status = 200, body = v2::Job), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn show_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V2>,
    path: Path<OneJob, V2>,
) -> Result<Answer<v2::Job>, Refused<V2>> {
    Ok(Answer(show(&service, &caller, path.0).await?))
}

/// Lists the jobs.
#[utoipa::path(
    get,
    path = "/v1.0/{project_id}/graphs/jobs",
    tag = "Jobs 1.0",
    params(("project_id" = String, Path), PagingParameters, JobParametersV1),
    responses((status = 200, body = v1::JobList), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn list_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V1>,
    query: JobQuery<V1>,
) -> Result<Answer<v1::JobList>, Refused<V1>> {
    Ok(Answer(list(&service, &caller, query).await?.into()))
}

/// Lists the jobs.
#[utoipa::path(
    get,
    path = "/v2/{project_id}/graphs/jobs",
    tag = "Jobs 2",
    params(("project_id" = String, Path), PagingParameters, JobParametersV2),
    responses((status = 200, body = v2::JobList), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn list_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V2>,
    query: JobQuery<V2>,
) -> Result<Answer<v2::JobList>, Refused<V2>> {
    Ok(Answer(list(&service, &caller, query).await?))
}

async fn show(service: &Service, caller: &Caller, path: OneJob) -> Result<v2::Job> {
    let OneJob { graph_id, job_id } = path;
    let operation = service.operation(Some(caller), job_id).await?;
    if operation.face == Some(Face::Ges) && map::is_of_graph(&operation, graph_id) {
        return Ok(map::job(&operation));
    }
    Err(Core::not_found("operation", job_id).into())
}

/// A page of the jobs, newest first. The graph's name is no column: jobs are looked through for
/// it.
async fn list<V: Version>(
    service: &Service,
    caller: &Caller,
    query: JobQuery<V>,
) -> Result<v2::JobList> {
    let JobQuery {
        page,
        filter,
        graph_name,
        ..
    } = query;
    let filter = Filter::eq(OperationField::Face, Face::Ges.as_str()).and(filter);
    let Some(name) = graph_name else {
        let found = service.list_operations(caller, &filter, &[], &page).await?;
        return Ok(v2::JobList {
            job_count: found.total.unwrap_or(found.items.len() as u64),
            job_list: found.items.iter().map(map::job).collect(),
        });
    };
    let mut found = service
        .list_operations(caller, &filter, &[], &Page::ALL)
        .await?
        .items;
    found.retain(|operation| map::is_of_graph_named(operation, &name));
    Ok(v2::JobList {
        job_count: found.len() as u64,
        job_list: cut(&found, &page).map(map::job).collect(),
    })
}

/// The rows of `all` that a page holds.
pub(super) fn cut<'a, T>(all: &'a [T], page: &Page) -> impl Iterator<Item = &'a T> {
    let offset = match page.start {
        Start::Offset(offset) => offset,
        Start::First | Start::Cursor(_) => 0,
    };
    let [skip, take] = [offset, page.limit].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    all.iter().skip(skip).take(take)
}
