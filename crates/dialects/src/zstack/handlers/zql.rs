//! ZQL.

use axum::{extract::State, http::Uri};
use strongroom_service::{Caller, Service};

use super::{Answer, inventory::tags, ok, storages};
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
    wire::{reply::Failed, zql::ZqlReply},
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
    let run = Run {
        service: &service,
        caller: &caller,
        storages: service.list_repositories(&caller).await?,
        tags: tags(&service, &caller).await?,
        base: &call.base,
    };
    Ok(ok(run.answer(&text, call.schema).await?))
}
