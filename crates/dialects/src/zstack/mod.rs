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
mod stranger;
mod verbs;
mod webhooks;
mod wire;

use strongroom_http::dialect::Dialect;
use strongroom_service::Service;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

use self::handlers::{
    accounts, backup_actions, backups, inventory, jobs, keys, long_jobs, management, messages,
    progress, scheduler, storage_actions, tag_patterns, tags, zql,
};
use self::verbs::{alone, shared, strict};

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
        routes!(accounts::log_in_by_type),
        routes!(accounts::log_out),
        routes!(accounts::session_valid),
        routes!(accounts::renew_session),
        routes!(jobs::show),
        routes!(progress::show),
        routes!(backups::list, backups::create),
        routes!(backups::show, backups::delete),
        routes!(zql::query),
        routes!(inventory::accounts::list),
        routes!(inventory::accounts::show),
        routes!(inventory::access_keys::list, keys::create),
        routes!(inventory::access_keys::show, keys::delete),
        routes!(keys::switch),
        routes!(inventory::system_tags::list, tags::create_system),
        routes!(inventory::system_tags::show),
        routes!(tags::update_system),
        routes!(inventory::user_tags::list, tags::create_user),
        routes!(inventory::user_tags::show),
        routes!(inventory::patterns::list, tag_patterns::create),
        routes!(inventory::patterns::show, tags::delete),
        routes!(tag_patterns::update),
        routes!(tag_patterns::attach, tag_patterns::detach),
        routes!(inventory::long::list, long_jobs::submit),
        routes!(inventory::long::show, long_jobs::delete),
        shared(routes!(long_jobs::cancel)),
        shared(routes!(management::act)),
        routes!(management::ready),
        routes!(inventory::scheduler_jobs::list, scheduler::create_job),
        routes!(inventory::scheduler_jobs::show, scheduler::delete_job),
        routes!(scheduler::update_job),
        routes!(inventory::scheduler_groups::list, scheduler::create_group),
        routes!(inventory::scheduler_groups::show, scheduler::delete_group),
        routes!(scheduler::update_group),
        routes!(
            inventory::scheduler_triggers::list,
            scheduler::create_trigger
        ),
        routes!(
            inventory::scheduler_triggers::show,
            scheduler::delete_trigger
        ),
        shared(routes!(scheduler::act_on_trigger)),
        routes!(scheduler::bind_job, scheduler::unbind_job),
        routes!(scheduler::bind_group, scheduler::unbind_group),
        routes!(scheduler::switch_job),
        routes!(scheduler::list_histories),
        routes!(inventory::backup_storages::list),
        routes!(inventory::backup_storages::show, storage_actions::delete),
        shared(routes!(storage_actions::act)),
        routes!(storage_actions::capacities),
        routes!(inventory::sftp_storages::list),
        routes!(inventory::sftp_storages::show),
        routes!(inventory::image_stores::list, storage_actions::add),
        routes!(inventory::image_stores::show),
        shared(routes!(storage_actions::act_on_image_store)),
    ];
    let alone_at_their_paths = vec![
        routes!(backup_actions::recover),
        routes!(backup_actions::sync),
        routes!(backup_actions::copy),
        routes!(backup_actions::export),
        routes!(backup_actions::end_export),
        routes!(backup_actions::list_stored),
    ];
    let info = InfoBuilder::new()
        .title("Strongroom: ZStack")
        .version(env!("CARGO_PKG_VERSION"));
    let api = OpenApiBuilder::new().info(info).build();
    let router = OpenApiRouter::with_openapi(api);
    let routes = routes.into_iter().map(strict);
    let router = routes
        .chain(alone_at_their_paths.into_iter().map(alone))
        .fold(router, with_and_without_context);
    // These have no other path.
    let others = [routes!(messages::send), routes!(messages::result)];
    others
        .into_iter()
        .map(strict)
        .fold(router, OpenApiRouter::routes)
}

/// Adds routes below `/zstack`, where they are documented, and without that prefix, where SDKs
/// look for them that are set up without a context path. The slash before a uuid may be doubled,
/// as the Go SDK has it in GetTag.
fn with_and_without_context(
    router: OpenApiRouter<Service>,
    routes: UtoipaMethodRouter<Service>,
) -> OpenApiRouter<Service> {
    let (schemas, paths, methods) = routes;
    let more = paths.paths.keys().flat_map(|path| {
        let bare = error::without_context(path);
        let doubled = [path, bare].map(|it| it.replacen("/{uuid}", "//{uuid}", 1));
        let doubled = doubled.into_iter().filter(|it| it.contains("//"));
        doubled.chain([bare.to_owned()])
    });
    let more: Vec<_> = more.collect();
    let router = router.routes((schemas, paths, methods.clone()));
    more.iter()
        .fold(router, |router, path| router.route(path, methods.clone()))
}

fn owns(path: &str) -> bool {
    let below = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below("/zstack") || below("/v1")
}
