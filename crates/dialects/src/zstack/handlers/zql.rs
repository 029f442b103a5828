//! ZQL.

use axum::{extract::State, http::Uri};
use strongroom_service::{Caller, Service};

use super::{Answer, keys, long_jobs, ok, scheduler, storages, tag_patterns};
use crate::zstack::{
    auth::Auth,
    call::Call,
    error::Error,
    map,
    query::{
        params,
        storages::{IMAGE_STORES, TABLE as STORAGES},
        table::{self, Row, Table},
        zql::run::Run,
    },
    wire::{
        account::{ACCESS_KEYS, ACCOUNTS},
        long_job::LONG_JOBS,
        reply::Failed,
        scheduler::{HISTORIES, JOB_GROUPS, JOBS, TRIGGERS},
        tags::{SYSTEM_TAGS, TAG_PATTERNS, USER_TAGS},
        zql::ZqlReply,
    },
};

const MESSAGE: &str = "org.zstack.query.APIZQLQueryMsg";

macro_rules! entities {
    ($($table:path => $rows:path,)*) => {
        /// The short inventories that ZQL knows.
        pub(crate) static ENTITIES: &[&Table] = &[$(&$table),*];

        /// All rows of one of them that the tenant has.
        pub(crate) async fn rows(
            table: &Table,
            service: &Service,
            caller: &Caller,
        ) -> Result<Vec<Row>, Error> {
            $(if std::ptr::eq(table, &raw const $table) {
                let rows = $rows(service, caller).await?;
                return rows.iter().map(|it| Ok(table::row(it)?)).collect();
            })*
            Ok(Vec::new())
        }
    };
}

entities! {
    STORAGES => storages::rows,
    IMAGE_STORES => storages::image_stores,
    ACCOUNTS => keys::accounts,
    ACCESS_KEYS => keys::keys,
    SYSTEM_TAGS => super::tags::system,
    USER_TAGS => super::tags::user,
    TAG_PATTERNS => tag_patterns::rows,
    LONG_JOBS => long_jobs::rows,
    JOBS => scheduler::jobs,
    JOB_GROUPS => scheduler::groups,
    TRIGGERS => scheduler::triggers,
    HISTORIES => scheduler::histories,
}

/// Carries out the statements of a ZQL text.
#[utoipa::path(
    get,
    path = "/zstack/v1/zql",
    operation_id = "ZQLQuery",
    params(("zql" = String, Query, description = "statements, separated by semicolons")),
    responses((status = 200, body = ZqlReply), (status = 503, body = Failed)),
)]
pub(crate) async fn query(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<ZqlReply> {
    let mut pairs = params::pairs(uri.query().unwrap_or_default()).into_iter();
    let text = pairs.find(|(name, _)| name == "zql").map(|it| it.1);
    let text = map::mandatory_of(MESSAGE, "zql", text)?;
    let run = Run::of(&service, &caller, &call.base).await?;
    Ok(ok(run.answer(&text, call.schema).await?))
}
