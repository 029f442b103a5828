//! Resources.

use strongroom_domain::{Annotations, Page, Resource, resource::Settings};
use strongroom_service::resources::{CreateResource, Discovered, ResourceFilter, UpdateResource};

use super::common::{each, page, without_secrets};
use crate::v1::wire::{self, ListResources};

impl From<Resource> for wire::Resource {
    fn from(resource: Resource) -> Self {
        let Resource {
            id,
            tenant_id: _,
            kind,
            face,
            name,
            settings,
            size_bytes,
            labels,
            annotations,
            created_at,
            updated_at,
            deleted_at,
            version,
        } = resource;
        Self {
            id,
            name,
            kind,
            face,
            settings: without_secrets(settings.0),
            size_bytes,
            labels: each(labels),
            annotations: annotations.0,
            created_at,
            updated_at,
            deleted_at,
            version,
        }
    }
}

impl From<wire::CreateResource> for CreateResource {
    fn from(body: wire::CreateResource) -> Self {
        let wire::CreateResource {
            name,
            kind,
            settings,
            labels,
            annotations,
        } = body;
        Self {
            kind,
            name,
            settings: Settings(settings),
            labels: each(labels),
            annotations: Annotations(annotations),
        }
    }
}

impl From<wire::UpdateResource> for UpdateResource {
    fn from(change: wire::UpdateResource) -> Self {
        let wire::UpdateResource {
            name,
            settings,
            labels,
            annotations,
        } = change;
        Self {
            name,
            settings: settings.map(Settings),
            labels: labels.map(each),
            annotations: annotations.map(Annotations),
        }
    }
}

pub(in crate::v1) fn listing(query: ListResources) -> (ResourceFilter, Page) {
    let ListResources {
        limit,
        cursor,
        total,
        face,
        kind,
        name,
        include_deleted,
    } = query;
    (
        ResourceFilter {
            face,
            kind,
            name,
            include_deleted,
        },
        page(limit, cursor, total),
    )
}

impl From<Discovered> for wire::Discovered {
    fn from(found: Discovered) -> Self {
        let Discovered {
            kind,
            name,
            settings,
            size_bytes,
        } = found;
        Self {
            kind,
            name,
            settings: without_secrets(settings.0),
            size_bytes,
        }
    }
}
