//! NetApp Astra Control: `/accounts/{account}/…`, as `actoolkit` and curl scripts call it.
//!
//! Shows resources whose face is `astra` as applications, repositories as buckets. What is served
//! of the vendor's API, and what is not, stands in `COVERAGE.md`.

mod answer;
mod auth;
mod error;
mod handlers;
mod map;
mod page;
mod wire;

use strongroom_http::dialect::Dialect;
use strongroom_service::Service;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder, schema::ComponentsBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    error::{Invalid, ProblemBody},
    handlers::{apps, backups, buckets, clouds, clusters, namespaces, snapshots},
};

/// The face of Astra Control.
pub const DIALECT: Dialect = Dialect {
    name: "astra",
    title: "NetApp Astra Control",
    router,
    owns: |path| path == "/accounts" || path.starts_with("/accounts/"),
    fallback: error::fallback,
    background: None,
};

fn router() -> OpenApiRouter<Service> {
    let info = InfoBuilder::new()
        .title("Strongroom: Astra Control API")
        .version("24.02");
    // Collected from handlers' answers, not from what they share.
    let components = ComponentsBuilder::new()
        .schema_from::<ProblemBody>()
        .schema_from::<Invalid>();
    let document = OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components.build()));
    OpenApiRouter::with_openapi(document.build())
        .routes(routes!(apps::list))
        .routes(routes!(apps::get))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::get, backups::delete))
        .routes(routes!(backups::list_all))
        .routes(routes!(backups::get_any, backups::delete_any))
        .routes(routes!(snapshots::list))
        .routes(routes!(snapshots::get))
        .routes(routes!(buckets::list))
        .routes(routes!(buckets::get))
        .routes(routes!(clouds::list))
        .routes(routes!(clouds::get))
        .routes(routes!(clusters::list_of_cloud))
        .routes(routes!(clusters::get_of_cloud))
        .routes(routes!(clusters::list))
        .routes(routes!(clusters::get))
        .routes(routes!(clusters::list_managed))
        .routes(routes!(clusters::get_managed))
        .routes(routes!(namespaces::list))
        .routes(routes!(namespaces::get))
        .routes(routes!(namespaces::list_of_cluster))
}
