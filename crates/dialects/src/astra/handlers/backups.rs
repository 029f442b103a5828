//! appBackups: of one application, and of the whole account.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use strongroom_domain::{
    Backup, BackupId, BackupState, Face, Page, ResourceId, Start,
    query::{BackupField, Direction, Filter, Sort},
};
use strongroom_http::{
    auth::permission::{Read, Write},
    extract::Object,
};
use strongroom_service::{Caller, Error as Core, Service, backups::DeleteBackup};
use utoipa::IntoParams;

use super::{Body, Path, app};
use crate::astra::{
    answer::Accept,
    auth::Auth,
    error::{Doing, During, Error, Problems, Result},
    map,
    page::{ListParameters, ListQuery, NoQuery},
    wire::{AppBackup, CreateAppBackup, List},
};

/// An application in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfApp {
    /// The application's id.
    #[param(value_type = String)]
    app_id: ResourceId,
}

/// A backup of an application in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfAppOne {
    /// The application's id.
    #[param(value_type = String)]
    app_id: ResourceId,
    /// The backup's id.
    #[serde(rename = "appBackup_id")]
    #[param(value_type = String)]
    id: BackupId,
}

/// A backup of the account in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::astra) struct OfAccountOne {
    /// The backup's id.
    #[serde(rename = "appBackup_id")]
    #[param(value_type = String)]
    id: BackupId,
}

/// Makes a backup of an application.
#[utoipa::path(
    post,
    path = "/accounts/{account_id}/k8s/v1/apps/{app_id}/appBackups",
    tag = "appBackups",
    params(("account_id" = String, Path), OfApp),
    request_body = CreateAppBackup,
    responses((status = 201, body = AppBackup), Problems)
)]
pub(in crate::astra) async fn create(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write>,
    path: Path<OfApp>,
    _: NoQuery,
    accept: Accept,
    body: Body<Object<CreateAppBackup>>,
    uri: Uri,
) -> Result<Response> {
    let app = app(&service, &caller, path.0.app_id, Doing::CreatingBackup).await?;
    let request = map::create_backup(app.id, body.0.0)?;
    let made = service.request_backup(&caller, request).await;
    let shown = map::app_backup(&made.during(Doing::CreatingBackup)?.0);
    let location = format!("{}/{}", uri.path().trim_end_matches('/'), shown.id);
    Ok(accept.created(shown.media_type, &shown, &location))
}

/// Lists the backups of an application.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/k8s/v1/apps/{app_id}/appBackups",
    tag = "appBackups",
    params(("account_id" = String, Path), OfApp, ListParameters),
    responses((status = 200, body = List<AppBackup>), Problems)
)]
pub(in crate::astra) async fn list(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfApp>,
    query: ListQuery,
) -> Result<List<AppBackup>> {
    let app = app(&service, &caller, path.0.app_id, Doing::ListingBackups).await?;
    let scope = Filter::eq(BackupField::ResourceId, app.id.uuid());
    matching(&service, &caller, scope, &query).await
}

/// Shows a backup of an application.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/k8s/v1/apps/{app_id}/appBackups/{appBackup_id}",
    tag = "appBackups",
    params(("account_id" = String, Path), OfAppOne),
    responses((status = 200, body = AppBackup), Problems)
)]
pub(in crate::astra) async fn get(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfAppOne>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let OfAppOne { app_id, id } = path.0;
    let backup = find(&service, &caller, Some(app_id), id, Doing::GettingBackup).await?;
    let shown = map::app_backup(&backup);
    Ok(accept.resource(shown.media_type, &shown))
}

/// Deletes a backup of an application; a running one is cancelled first.
#[utoipa::path(
    delete,
    path = "/accounts/{account_id}/k8s/v1/apps/{app_id}/appBackups/{appBackup_id}",
    tag = "appBackups",
    params(("account_id" = String, Path), OfAppOne),
    responses((status = 204), Problems)
)]
pub(in crate::astra) async fn delete(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write>,
    path: Path<OfAppOne>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let OfAppOne { app_id, id } = path.0;
    let backup = find(&service, &caller, Some(app_id), id, Doing::DeletingBackup).await?;
    remove(&service, &caller, &backup, &headers).await
}

