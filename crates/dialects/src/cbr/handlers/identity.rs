//! Keystone: tokens, and who and where their bearers are.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
};
use serde::Deserialize;
use strongroom_http::{
    auth::keystone::{self, LIFETIME, X_SUBJECT_TOKEN},
    extract::Base,
};
use strongroom_service::{Error as Core, Service, error::AuthFailure};
use utoipa::IntoParams;

use super::{Body, Query};
use crate::cbr::{
    answer::Json,
    auth::AnyProject,
    error::{Error, Errors, KeystoneError, KeystoneErrors},
    look, map, wire,
};

/// Which one of the caller's.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(in crate::cbr) struct Named {
    /// With this name.
    name: Option<String>,
}

type Shown = ([(HeaderName, String); 1], Json<wire::TokenEnvelope>);

/// Logs in.
#[utoipa::path(
    post,
    path = "/v3/auth/tokens",
    tag = "identity",
    request_body = wire::AuthRequest,
    responses((status = 201, body = wire::TokenEnvelope), KeystoneErrors)
)]
pub(in crate::cbr) async fn log_in(
    State(service): State<Service>,
    Base(base): Base,
    body: Result<Body<wire::AuthRequest>, Error>,
) -> Result<(StatusCode, Shown), KeystoneError> {
    let login = body?.0.0.auth;
    let wanted = map::login(&login)?;
    let caller = look::login(&service, &wanted).await?;
    map::check_scope(login.scope.as_ref(), &caller)?;
    let session = service.open_session(&caller, LIFETIME).await?;
    let header = [(X_SUBJECT_TOKEN, session.id.simple())];
    let shown = map::token(&session.into(), wanted.method(), &base);
    Ok((StatusCode::CREATED, (header, Json(shown))))
}

/// Shows what a token stands for.
#[utoipa::path(
    get,
    path = "/v3/auth/tokens",
    tag = "identity",
    responses((status = 200, body = wire::TokenEnvelope), KeystoneErrors)
)]
pub(in crate::cbr) async fn show_token(
    State(service): State<Service>,
    caller: Result<AnyProject, Error>,
    Base(base): Base,
    headers: HeaderMap,
) -> Result<Shown, KeystoneError> {
    let AnyProject(caller) = caller?;
    let text = subject(&headers)?;
    let token = keystone::look_up(&service, text).await;
    let token = token
        .ok()
        .filter(|it| it.caller.tenant_id == caller.tenant_id);
    let token = token.ok_or_else(|| Core::not_found("token", "(not shown)"))?;
    let header = [(X_SUBJECT_TOKEN, text.to_owned())];
    Ok((header, Json(map::token(&token, "token", &base))))
}

/// Ends a token that a login gave.
#[utoipa::path(
    delete,
    path = "/v3/auth/tokens",
    tag = "identity",
    responses((status = 204), KeystoneErrors)
)]
pub(in crate::cbr) async fn log_out(
    State(service): State<Service>,
    caller: Result<AnyProject, Error>,
    headers: HeaderMap,
) -> Result<StatusCode, KeystoneError> {
    let AnyProject(caller) = caller?;
    let text = subject(&headers)?;
    let token = keystone::look_up(&service, text).await?;
    if token.caller.principal_id != caller.principal_id {
        return Err(Core::not_found("token", "(not shown)").into());
    }
    keystone::revoke(&service, text).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn subject(headers: &HeaderMap) -> Result<&str, Core> {
    let token = keystone::presented(headers, X_SUBJECT_TOKEN);
    token.map_err(|failure| match failure {
        AuthFailure::Missing => Core::invalid("X-Subject-Token", "the header is missing"),
        _ => Core::invalid("X-Subject-Token", "it is not a token"),
    })
}

/// Shows where the services are.
#[utoipa::path(
    get,
    path = "/v3/auth/catalog",
    tag = "identity",
    responses((status = 200, body = wire::Catalog), Errors)
)]
pub(in crate::cbr) async fn catalog(
    AnyProject(caller): AnyProject,
    Base(base): Base,
) -> Json<wire::Catalog> {
    Json(map::catalog(&caller, &base))
}

/// Lists the caller's project under the name of the region asked for.
#[utoipa::path(
    get,
    path = "/v3/projects",
    tag = "identity",
    params(Named),
    responses((status = 200, body = wire::Projects), Errors)
)]
pub(in crate::cbr) async fn projects(
    AnyProject(caller): AnyProject,
    query: Query<Named>,
    Base(base): Base,
) -> Json<wire::Projects> {
    Json(map::projects(&caller, query.0.name.as_deref(), &base))
}

/// Lists the projects that the caller may use.
#[utoipa::path(
    get,
    path = "/v3/auth/projects",
    tag = "identity",
    responses((status = 200, body = wire::Projects), Errors)
)]
pub(in crate::cbr) async fn own_projects(
    AnyProject(caller): AnyProject,
    Base(base): Base,
) -> Json<wire::Projects> {
    Json(map::projects(&caller, None, &base))
}

/// Lists the caller's domain.
#[utoipa::path(
    get,
    path = "/v3/auth/domains",
    tag = "identity",
    params(Named),
    responses((status = 200, body = wire::Domains), Errors)
)]
pub(in crate::cbr) async fn domains(
    AnyProject(caller): AnyProject,
    query: Query<Named>,
    Base(base): Base,
) -> Json<wire::Domains> {
    Json(map::domains(&caller, query.0.name.as_deref(), &base))
}
