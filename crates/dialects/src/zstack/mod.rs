//! The ZStack face: database backups, backup storages, logins and jobs, as ZStack's REST API has
//! them.
//!
//! Calls that change something are answered 202 at once and polled as jobs; what is wrong with
//! their content is reported by the job. Queries have a language of their own, see `query`.

mod auth;
mod call;
mod error;
mod handlers;
mod map;
mod query;
mod webhooks;
mod wire;

use strongroom_http::dialect::Dialect;
use strongroom_service::Service;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

use self::handlers::{accounts, backup_actions, backups, jobs, storage_actions, storages, zql};

/// The face as the composed router takes it.
pub const DIALECT: Dialect = Dialect {
    name: "zstack",
    title: "ZStack",
    router,
    owns,
    fallback: error::fallback,
    background: Some(webhooks::run),
};

fn router() -> OpenApiRouter<Service> {
    let routes: Vec<UtoipaMethodRouter<Service>> = vec![
        routes!(accounts::log_in_by_account),
        routes!(accounts::log_in_by_user),
        routes!(accounts::log_out),
        routes!(accounts::session_valid),
        routes!(accounts::renew_session),
        routes!(jobs::show),
        routes!(backups::list, backups::create),
        routes!(backups::show, backups::delete),
        routes!(backup_actions::recover),
        routes!(backup_actions::sync),
        routes!(backup_actions::copy),
        routes!(backup_actions::export),
        routes!(backup_actions::end_export),
        routes!(backup_actions::list_stored),
        routes!(zql::query),
        routes!(storages::list),
        routes!(storages::show, storage_actions::delete),
        routes!(storage_actions::act),
        routes!(storage_actions::capacities),
        routes!(storages::list_image_stores, storage_actions::add),
        routes!(storages::show_image_store),
    ];
    let info = InfoBuilder::new()
        .title("Strongroom: ZStack")
        .version(env!("CARGO_PKG_VERSION"));
    let api = OpenApiBuilder::new().info(info).build();
    let router = OpenApiRouter::with_openapi(api);
    routes.into_iter().fold(router, with_and_without_context)
}

/// Adds routes below `/zstack`, where they are documented, and without that prefix, where SDKs
/// look for them that are set up without a context path.
fn with_and_without_context(
    router: OpenApiRouter<Service>,
    routes: UtoipaMethodRouter<Service>,
) -> OpenApiRouter<Service> {
    let (schemas, paths, methods) = routes;
    let bare: Vec<_> = paths
        .paths
        .keys()
        .map(|it| error::without_context(it).to_owned())
        .collect();
    let router = router.routes((schemas, paths, methods.clone()));
    bare.iter()
        .fold(router, |router, path| router.route(path, methods.clone()))
}

fn owns(path: &str) -> bool {
    let below = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below("/zstack") || below("/v1")
}