/// Lists the backups of all applications, also of those that are gone.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/appBackups",
    tag = "appBackups",
    params(("account_id" = String, Path), ListParameters),
    responses((status = 200, body = List<AppBackup>), Problems)
)]
pub(in crate::astra) async fn list_all(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    query: ListQuery,
) -> Result<List<AppBackup>> {
    matching(&service, &caller, Filter::default(), &query).await
}

/// Shows a backup, whichever application it is of.
#[utoipa::path(
    get,
    path = "/accounts/{account_id}/topology/v1/appBackups/{appBackup_id}",
    tag = "appBackups",
    params(("account_id" = String, Path), OfAccountOne),
    responses((status = 200, body = AppBackup), Problems)
)]
pub(in crate::astra) async fn get_any(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Read>,
    path: Path<OfAccountOne>,
    _: NoQuery,
    accept: Accept,
) -> Result<Response> {
    let backup = find(&service, &caller, None, path.0.id, Doing::GettingBackup).await?;
    let shown = map::app_backup(&backup);
    Ok(accept.resource(shown.media_type, &shown))
}

/// Deletes a backup, whichever application it is of.
#[utoipa::path(
    delete,
    path = "/accounts/{account_id}/topology/v1/appBackups/{appBackup_id}",
    tag = "appBackups",
    params(("account_id" = String, Path), OfAccountOne),
    responses((status = 204), Problems)
)]
pub(in crate::astra) async fn delete_any(
    State(service): State<Service>,
    Auth(caller, ..): Auth<Write>,
    path: Path<OfAccountOne>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let backup = find(&service, &caller, None, path.0.id, Doing::DeletingBackup).await?;
    remove(&service, &caller, &backup, &headers).await
}

/// The backup with that id, of that application if one is named.
async fn find(
    service: &Service,
    caller: &Caller,
    app: Option<ResourceId>,
    id: BackupId,
    doing: Doing,
) -> Result<Backup> {
    let backup = service.backup(caller, id).await.during(doing)?;
    let of_app = app.is_none_or(|app| app == backup.resource_id);
    if of_app && backup.face == Some(Face::Astra) {
        return Ok(backup);
    }
    Err(Core::not_found("backup", id)).during(doing)
}

/// The backups within `scope` that a query asks for, oldest first unless it says otherwise.
async fn matching(
    service: &Service,
    caller: &Caller,
    scope: Filter<BackupField>,
    query: &ListQuery,
) -> Result<List<AppBackup>> {
    let scope = Filter::eq(BackupField::Face, Face::Astra.as_str()).and(scope);
    let Some((filter, sort)) = map::backup_filter(query) else {
        let sort = [Sort::new(BackupField::CreatedAt, Direction::Ascending)];
        let all = service
            .list_backups(caller, &scope, &sort, &Page::ALL)
            .await;
        let all = all.during(Doing::ListingBackups)?.items;
        return query.apply(all.iter().map(map::app_backup).collect());
    };
    // Where SQL and the vendor disagree about the largest number, all rows are meant.
    let whole = u64::from(u32::MAX);
    let page = Page {
        limit: query.limit.unwrap_or(whole).min(whole),
        start: Start::Offset(query.start.min(i64::MAX.unsigned_abs())),
        total: query.count || query.limit.is_some(),
    };
    let found = service
        .list_backups(caller, &scope.and(filter), &sort, &page)
        .await;
    let found = found.during(Doing::ListingBackups)?;
    let end = query.start.saturating_add(found.items.len() as u64);
    let rows = found.items.iter().map(map::app_backup).collect();
    query.finish(rows, found.total.unwrap_or(end))
}

/// Starts the deletion. What no worker has taken up yet cannot be cancelled, unless forced.
async fn remove(
    service: &Service,
    caller: &Caller,
    backup: &Backup,
    headers: &HeaderMap,
) -> Result<StatusCode> {
    let forced = headers
        .get("force-delete")
        .is_some_and(|it| it.as_bytes() == b"true");
    if backup.state == BackupState::Pending && !forced {
        return Err(Error::Pending(backup.id.to_string()));
    }
    let deletion = service
        .delete_backup(caller, backup.id, DeleteBackup::default())
        .await;
    deletion.during(Doing::DeletingBackup)?;
    Ok(StatusCode::NO_CONTENT)
}
