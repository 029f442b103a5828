//! `/api/v1/tokens`: API tokens and access keys.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::{CredentialId, credential::CredentialKind};
use strongroom_service::Service;

use super::{
    document::Problems,
    map::common::list as listed,
    reply::{Answer, Reply},
    request::{Auth, Body, Params, PathParams, Read},
    wire::{CreateToken, List, ListQuery, NewToken, Token},
};
use crate::{page::cut, problem::Problem};

/// One's own tokens and access keys, or all of the tenant's for an owner.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "tokens",
    params(ListQuery), responses((status = 200, body = List<Token>), Problems))]
pub(super) async fn list(
    service: State<Service>,
    auth: Auth<Read>,
    query: Params<ListQuery>,
) -> Answer<List<Token>> {
    let all = service.list_credentials(&auth.0).await?;
    let page = cut(all, &query.0.into(), |it| (it.created_at, it.id.uuid()))?;
    Ok(Reply::ok(listed(page)))
}

/// Makes a token or access key. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "create_token", tag = "tokens",
    request_body = CreateToken, responses((status = 201, body = NewToken), Problems))]
pub(super) async fn create(
    service: State<Service>,
    auth: Auth<Read>,
    body: Body<CreateToken>,
) -> Answer<NewToken> {
    let CreateToken {
        name,
        kind,
        principal_id,
        expires_at,
    } = body.0;
    let principal = principal_id.unwrap_or(auth.0.principal_id);
    let made: NewToken = match kind.unwrap_or(CredentialKind::ApiToken) {
        CredentialKind::ApiToken => service
            .create_token(&auth.0, principal, &name, expires_at)
            .await?
            .into(),
        CredentialKind::AccessKey if expires_at.is_some() => {
            return Err(Problem::field(
                "expires_at",
                "an access key does not expire",
            ));
        }
        CredentialKind::AccessKey => service
            .create_access_key(&auth.0, principal, &name)
            .await?
            .into(),
    };
    Ok(Reply::created(made, "/api/v1/tokens".to_owned()))
}

/// Revokes a token or access key.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", operation_id = "delete_token",
    tag = "tokens", params(("id" = Uuid, Path)), responses((status = 204), Problems))]
pub(super) async fn delete(
    service: State<Service>,
    auth: Auth<Read>,
    id: PathParams<CredentialId>,
) -> Result<StatusCode, Problem> {
    service.delete_credential(&auth.0, id.0).await?;
    Ok(StatusCode::NO_CONTENT)
}
