//! Backups: of one graph, and of all graphs of the project.

use axum::extract::State;
use strongroom_domain::{
    Backup, BackupId, BackupState, Face, Page, ResourceId,
    query::{BackupField, Filter},
};
use strongroom_http::auth::permission::{Read, Write};
use strongroom_service::{
    Caller, ConflictKind, Error as Core, Service,
    backups::{DeleteBackup, RequestBackup},
};

use super::{OfGraph, OneBackup, Path, graphs, living};
use crate::ges::{
    answer::Answer,
    auth::Auth,
    error::{Error, Refused, Result, V1, V2},
    map::{self, JobName},
    page::{Paging, PagingParameters},
    wire::{v1, v2},
};

/// Lists the backups of all graphs.
#[utoipa::path(
    get,
    path = "/v1.0/{project_id}/graphs/backups",
    tag = "Backups 1.0",
    params(("project_id" = String, Path), PagingParameters),
    responses((status = 200, body = v1::BackupList), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn list_all_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V1>,
    Paging(page, ..): Paging<V1>,
) -> Result<Answer<v1::BackupList>, Refused<V1>> {
    Ok(Answer(list(&service, &caller, None, &page).await?.into()))
}

/// Lists the backups of all graphs.
#[utoipa::path(
    get,
    path = "/v2/{project_id}/graphs/backups",
    tag = "Backups 2",
    params(("project_id" = String, Path), PagingParameters),
    responses((status = 200, body = v2::BackupList), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn list_all_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V2>,
    Paging(page, ..): Paging<V2>,
) -> Result<Answer<v2::BackupList>, Refused<V2>> {
    Ok(Answer(list(&service, &caller, None, &page).await?))
}

/// Lists the backups of a graph.
#[utoipa::path(
    get,
    path = "/v1.0/{project_id}/graphs/{graph_id}/backups",
    tag = "Backups 1.0",
    params(("project_id" = String, Path), OfGraph, PagingParameters),
    responses((status = 200, body = v1::BackupList), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn list_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V1>,
    path: Path<OfGraph, V1>,
    Paging(page, ..): Paging<V1>,
) -> Result<Answer<v1::BackupList>, Refused<V1>> {
    let graph = Some(path.0.graph_id);
    Ok(Answer(list(&service, &caller, graph, &page).await?.into()))
}

/// Lists the backups of a graph.
#[utoipa::path(
    get,
    path = "/v2/{project_id}/graphs/{graph_id}/backups",
    tag = "Backups 2",
    params(("project_id" = String, Path), OfGraph, PagingParameters),
    responses((status = 200, body = v2::BackupList), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn list_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read, V2>,
    path: Path<OfGraph, V2>,
    Paging(page, ..): Paging<V2>,
) -> Result<Answer<v2::BackupList>, Refused<V2>> {
    let graph = Some(path.0.graph_id);
    Ok(Answer(list(&service, &caller, graph, &page).await?))
}

/// Makes a backup of a graph.
#[utoipa::path(
    post,
    path = "/v1.0/{project_id}/graphs/{graph_id}/backups",
    tag = "Backups 1.0",
    params(("project_id" = String, Path), OfGraph),
    responses((status = 200, body = v1::Started), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn create_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write, V1>,
    path: Path<OfGraph, V1>,
) -> Result<Answer<v1::Started>, Refused<V1>> {
    Ok(Answer(
        create(&service, &caller, path.0.graph_id).await?.into(),
    ))
}

/// Makes a backup of a graph.
#[utoipa::path(
    post,
    path = "/v2/{project_id}/graphs/{graph_id}/backups",
    tag = "Backups 2",
    params(("project_id" = String, Path), OfGraph),
    responses((status = 200, body = v2::Started), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn create_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write, V2>,
    path: Path<OfGraph, V2>,
) -> Result<Answer<v2::Started>, Refused<V2>> {
    Ok(Answer(create(&service, &caller, path.0.graph_id).await?))
}

