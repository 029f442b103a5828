//! Database backups.

use axum::{extract::State, http::Uri};
use strongroom_domain::{
    BackupId, Export, Face, Page, Start,
    query::{BackupField, Filter},
};
use strongroom_http::{download::export_url, extract::Base};
use strongroom_service::{Caller, Service, operations::NewOperation, resources::ResourceFilter};

use super::{
    Answer, Body, PathParams,
    inventory::tags,
    ok,
    storage_actions::all_known,
    storages::{check_usable, find_storage},
    tag_patterns::{attach_new, simple},
    tagged::untag,
    tags::tag_new,
};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::Error,
    map::{self, NewBackup, places::Places},
    query::{
        Query,
        backups::{self, Beside, METADATA, Plan},
        condition::Where,
        params,
        tags::TagKind,
    },
    wire::{
        backup::{CreateDatabaseBackup, CreateDatabaseBackupParams, DatabaseBackup},
        reply::{Accepted, Empty, Failed, Listed},
    },
};

/// How long a backup may take unless the client says, in milliseconds: the vendor's 12 hours.
const CREATE_TIMEOUT: u64 = 12 * 60 * 60 * 1000;

/// Lists the database backups that meet the conditions.
#[utoipa::path(
    get,
    path = "/zstack/v1/database-backups",
    operation_id = "QueryDatabaseBackup",
    params(
        ("q" = Option<Vec<String>>, Query, description = "`<field><operator><value>`; all must hold"),
        ("limit" = Option<i32>, Query, description = "1000 if not given"),
        ("start" = Option<i32>, Query),
        ("count" = Option<bool>, Query, description = "only the number of matches"),
        ("replyWithCount" = Option<bool>, Query, description = "the number of matches too"),
        ("sort" = Option<String>, Query, description = "`+<field>` or `-<field>`"),
        ("fields" = Option<String>, Query, description = "members wanted, comma separated"),
    ),
    responses((status = 200, body = Listed<DatabaseBackup>), (status = 503, body = Failed)),
)]
pub(crate) async fn list(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<Listed<DatabaseBackup>> {
    let query = Query::parse(uri.query().unwrap_or_default())?;
    let plan = plan(&service, &caller, &query, &call.base).await?;
    let page = service
        .list_backups(&caller, &plan.filter, &plan.sort, &query.page())
        .await?;
    if query.count {
        return Ok(ok(Listed::count(page.total.unwrap_or(0))));
    }
    let places = Places::of(&service, &caller, &page.items, &call.base).await?;
    let rows = page.items.iter().map(|it| map::backup(it, &places));
    let rows = rows.collect();
    Ok(ok(Listed::rows(rows, page.total, query.fields.as_deref())?))
}

/// The tenant's exports, with where they can be downloaded by a client that reached us at `base`.
pub(crate) async fn exports(
    service: &Service,
    caller: &Caller,
    base: &Base,
) -> Result<Vec<(Export, String)>, Error> {
    let exports = service.list_exports(caller).await?;
    let with_url = |it: Export| {
        let url = export_url(base, &it);
        (it, url)
    };
    Ok(exports.into_iter().map(with_url).collect())
}

async fn plan(
    service: &Service,
    caller: &Caller,
    query: &Query,
    base: &Base,
) -> Result<Plan, Error> {
    let beside = Beside {
        storages: &service.list_repositories(caller).await?,
        tags: &tags(service, caller).await?,
        exports: &exports(service, caller, base).await?,
        metadata: &metadata(service, caller, &Where::all(&query.conditions)).await?,
    };
    Plan::of(query, beside)
}

/// What every backup says about itself, if a condition is on that.
pub(crate) async fn metadata(
    service: &Service,
    caller: &Caller,
    conditions: &Where,
) -> Result<Vec<(BackupId, String)>, Error> {
    let mut all = Vec::new();
    if !conditions.names(METADATA) {
        return Ok(all);
    }
    let mut page = Page {
        total: false,
        ..Page::offset(1000, 0)
    };
    let shown = backups::shown();
    loop {
        let some = service.list_backups(caller, &shown, &[], &page).await?;
        all.extend(some.items.iter().map(|it| (it.id, map::metadata(it))));
        match some.next {
            Some(next) => page.start = Start::Cursor(next),
            None => return Ok(all),
        }
    }
}

/// Lists one database backup, or nothing.
#[utoipa::path(
    get,
    path = "/zstack/v1/database-backups/{uuid}",
    operation_id = "QueryDatabaseBackupByUuid",
    params(("uuid" = String, Path)),
    responses((status = 200, body = Listed<DatabaseBackup>), (status = 503, body = Failed)),
)]
pub(crate) async fn show(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Listed<DatabaseBackup>> {
    let found = find(&service, &caller, &uuid.0).await?;
    let found = found.as_slice();
    let places = Places::of(&service, &caller, found, &call.base).await?;
    let rows = found.iter().map(|it| map::backup(it, &places)).collect();
    Ok(ok(Listed::rows(rows, None, None)?))
}

/// The backup with that uuid, if this face shows it.
pub(crate) async fn find(
    service: &Service,
    caller: &Caller,
    uuid: &str,
) -> Result<Option<strongroom_domain::Backup>, Error> {
    let Some(id) = map::uuid(uuid) else {
        return Ok(None);
    };
    let filter = backups::shown().and(Filter::eq(BackupField::Id, id));
    let page = Page {
        total: false,
        ..Page::offset(1, 0)
    };
    Ok(service
        .list_backups(caller, &filter, &[], &page)
        .await?
        .items
        .pop())
}

/// Backs up the tenant's default database.
#[utoipa::path(
    post,
    path = "/zstack/v1/database-backups",
    operation_id = "CreateDatabaseBackup",
    request_body = CreateDatabaseBackup,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<CreateDatabaseBackup>,
) -> Answer<Accepted> {
    let CreateDatabaseBackup {
        params,
        system_tags,
        user_tags,
    } = body.0;
    let mut params = params.unwrap_or_default();
    params.system_tags.extend(system_tags);
    params.user_tags.extend(user_tags);
    let work = start(&service, &caller, call.operation(), params);
    call.run(&service, &caller, CREATE_TIMEOUT, work).await
}

