//! What an answer needs to know besides the thing itself. Nothing is decided here: each function
//! asks the core and hands the answers to `map`.

use std::collections::{HashMap, HashSet};

use strongroom_domain::{
    Backup, BackupId, Face, OperationId, Page, PolicyId, Resource, ResourceKind, Secret, Start,
    VaultId,
    operation::{Operation, Subject},
    policy::Policy,
    query::{BackupField, Direction, Filter, OperationField, Sort, Value},
    restore::{Restore, RestoreState, RestoreTarget},
};
use strongroom_http::auth::keystone;
use strongroom_service::{
    Caller, Error as Core, Service, identity::PasswordForm, resources::ResourceFilter,
    vaults::VaultUsage,
};

use super::{
    error::{Error, Result},
    map::{self, BackupQuery, Context, LogQuery, LoginAs, Members},
    wire,
};

/// How many of the newest operations are looked at when more than they decide.
const RECENT_OPERATIONS: u64 = 10_000;

/// Whoever logs in, if the password or token is right.
pub(super) async fn login(service: &Service, login: &LoginAs<'_>) -> Result<Caller, Core> {
    match *login {
        LoginAs::Password {
            tenant,
            name,
            password,
        } => {
            let password = PasswordForm::Plain(Secret::new(password));
            service.password_caller(tenant, name, password).await
        }
        LoginAs::Token(token) => keystone::caller(service, token).await,
    }
}

/// The backup with that id, if this face shows it.
pub(super) async fn backup(service: &Service, caller: &Caller, id: &str) -> Result<Backup> {
    let not_found = || Core::not_found("backup", id);
    let id = id.parse::<BackupId>().map_err(|_| not_found())?;
    let found = service.backup(caller, id).await?;
    if found.face == Some(Face::Cbr) {
        return Ok(found);
    }
    Err(not_found().into())
}

/// The vault with that id.
pub(super) async fn vault(service: &Service, caller: &Caller, id: &str) -> Result<VaultUsage> {
    let parsed = id.parse::<VaultId>();
    let parsed = parsed.map_err(|_| Core::not_found("vault", id))?;
    Ok(service.vault(caller, parsed).await?)
}

/// The policy with that id, if this face made it.
pub(super) async fn policy(service: &Service, caller: &Caller, id: &str) -> Result<Policy> {
    let not_found = || Core::not_found("policy", id);
    let id = id.parse::<PolicyId>().map_err(|_| not_found())?;
    let found = service.policy(caller, id).await?;
    if found.face == Some(Face::Cbr) {
        return Ok(found);
    }
    Err(not_found().into())
}

/// The restores that go on.
async fn active_restores(service: &Service, caller: &Caller) -> Result<Vec<Restore>> {
    let active = RestoreState::active();
    let found = service
        .list_restores(caller, &active, &[], &Page::ALL)
        .await?;
    Ok(found.items)
}

/// The backups that are being restored.
pub(super) async fn restoring(service: &Service, caller: &Caller) -> Result<HashSet<BackupId>> {
    let active = active_restores(service, caller).await?;
    Ok(active.into_iter().map(|it| it.backup_id).collect())
}

/// The resources that this face shows, of one kind or all.
pub(super) async fn resources(
    service: &Service,
    caller: &Caller,
    kind: Option<ResourceKind>,
) -> Result<Vec<Resource>> {
    let filter = ResourceFilter {
        face: Some(Face::Cbr),
        kind,
        ..ResourceFilter::default()
    };
    let all = service.list_resources(caller, &filter, &Page::ALL).await?;
    Ok(all.items)
}

