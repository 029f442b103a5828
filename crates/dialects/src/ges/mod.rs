//! Huawei Graph Engine Service, v1.0 and v2: `/v1.0/{project}/graphs/…` and
//! `/v2/{project}/graphs/…`, as the vendor's clients call them.
//!
//! Shows resources whose face is `ges` as graphs. What is served of the vendor's API, and what is
//! not, stands in `COVERAGE.md`.

mod answer;
mod auth;
mod error;
mod handlers;
mod map;
mod page;
mod wire;

use strongroom_http::dialect::Dialect;
use strongroom_service::Service;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::handlers::{backups, graphs, jobs};

/// The face of the Graph Engine Service.
pub const DIALECT: Dialect = Dialect {
    name: "ges",
    title: "Huawei Graph Engine Service",
    router,
    owns: |path| path.starts_with("/v1.0/") || path.starts_with("/v2/"),
    fallback: error::fallback,
    background: None,
};

fn router() -> OpenApiRouter<Service> {
    let info = InfoBuilder::new()
        .title("Strongroom: Graph Engine Service API")
        .version("1.0, 2");
    OpenApiRouter::with_openapi(OpenApiBuilder::new().info(info.build()).build())
        .routes(routes!(graphs::list_v1))
        .routes(routes!(graphs::list_v2))
        .routes(routes!(graphs::show_v1))
        .routes(routes!(graphs::show_v2))
        .routes(routes!(backups::list_all_v1))
        .routes(routes!(backups::list_all_v2))
        .routes(routes!(backups::list_v1, backups::create_v1))
        .routes(routes!(backups::list_v2, backups::create_v2))
        .routes(routes!(backups::delete_v1))
        .routes(routes!(backups::delete_v2))
        .routes(routes!(jobs::list_v1))
        .routes(routes!(jobs::list_v2))
        .routes(routes!(jobs::show_v1))
        .routes(routes!(jobs::show_v2))
}
