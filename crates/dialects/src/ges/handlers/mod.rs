//! What GES's calls do: read the request, call one verb of the core, show what came back, once in
//! each version's words.

pub(super) mod backups;
pub(super) mod graphs;
pub(super) mod jobs;

use std::collections::BTreeMap;

use serde::Deserialize;
use strongroom_domain::{BackupId, Face, OperationId, Page, Resource, ResourceId};
use strongroom_service::{Caller, Error, Service, resources::ResourceFilter};
use utoipa::IntoParams;

use super::error::{Refused, Result};

type Path<T, V> = strongroom_http::extract::PathParams<T, Refused<V>>;

/// A graph in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::ges) struct OfGraph {
    /// The graph's id.
    #[param(value_type = String)]
    graph_id: ResourceId,
}

/// A backup of a graph in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::ges) struct OneBackup {
    /// The graph's id.
    #[param(value_type = String)]
    graph_id: ResourceId,
    /// The backup's id.
    #[param(value_type = String)]
    backup_id: BackupId,
}

/// A job of a graph in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::ges) struct OneJob {
    /// The graph's id.
    #[param(value_type = String)]
    graph_id: ResourceId,
    /// The job's id.
    #[param(value_type = String)]
    job_id: OperationId,
}

/// All graphs of the tenant, also those that are gone: their backups are still listed.
async fn graphs(service: &Service, caller: &Caller) -> Result<BTreeMap<ResourceId, Resource>> {
    let filter = ResourceFilter {
        face: Some(Face::Ges),
        include_deleted: true,
        ..ResourceFilter::default()
    };
    let found = service
        .list_resources(caller, &filter, &Page::ALL)
        .await?
        .items;
    Ok(found.into_iter().map(|graph| (graph.id, graph)).collect())
}

/// A living graph; a resource that another face shows is unknown here.
async fn living(service: &Service, caller: &Caller, id: ResourceId) -> Result<Resource> {
    let resource = service.resource(caller, id).await?;
    match resource.face {
        Some(Face::Ges) => Ok(resource),
        _ => Err(Error::not_found("resource", id).into()),
    }
}