/// The resources that this face shows, and what is being done with them.
pub(super) async fn members(service: &Service, caller: &Caller) -> Result<Members> {
    let mut restoring = HashSet::new();
    for restore in active_restores(service, caller).await? {
        restoring.insert(match restore.target {
            RestoreTarget::Resource { id } => id,
            RestoreTarget::Original | RestoreTarget::Directory { .. } => restore.resource_id,
        });
    }
    let resources = map::members(resources(service, caller, None).await?);
    let being_made = map::being_made();
    let active = service.list_backups(caller, &being_made, &[], &Page::ALL);
    let protecting = active.await?.items.into_iter().map(|it| it.resource_id);
    Ok(Members {
        protecting: protecting.collect(),
        resources,
        restoring,
    })
}

/// A vault as it is now.
pub(super) async fn shown_vault(
    service: &Service,
    caller: &Caller,
    id: VaultId,
    members: &Members,
) -> Result<wire::VaultEnvelope> {
    let usage = service.vault(caller, id).await?;
    let vault = map::vault(&usage, members);
    Ok(wire::VaultEnvelope { vault })
}

/// The resources of a kind, each with the vault it is in; none if there is no such kind.
pub(super) async fn instances(
    service: &Service,
    caller: &Caller,
    kind: Option<ResourceKind>,
) -> Result<Vec<wire::Instance>> {
    let Some(kind) = kind else {
        return Ok(Vec::new());
    };
    let members = members(service, caller).await?;
    let vaults = service.list_vaults(caller).await?;
    let resources = resources(service, caller, Some(kind)).await?;
    let shown = resources.iter().map(|it| {
        let vault = vaults
            .iter()
            .find(|usage| usage.vault.resources.contains(&it.id));
        map::instance(it, vault.map(|usage| map::vault(usage, &members)))
    });
    Ok(shown.collect())
}

/// The page of backups that a query asks for.
pub(super) async fn backups(
    service: &Service,
    caller: &Caller,
    query: &BackupQuery,
) -> Result<wire::BackupList> {
    let restoring = restoring(service, caller).await?;
    let vaults = match query.used_percent {
        Some(percent) => Some(fuller_than(service, caller, percent).await?),
        None => None,
    };
    let filter = query.filter(&restoring, vaults);
    let window = query.window;
    let start = Start::Offset(window.offset.min(i64::MAX.unsigned_abs()));
    let Some(marker) = query.marker else {
        let page = Page {
            limit: window.limit,
            start,
            total: true,
        };
        let found = service
            .list_backups(caller, &filter, &query.sort, &page)
            .await?;
        let count = found.total.unwrap_or_default();
        return Ok(map::backup_list(&found.items, count, window, &restoring));
    };
    let last = service.backup(caller, marker).await;
    let last = last.map_err(|_| Error::invalid("marker", "there is no such backup"))?;
    // The total does not depend on where the page begins.
    let first = Page::offset(1, 0);
    let all = service.list_backups(caller, &filter, &query.sort, &first);
    let count = all.await?.total.unwrap_or_default();
    let page = Page {
        limit: window.limit,
        start,
        total: false,
    };
    let rest = filter.and(query.after(&last));
    let found = service
        .list_backups(caller, &rest, &query.sort, &page)
        .await?;
    Ok(map::backup_list(&found.items, count, window, &restoring))
}

/// The vaults that are used to at least `percent` of their capacity.
async fn fuller_than(service: &Service, caller: &Caller, percent: u64) -> Result<Vec<VaultId>> {
    let vaults = service.list_vaults(caller).await?;
    let full = vaults.into_iter().filter(|it| {
        let used = u128::from(it.used_bytes) * 100;
        used >= u128::from(it.vault.quota_bytes) * u128::from(percent)
    });
    Ok(full.map(|it| it.vault.id).collect())
}

/// The vaults that each policy runs.
pub(super) async fn vaults_of_policies(
    service: &Service,
    caller: &Caller,
) -> Result<HashMap<PolicyId, Vec<VaultId>>> {
    let mut vaults: HashMap<_, Vec<_>> = HashMap::new();
    for it in service.list_vaults(caller).await? {
        if let Some(policy) = it.vault.policy_id {
            vaults.entry(policy).or_default().push(it.vault.id);
        }
    }
    Ok(vaults)
}