/// Deletes a backup of a graph.
#[utoipa::path(
    delete,
    path = "/v1.0/{project_id}/graphs/{graph_id}/backups/{backup_id}",
    tag = "Backups 1.0",
    params(("project_id" = String, Path), OneBackup),
    responses((status = 200, body = v1::Done), (status = 400, body = v1::Failure))
)]
pub(in crate::ges) async fn delete_v1(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write, V1>,
    path: Path<OneBackup, V1>,
) -> Result<Answer<v1::Done>, Refused<V1>> {
    Ok(Answer(delete(&service, &caller, path.0).await?))
}

/// Deletes a backup of a graph.
#[utoipa::path(
    delete,
    path = "/v2/{project_id}/graphs/{graph_id}/backups/{backup_id}",
    tag = "Backups 2",
    params(("project_id" = String, Path), OneBackup),
    responses((status = 200, body = v2::Done), (status = 400, body = v2::Failure))
)]
pub(in crate::ges) async fn delete_v2(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write, V2>,
    path: Path<OneBackup, V2>,
) -> Result<Answer<v2::Done>, Refused<V2>> {
    Ok(Answer(delete(&service, &caller, path.0).await?))
}

/// A page of the backups, of one graph if it is named, newest first.
async fn list(
    service: &Service,
    caller: &Caller,
    graph: Option<ResourceId>,
    page: &Page,
) -> Result<v2::BackupList> {
    let graphs = graphs(service, caller).await?;
    if let Some(id) = graph.filter(|id| !graphs.contains_key(id)) {
        return Err(Core::not_found("resource", id).into());
    }
    let filter = shown(graph);
    let found = service.list_backups(caller, &filter, &[], page).await?;
    Ok(v2::BackupList {
        backup_count: found.total.unwrap_or(found.items.len() as u64),
        backup_list: found
            .items
            .iter()
            .map(|it| map::backup(it, &graphs))
            .collect(),
    })
}

/// Starts a backup of a living graph, which has one at a time.
async fn create(service: &Service, caller: &Caller, id: ResourceId) -> Result<v2::Started> {
    let graph = living(service, caller, id).await?;
    let request = RequestBackup {
        alone: true,
        operation_annotations: map::job_annotations(id, &graph.name, JobName::Backup),
        ..RequestBackup::of(id)
    };
    let made = service.request_backup(caller, request).await;
    let (backup, operation) = made.map_err(|error| match error {
        Core::Conflict {
            kind: ConflictKind::InUse,
            ..
        } => Error::BackingUp(graph.name),
        other => other.into(),
    })?;
    let (job_id, backup_id) = (operation.id.simple(), backup.id.to_string());
    Ok(v2::Started { job_id, backup_id })
}

/// Deletes a backup that is not being made.
async fn delete(service: &Service, caller: &Caller, path: OneBackup) -> Result<v2::Done> {
    let OneBackup {
        graph_id,
        backup_id,
    } = path;
    let backup = find(service, caller, graph_id, backup_id).await?;
    if backup.state.is_active() {
        return Err(Error::BackingUp(backup.resource_name));
    }
    let request = DeleteBackup {
        operation_annotations: map::job_annotations(
            graph_id,
            &backup.resource_name,
            JobName::Delete,
        ),
        ..DeleteBackup::default()
    };
    service.delete_backup(caller, backup.id, request).await?;
    Ok(v2::Done {})
}

/// A backup of that graph. One that is being deleted is gone for this face: it has no word for
/// that state.
async fn find(
    service: &Service,
    caller: &Caller,
    graph: ResourceId,
    id: BackupId,
) -> Result<Backup> {
    let backup = service.backup(caller, id).await?;
    let shown = backup.resource_id == graph && backup.face == Some(Face::Ges);
    if shown && backup.state != BackupState::Deleting {
        return Ok(backup);
    }
    Err(Core::not_found("backup", id).into())
}

/// What this face shows: backups of graphs that are not being deleted.
fn shown(graph: Option<ResourceId>) -> Filter<BackupField> {
    let deleting = Filter::eq(BackupField::State, BackupState::Deleting.as_str());
    let mut all = vec![
        Filter::eq(BackupField::Face, Face::Ges.as_str()),
        Filter::Not(Box::new(deleting)),
    ];
    all.extend(graph.map(|id| Filter::eq(BackupField::ResourceId, id.uuid())));
    Filter::All(all)
}
