//! Where the backups of a policy go.
//!
//! A policy may name several repositories. Each run chooses among them anew, in the transaction
//! that queues its backups, from what the catalog says of them. A backup whose repository cannot
//! be opened after all goes to the next one. Retention does not ask where a backup is: a policy
//! that keeps three keeps three altogether, so that a repository that is used in need only does
//! not hold its first backups for good.

use strongroom_domain::{
    RepositoryId, TenantId,
    policy::Policy,
    repository::{Repository, RepositoryState},
};
use strongroom_store::Conn;

use crate::{
    ConflictKind, Error, Result,
    repositories::{check_takes_backups, choose_repository, find_repository},
};

/// The repository of a run: of several the first that takes backups and could be reached when it
/// was last tried. Where there is nothing to choose, what was found last does not matter: the
/// backup is tried until it is given up.
pub(crate) async fn choose(conn: &mut Conn, policy: &Policy) -> Result<Repository> {
    let tenant = policy.tenant_id;
    match policy.repositories[..] {
        [_, _, ..] => first(conn, tenant, &policy.repositories).await,
        ref one => {
            let found = choose_repository(conn, tenant, one.first().copied()).await?;
            check_takes_backups(&found)?;
            Ok(found)
        }
    }
}

/// The repository that comes after one that could not be opened, if there is any.
pub(crate) async fn next(
    conn: &mut Conn,
    policy: &Policy,
    failed: RepositoryId,
) -> Result<Option<Repository>> {
    let all = &policy.repositories;
    let Some(at) = all.iter().position(|it| *it == failed) else {
        return Ok(None);
    };
    match first(conn, policy.tenant_id, &all[at + 1..]).await {
        Ok(found) => Ok(Some(found)),
        Err(Error::Conflict { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

async fn first(conn: &mut Conn, tenant: TenantId, ids: &[RepositoryId]) -> Result<Repository> {
    let mut reasons = Vec::new();
    for id in ids {
        match available(conn, tenant, *id).await {
            Err(error @ (Error::Conflict { .. } | Error::NotFound { .. })) => {
                reasons.push(error.to_string());
            }
            other => return other,
        }
    }
    let reasons = reasons.join("; ");
    let message = format!("none of the policy's repositories is available: {reasons}");
    let kind = ConflictKind::WrongState;
    Err(Error::conflict(kind, "repository", message))
}

async fn available(conn: &mut Conn, tenant: TenantId, id: RepositoryId) -> Result<Repository> {
    let found = find_repository(conn, tenant, id).await?;
    check_takes_backups(&found)?;
    if found.state == RepositoryState::Ready {
        return Ok(found);
    }
    let message = format!("repository `{}` cannot be reached", found.name);
    let kind = ConflictKind::WrongState;
    Err(Error::conflict(kind, "repository", message))
}
