//! What Astra's calls do: read the request, call one verb of the core, show what came back.

pub(super) mod apps;
pub(super) mod backups;
pub(super) mod buckets;
pub(super) mod clouds;
pub(super) mod clusters;
pub(super) mod namespaces;
pub(super) mod snapshots;

use strongroom_domain::{Face, Page, Resource, ResourceId};
use strongroom_service::{Caller, Error, Service, resources::ResourceFilter};

use super::{
    error::{self, Doing, During, Result},
    map::Topology,
};

type Body<T> = strongroom_http::extract::Body<T, error::Error>;
type Path<T> = strongroom_http::extract::PathParams<T, error::Error>;

/// The application with that id; a resource that another face shows is unknown here.
async fn app(service: &Service, caller: &Caller, id: ResourceId, doing: Doing) -> Result<Resource> {
    let resource = service.resource(caller, id).await.during(doing)?;
    if resource.face == Some(Face::Astra) {
        return Ok(resource);
    }
    Err(Error::not_found("app", id)).during(doing)
}

/// All applications, oldest first.
async fn apps(service: &Service, caller: &Caller, doing: Doing) -> Result<Vec<Resource>> {
    let filter = ResourceFilter {
        face: Some(Face::Astra),
        ..ResourceFilter::default()
    };
    let found = service
        .list_resources(caller, &filter, &Page::ALL)
        .await
        .during(doing)?;
    Ok(found.items)
}

/// What clouds, clusters and namespaces are derived from.
async fn topology(service: &Service, caller: &Caller, doing: Doing) -> Result<Topology> {
    Ok(Topology {
        tenant: service.tenant(caller).await.during(doing)?,
        apps: apps(service, caller, doing).await?,
        repositories: service.list_repositories(caller).await.during(doing)?,
    })
}

/// The one of `all` with that id.
fn one<T>(all: Vec<T>, noun: &'static str, id: uuid::Uuid, id_of: fn(&T) -> &str) -> Result<T> {
    let text = id.to_string();
    let found = all.into_iter().find(|it| id_of(it) == text);
    found
        .ok_or_else(|| Error::not_found(noun, text))
        .during(Doing::GettingResource)
}
