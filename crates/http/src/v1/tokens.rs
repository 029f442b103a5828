//! `/api/v1/tokens`: API tokens and access keys.

use axum::{extract::State, http::StatusCode};
use strongroom_domain::{CredentialId, credential::CredentialKind};
use strongroom_service::{Caller, Service};

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
    let made = issue(&service, &auth.0, body.0).await?;
    Ok(Reply::created(made, "/api/v1/tokens".to_owned()))
}

/// Makes what was asked for; there is a verb for each kind.
async fn issue(
    service: &Service,
    caller: &Caller,
    request: CreateToken,
) -> Result<NewToken, Problem> {
    let CreateToken {
        name,
        kind,
        principal_id,
        expires_at,
    } = request;
    let owner = principal_id.unwrap_or(caller.principal_id);
    match (kind.unwrap_or(CredentialKind::ApiToken), expires_at) {
        (CredentialKind::ApiToken, until) => {
            let token = service.create_token(caller, owner, &name, until).await?;
            Ok(token.into())
        }
        (CredentialKind::AccessKey, None) => {
            let key = service.create_access_key(caller, owner, &name).await?;
            Ok(key.into())
        }
        (CredentialKind::AccessKey, Some(_)) => Err(Problem::field(
            "expires_at",
            "an access key does not expire",
        )),
    }
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
