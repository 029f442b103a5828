//! The short inventories, of which a tenant has few rows: one line each in `inventories!`. That
//! gives two calls, which list what meets conditions and the row of one uuid, and the rows to ZQL.

use axum::http::Uri;
use strongroom_service::{Caller, Service};

use super::{Answer, keys, long_jobs, ok, scheduler, storages, tag_patterns, tags};
use crate::zstack::{
    error::Error,
    query::{
        Query,
        storages::{IMAGE_STORES, TABLE as STORAGES},
        table::{self, Row, Table},
        tags::{Tag, TagKind, Tags},
    },
    wire::{
        account::{ACCESS_KEYS, ACCOUNTS, AccessKey, Account},
        long_job::{LONG_JOBS, LongJob},
        reply::{Inventory, Listed},
        scheduler::{
            HISTORIES, JOB_GROUPS, JOBS, SchedulerJob, SchedulerJobGroup, SchedulerTrigger,
            TRIGGERS,
        },
        storage::{BackupStorage, ImageStore},
        tags::{SYSTEM_TAGS, TAG_PATTERNS, TagInventory, TagPattern, USER_TAGS},
    },
};

/// The name of an inventory here, its row, what that consists of and where the rows come from; the
/// vendor's name for the call that lists them, and its path without and with a uuid.
macro_rules! inventories {
    ($($name:ident $row:ident $table:ident $rows:path; $call:literal $all:tt $one:tt;)*) => {
        $(pub(crate) mod $name {
            use axum::{extract::State, http::Uri};
            use strongroom_service::Service;

            use super::*;
            use crate::zstack::{
                auth::Auth, call::Call, handlers::PathParams, wire::reply::Failed,
            };

            /// Lists the rows that meet the conditions.
            #[utoipa::path(
                get,
                path = $all,
                operation_id = $call,
                params(("q" = Option<Vec<String>>, Query)),
                responses((status = 200, body = Listed<$row>), (status = 503, body = Failed)),
            )]
            pub(crate) async fn list(
                State(service): State<Service>,
                _: Call,
                Auth(caller): Auth,
                uri: Uri,
            ) -> Answer<Listed<$row>> {
                let rows = $rows(&service, &caller).await?;
                listed(&service, &caller, &uri, &$table, rows).await
            }

            /// Lists the row of that uuid, or nothing.
            #[utoipa::path(
                get,
                path = $one,
                operation_id = concat!($call, "ByUuid"),
                params(("uuid" = String, Path)),
                responses((status = 200, body = Listed<$row>), (status = 503, body = Failed)),
            )]
            pub(crate) async fn show(
                State(service): State<Service>,
                _: Call,
                Auth(caller): Auth,
                uuid: PathParams<String>,
            ) -> Answer<Listed<$row>> {
                shown(&uuid.0, $rows(&service, &caller).await?)
            }
        })*

        /// What all of them consist of.
        pub(crate) static TABLES: &[&Table] = &[$(&$table,)* &HISTORIES];

        /// All rows of one of them that the tenant has.
        pub(crate) async fn rows(
            table: &Table,
            service: &Service,
            caller: &Caller,
        ) -> Result<Vec<Row>, Error> {
            $(if std::ptr::eq(table, &raw const $table) {
                return printed(&$rows(service, caller).await?);
            })*
            printed(&scheduler::histories(service, caller).await?)
        }
    };
}

inventories! {
    backup_storages BackupStorage STORAGES storages::rows;
        "QueryBackupStorage" "/zstack/v1/backup-storage" "/zstack/v1/backup-storage/{uuid}";
    sftp_storages BackupStorage STORAGES storages::sftp;
        "QuerySftpBackupStorage" "/zstack/v1/backup-storage/sftp"
        "/zstack/v1/backup-storage/sftp/{uuid}";
    image_stores ImageStore IMAGE_STORES storages::image_stores;
        "QueryImageStoreBackupStorage" "/zstack/v1/backup-storage/image-store"
        "/zstack/v1/backup-storage/image-store/{uuid}";
    accounts Account ACCOUNTS keys::accounts;
        "QueryAccount" "/zstack/v1/accounts" "/zstack/v1/accounts/{uuid}";
    access_keys AccessKey ACCESS_KEYS keys::keys;
        "QueryAccessKey" "/zstack/v1/accesskeys" "/zstack/v1/accesskeys/{uuid}";
    system_tags TagInventory SYSTEM_TAGS tags::system;
        "QuerySystemTag" "/zstack/v1/system-tags" "/zstack/v1/system-tags/{uuid}";
    user_tags TagInventory USER_TAGS tags::user;
        "QueryUserTag" "/zstack/v1/user-tags" "/zstack/v1/user-tags/{uuid}";
    patterns TagPattern TAG_PATTERNS tag_patterns::rows;
        "QueryTag" "/zstack/v1/tags" "/zstack/v1/tags/{uuid}";
    long LongJob LONG_JOBS long_jobs::rows;
        "QueryLongJob" "/zstack/v1/longjobs" "/zstack/v1/longjobs/{uuid}";
    scheduler_jobs SchedulerJob JOBS scheduler::jobs;
        "QuerySchedulerJob" "/zstack/v1/scheduler/jobs" "/zstack/v1/scheduler/jobs/{uuid}";
    scheduler_groups SchedulerJobGroup JOB_GROUPS scheduler::groups;
        "QuerySchedulerJobGroup" "/zstack/v1/scheduler/jobgroups"
        "/zstack/v1/scheduler/jobgroups/{uuid}";
    scheduler_triggers SchedulerTrigger TRIGGERS scheduler::triggers;
        "QuerySchedulerTrigger" "/zstack/v1/scheduler/triggers"
        "/zstack/v1/scheduler/triggers/{uuid}";
}

fn printed(rows: &[impl Inventory]) -> Result<Vec<Row>, Error> {
    rows.iter().map(|it| Ok(table::row(it)?)).collect()
}

/// Answers a query over all `rows` of the tenant.
pub(crate) async fn listed<T: Inventory>(
    service: &Service,
    caller: &Caller,
    uri: &Uri,
    table: &Table,
    rows: Vec<T>,
) -> Answer<Listed<T>> {
    let query = Query::parse(uri.query().unwrap_or_default())?;
    let tags = tags(service, caller).await?;
    let (found, total) = table::answer(&query, table, rows, &tags)?;
    if query.count {
        return Ok(ok(Listed::count(total)));
    }
    let total = query.reply_with_count.then_some(total);
    Ok(ok(Listed::rows(found, total, query.fields.as_deref())?))
}

/// Answers with the row of that uuid, or with an empty list.
fn shown<T: Inventory>(uuid: &str, rows: Vec<T>) -> Answer<Listed<T>> {
    let mut found = Vec::new();
    for it in rows {
        let row = table::row(&it)?;
        let own = row.get("uuid").and_then(|it| it.as_str());
        if own.is_some_and(|it| it.eq_ignore_ascii_case(uuid)) {
            found.push(it);
        }
    }
    Ok(ok(Listed::rows(found, None, None)?))
}

/// The tags of the tenant's rows, for conditions on them.
pub(crate) async fn tags(service: &Service, caller: &Caller) -> Result<Tags, Error> {
    let mut all = super::tags::system(service, caller).await?;
    all.extend(super::tags::rows(service, caller, TagKind::User).await?);
    let tag = |it: TagInventory| {
        let (kind, text, pattern) = (it.kind, it.tag, it.tag_pattern_uuid);
        let tag = Tag {
            kind,
            text,
            pattern,
        };
        (it.resource_uuid, tag)
    };
    Ok(all.into_iter().map(tag).collect())
}