pub(crate) async fn start(
    service: &Service,
    caller: &Caller,
    operation: NewOperation,
    mut params: CreateDatabaseBackupParams,
) -> Result<Outcome, Error> {
    let system_tags = std::mem::take(&mut params.system_tags);
    let user_tags = std::mem::take(&mut params.user_tags);
    let patterns = simple(service, caller, &std::mem::take(&mut params.tag_uuids)).await?;
    let new = NewBackup::read(params)?;
    let storage = new.repository_id();
    let found = find_storage(service, caller, "backupStorageUuid", &storage.simple()).await?;
    check_usable(&found)?;
    let shown = ResourceFilter {
        face: Some(Face::Zstack),
        ..ResourceFilter::default()
    };
    let databases = service
        .list_resources(caller, &shown, &Page::ALL)
        .await?
        .items;
    let mut request = new.of(map::default_database(&databases)?);
    request.operation_id = operation.id;
    request.operation_annotations = operation.annotations;
    let (backup, operation) = service.request_backup(caller, request).await?;
    let row = ("DatabaseBackupVO", backup.id.simple());
    tag_new(service, caller, TagKind::System, &row, system_tags).await?;
    tag_new(service, caller, TagKind::User, &row, user_tags).await?;
    attach_new(service, caller, &row, patterns).await?;
    Ok(Outcome::Started(operation))
}

/// Deletes a database backup; one that is unknown is gone already.
#[utoipa::path(
    delete,
    path = "/zstack/v1/database-backups/{uuid}",
    operation_id = "DeleteDatabaseBackup",
    params(
        ("uuid" = String, Path),
        ("backupStorageUuids" = Option<Vec<String>>, Query, description = "all if not given"),
    ),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
    uri: Uri,
) -> Answer<Accepted> {
    let storages = params::list(uri.query().unwrap_or_default(), "backupStorageUuids");
    let work = remove(&service, &caller, call.operation(), &uuid.0, &storages);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn remove(
    service: &Service,
    caller: &Caller,
    operation: NewOperation,
    uuid: &str,
    storages: &[String],
) -> Result<Outcome, Error> {
    let id = BackupId::from_uuid(map::well_formed(uuid)?);
    let Some(found) = find(service, caller, uuid).await? else {
        return Outcome::done(&Empty {});
    };
    if storages.is_empty() {
        let deleted = service.delete_backup(caller, id, operation.into()).await?;
        untag(service, caller, uuid).await?;
        return Ok(Outcome::Started(deleted));
    }
    let known = service.list_repositories(caller).await?;
    all_known("backupStorageUuids", storages, "BackupStorageVO", |it| {
        known.iter().any(|storage| storage.id.simple() == it)
    })?;
    let copies = service.copies_of(caller, &[id]).await?;
    let all = copies.iter().map(|it| it.repository_id);
    let all = all.chain([found.repository_id]);
    let (places, left): (Vec<_>, Vec<_>) = all.partition(|it| storages.contains(&it.simple()));
    if places.is_empty() {
        return Outcome::done(&Empty {});
    }
    let deleted = service
        .delete_copies(caller, id, &places, operation)
        .await?;
    if left.is_empty() {
        untag(service, caller, uuid).await?;
    }
    Ok(Outcome::Started(deleted))
}
