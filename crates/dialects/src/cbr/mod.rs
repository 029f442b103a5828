//! Huawei Cloud Backup and Recovery, v3: `/v3/{project}/…`, and the part of Keystone that its
//! clients and those of the Graph Engine Service need, as the vendor's SDKs call them.
//!
//! Shows resources whose face is `cbr`: directories as SFS Turbo file systems, disk images as
//! disks, groups of both as servers. What is served of the vendor's API, and what is not, stands
//! in `COVERAGE.md`.

mod answer;
mod auth;
mod error;
mod handlers;
mod look;
mod map;
mod page;
mod wire;

use strongroom_http::dialect::Dialect;
use strongroom_service::Service;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::handlers::{
    backups, checkpoints, identity, operation_logs, policies, protectables, vaults, versions,
};

/// The face of Cloud Backup and Recovery.
pub const DIALECT: Dialect = Dialect {
    name: "cbr",
    title: "Huawei Cloud Backup and Recovery",
    router,
    owns: |path| path == "/" || path == "/v3" || path.starts_with("/v3/"),
    fallback: error::fallback,
    background: None,
};

fn router() -> OpenApiRouter<Service> {
    let info = InfoBuilder::new()
        .title("Strongroom: Cloud Backup and Recovery API")
        .version("3");
    // Collected from handlers' answers, not from what they share.
    let components = ComponentsBuilder::new()
        .schema_from::<error::ErrorBody>()
        .schema_from::<error::KeystoneBody>()
        .schema_from::<error::KeystoneDetail>();
    let document = OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components.build()));
    OpenApiRouter::with_openapi(document.build())
        .routes(routes!(versions::list))
        .routes(routes!(versions::discover))
        .routes(routes!(versions::discover_slash))
        .routes(routes!(
            identity::log_in,
            identity::show_token,
            identity::log_out
        ))
        .routes(routes!(identity::catalog))
        .routes(routes!(identity::projects))
        .routes(routes!(identity::own_projects))
        .routes(routes!(identity::domains))
        .routes(routes!(backups::list))
        .routes(routes!(backups::show, backups::update, backups::delete))
        .routes(routes!(backups::restore))
        .routes(routes!(checkpoints::create))
        .routes(routes!(checkpoints::show))
        .routes(routes!(vaults::list, vaults::create))
        .routes(routes!(vaults::summary))
        .routes(routes!(vaults::show, vaults::update, vaults::delete))
        .routes(routes!(vaults::add_resources))
        .routes(routes!(vaults::remove_resources))
        .routes(routes!(vaults::associate_policy))
        .routes(routes!(vaults::dissociate_policy))
        .routes(routes!(policies::list, policies::create))
        .routes(routes!(policies::show, policies::update, policies::delete))
        .routes(routes!(operation_logs::list))
        .routes(routes!(operation_logs::show))
        .routes(routes!(protectables::list))
        .routes(routes!(protectables::show))
}
