//! The native API, `/api/v1`: JSON, problems (RFC 9457), cursors, entity tags, idempotency keys,
//! and operations for long work. Shows everything of a tenant, whatever face made it.

mod backups;
mod checkpoints;
mod copies;
mod document;
mod events;
mod map;
mod operations;
mod policies;
mod principals;
mod reply;
mod repositories;
mod request;
mod resources;
mod restores;
mod tenants;
mod tokens;
mod vaults;
pub mod wire;

use strongroom_service::Service;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Where the native API begins.
pub const PREFIX: &str = "/api/v1";

/// Every route of the native API.
pub(crate) fn router() -> OpenApiRouter<Service> {
    let mut router = OpenApiRouter::with_openapi(document::document())
        .routes(routes!(resources::list, resources::create))
        .routes(routes!(resources::discover))
        .routes(routes!(
            resources::get,
            resources::update,
            resources::delete
        ))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::get, backups::update, backups::delete))
        .routes(routes!(backups::cancel))
        .routes(routes!(backups::entries))
        .routes(routes!(copies::list, copies::create))
        .routes(routes!(copies::delete))
        .routes(routes!(copies::list_exports, copies::create_export))
        .routes(routes!(copies::delete_export))
        .routes(routes!(restores::list, restores::create))
        .routes(routes!(restores::get))
        .routes(routes!(restores::cancel))
        .routes(routes!(repositories::list, repositories::create))
        .routes(routes!(
            repositories::get,
            repositories::update,
            repositories::delete
        ))
        .routes(routes!(repositories::check))
        .routes(routes!(repositories::scan))
        .routes(routes!(policies::list, policies::create))
        .routes(routes!(policies::get, policies::update, policies::delete))
        .routes(routes!(policies::run))
        .routes(routes!(vaults::list, vaults::create))
        .routes(routes!(vaults::get, vaults::update, vaults::delete))
        .routes(routes!(vaults::add_resources))
        .routes(routes!(vaults::remove_resource))
        .routes(routes!(checkpoints::create))
        .routes(routes!(checkpoints::get))
        .routes(routes!(operations::list))
        .routes(routes!(operations::get))
        .routes(routes!(events::list))
        .routes(routes!(events::stream::stream))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::get))
        .routes(routes!(principals::list, principals::create))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        .routes(routes!(principals::me));
    document::add_headers(router.get_openapi_mut());
    router
}
