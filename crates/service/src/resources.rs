//! Resources: what is protected.

use serde::Serialize;
use strongroom_domain::{
    Annotations, Face, Label, Page, Paged, Resource, ResourceId, ResourceKind, resource::Settings,
};

use crate::{Caller, Result, Service};

/// A resource to register.
#[derive(Debug, Clone)]
pub struct CreateResource {
    /// What kind it is.
    pub kind: ResourceKind,
    /// Unique among the tenant's living resources.
    pub name: String,
    /// What its source needs to know; checked by the source.
    pub settings: Settings,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

/// What may be changed of a resource; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateResource {
    /// A new name.
    pub name: Option<String>,
    /// All settings.
    pub settings: Option<Settings>,
    /// All labels.
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter {
    /// Only those that this face shows.
    pub face: Option<Face>,
    /// Only this kind.
    pub kind: Option<ResourceKind>,
    /// Only with exactly this name.
    pub name: Option<String>,
    /// Also those that were removed.
    pub include_deleted: bool,
}

/// Something that a source found and that could be registered.
#[derive(Debug, Clone, Serialize)]
pub struct Discovered {
    /// What kind it is.
    pub kind: ResourceKind,
    /// A name to suggest.
    pub name: String,
    /// The settings to register it with.
    pub settings: Settings,
    /// Its size in bytes, if known.
    pub size_bytes: Option<u64>,
}

impl Service {
    /// Registers a resource after its source accepted the settings.
    pub async fn create_resource(
        &self,
        caller: &Caller,
        request: CreateResource,
    ) -> Result<Resource> {
        todo!()
    }

    /// One living resource.
    pub async fn resource(&self, caller: &Caller, id: ResourceId) -> Result<Resource> {
        todo!()
    }

    /// The living resource with that name, or with that id as text.
    pub async fn resource_named(&self, caller: &Caller, name_or_id: &str) -> Result<Resource> {
        todo!()
    }

    /// The resources of the tenant, oldest first.
    pub async fn list_resources(
        &self,
        caller: &Caller,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Paged<Resource>> {
        todo!()
    }

    /// Changes a resource; `version` must be the one read, if given.
    pub async fn update_resource(
        &self,
        caller: &Caller,
        id: ResourceId,
        version: Option<i64>,
        change: UpdateResource,
    ) -> Result<Resource> {
        todo!()
    }

    /// Stops protecting a resource. Its backups stay; it leaves its vault and policies. Refused
    /// while a backup or restore of it is active.
    pub async fn delete_resource(&self, caller: &Caller, id: ResourceId) -> Result<()> {
        todo!()
    }

    /// What the sources of `kind` (or all) find on this machine that could be registered.
    pub async fn discover(
        &self,
        caller: &Caller,
        kind: Option<ResourceKind>,
    ) -> Result<Vec<Discovered>> {
        todo!()
    }
}