/// The log of one operation, if this face shows it.
pub(super) async fn log(
    service: &Service,
    caller: &Caller,
    id: &str,
) -> Result<wire::OperationLog> {
    let not_found = || Core::not_found("operation", id);
    let parsed = id.parse::<OperationId>().map_err(|_| not_found())?;
    let operation = service.operation(Some(caller), parsed).await?;
    let shown = operation.face == Some(Face::Cbr);
    if !shown || map::log_kinds().all(|kind| kind != operation.kind) {
        return Err(not_found().into());
    }
    let logs = logs_of(service, caller, &[operation]).await?;
    logs.into_iter().next().ok_or_else(|| not_found().into())
}

/// The page of operation logs that a query asks for, newest first.
pub(super) async fn logs(
    service: &Service,
    caller: &Caller,
    query: &LogQuery,
) -> Result<wire::OperationLogList> {
    let window = query.window;
    let newest_first = [Sort::new(OperationField::CreatedAt, Direction::Descending)];
    let wide = query.needs_context();
    let page = if wide {
        Page::offset(RECENT_OPERATIONS, 0)
    } else {
        Page::offset(window.limit, window.offset.min(i64::MAX.unsigned_abs()))
    };
    let found = service
        .list_operations(caller, &query.filter, &newest_first, &page)
        .await?;
    let mut operation_logs = logs_of(service, caller, &found.items).await?;
    let mut count = found.total.unwrap_or_default();
    if wide {
        operation_logs.retain(|it| query.takes(it));
        count = operation_logs.len() as u64;
        operation_logs = window.cut(operation_logs);
    }
    Ok(wire::OperationLogList {
        count,
        limit: window.limit,
        offset: window.offset,
        operation_logs,
    })
}

async fn logs_of(
    service: &Service,
    caller: &Caller,
    operations: &[Operation],
) -> Result<Vec<wire::OperationLog>> {
    let vaults = service.list_vaults(caller).await?.into_iter();
    let vaults = vaults.map(|it| (it.vault.id, it.vault.name)).collect();
    let backups = living_backups(service, caller, operations).await?;
    let mut logs = Vec::with_capacity(operations.len());
    for operation in operations {
        let context = context(service, caller, operation, &backups).await?;
        logs.push(map::log(operation, &context, &vaults));
    }
    Ok(logs)
}

/// The backups that operations are about and that are not deleted, in one go.
async fn living_backups(
    service: &Service,
    caller: &Caller,
    operations: &[Operation],
) -> Result<HashMap<BackupId, Backup>> {
    let ids = operations.iter().filter_map(|it| match it.subject {
        Some(Subject::Backup(id)) => Some(id.uuid()),
        _ => None,
    });
    let ids: HashSet<_> = ids.collect();
    let filter = Filter::In(BackupField::Id, ids.into_iter().map(Value::Id).collect());
    let found = service
        .list_backups(caller, &filter, &[], &Page::ALL)
        .await?;
    Ok(found.items.into_iter().map(|it| (it.id, it)).collect())
}

async fn context(
    service: &Service,
    caller: &Caller,
    operation: &Operation,
    living: &HashMap<BackupId, Backup>,
) -> Result<Context> {
    let mut context = Context::default();
    match operation.subject {
        Some(Subject::Backup(id)) => {
            context.backup = match living.get(&id) {
                Some(backup) => Some(backup.clone()),
                // One that was deleted since is still in the record of what was done to it.
                None => service.operation_result(operation.id).await?.backup,
            };
        }
        Some(Subject::Restore(id)) => {
            let restore = service.restore(caller, id).await?;
            context.backup = if_found(service.backup(caller, restore.backup_id).await)?;
            context.restore = Some(restore);
        }
        _ => {}
    }
    Ok(context)
}

/// What was looked for, unless there is no such thing; other errors stay errors.
pub(super) fn if_found<T>(
    answer: strongroom_service::Result<T>,
) -> strongroom_service::Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(strongroom_service::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
