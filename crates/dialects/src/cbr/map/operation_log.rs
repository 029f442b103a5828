//! Operation logs.

use std::collections::HashMap;

use strongroom_domain::{
    Backup, Face, VaultId,
    operation::{Operation, OperationKind, OperationState, Subject},
    query::{Filter, Op, OperationField, Value},
    restore::{Restore, RestoreTarget},
};

use super::{ENTERPRISE_PROJECT, ResourceType, backup::missing, time};
use crate::cbr::{
    error::Result,
    page::{ListLogs, Window, instant, one_of},
    wire,
};

/// What an operation is about, looked up.
#[derive(Debug, Default, Clone)]
pub(in crate::cbr) struct Context {
    /// The backup that is made, restored or deleted.
    pub(in crate::cbr) backup: Option<Backup>,
    /// The restore.
    pub(in crate::cbr) restore: Option<Restore>,
}

/// The kinds that CBR has a word for.
pub(in crate::cbr) fn kinds() -> impl Iterator<Item = OperationKind> {
    let all = OperationKind::ALL.iter().copied();
    all.filter(|kind| word(*kind).is_some())
}

/// The word for a kind of operation; nothing for those that are not shown.
fn word(kind: OperationKind) -> Option<&'static str> {
    use OperationKind as K;
    match kind {
        K::Backup => Some("backup"),
        K::Restore => Some("restore"),
        K::DeleteBackup => Some("delete"),
        K::DeleteVault => Some("vault_delete"),
        K::RemoveResources => Some("remove_resource"),
        K::CopyBackup | K::DeleteCopies | K::Verify | K::Scan | K::Request => None,
    }
}

fn status(state: OperationState) -> &'static str {
    use OperationState as S;
    match state {
        S::Pending => "waiting",
        S::Running => "running",
        S::Succeeded => "success",
        S::Failed | S::Cancelled => "failed",
    }
}

/// One operation.
pub(in crate::cbr) fn log(
    operation: &Operation,
    context: &Context,
    vaults: &HashMap<VaultId, String>,
) -> wire::OperationLog {
    let Operation {
        id,
        tenant_id,
        kind,
        face: _,
        subject,
        state,
        percent,
        error,
        annotations: _,
        created_by: _,
        created_at,
        updated_at,
        started_at,
        finished_at,
    } = operation;
    let backup = context.backup.as_ref();
    let vault_id = match subject {
        Some(Subject::Vault(id)) => Some(*id),
        _ => backup.and_then(|it| it.vault_id),
    };
    let cancelled = (*state == OperationState::Cancelled).then(|| wire::ErrorInfo {
        code: "cancelled".to_owned(),
        message: "It was cancelled on request.".to_owned(),
    });
    let error = error.as_ref().map(|it| wire::ErrorInfo {
        code: it.code.clone(),
        message: it.message.clone(),
    });
    let common = wire::LogCommon {
        progress: *percent,
        request_id: String::new(),
        task_id: id.to_string(),
    };
    wire::OperationLog {
        checkpoint_id: backup
            .and_then(|it| it.checkpoint_id)
            .map(|it| it.to_string()),
        created_at: time(*created_at),
        ended_at: finished_at.map(time),
        error_info: error.or(cancelled).unwrap_or_default(),
        extra_info: extra(*kind, common, context),
        id: id.to_string(),
        operation_type: word(*kind).unwrap_or("sync"),
        policy_id: backup.and_then(|it| it.policy_id).map(|it| it.to_string()),
        project_id: tenant_id.simple(),
        provider_id: backup.map(|it| ResourceType::of(it.kind).provider),
        started_at: time(started_at.unwrap_or(*created_at)),
        status: status(*state),
        updated_at: time(*updated_at),
        vault_id: vault_id.map(|it| it.to_string()),
        vault_name: vault_id.and_then(|it| vaults.get(&it).cloned()),
    }
}

fn extra(kind: OperationKind, common: wire::LogCommon, context: &Context) -> wire::LogExtra {
    let mut extra = wire::LogExtra {
        common,
        ..wire::LogExtra::default()
    };
    let Some(backup) = &context.backup else {
        return extra;
    };
    extra.resource = Some(wire::LogResource {
        id: backup.resource_id.to_string(),
        name: backup.resource_name.clone(),
        kind: ResourceType::of(backup.kind).name,
    });
    let (backup_id, backup_name) = (backup.id.to_string(), backup.name.clone());
    match kind {
        OperationKind::Backup => {
            extra.backup = Some(wire::LogBackup {
                app_consistency_error_code: "0",
                app_consistency_error_message: missing(backup),
                app_consistency_status: "0",
                backup_id,
                backup_name,
                incremental: if backup.parent_id.is_some() {
                    "true"
                } else {
                    "false"
                },
            });
        }
        OperationKind::DeleteBackup => {
            extra.delete = Some(wire::LogDelete {
                backup_id,
                backup_name,
            });
        }
        OperationKind::Restore => {
            let target = context.restore.as_ref().map(|it| &it.target);
            let (id, name) = match target {
                Some(RestoreTarget::Resource { id }) => (id.to_string(), String::new()),
                Some(RestoreTarget::Directory { path }) => (String::new(), path.clone()),
                Some(RestoreTarget::Original) | None => {
                    (backup.resource_id.to_string(), backup.resource_name.clone())
                }
            };
            extra.restore = Some(wire::LogRestore {
                backup_id,
                backup_name,
                target_resource_id: id,
                target_resource_name: name,
            });
        }
        OperationKind::DeleteVault
        | OperationKind::RemoveResources
        | OperationKind::CopyBackup
        | OperationKind::DeleteCopies
        | OperationKind::Verify
        | OperationKind::Scan
        | OperationKind::Request => {}
    }
    extra
}

/// What a client asked for.
#[derive(Debug)]
pub(in crate::cbr) struct LogQuery {
    /// What the operations alone decide.
    pub(in crate::cbr) filter: Filter<OperationField>,
    /// The page.
    pub(in crate::cbr) window: Window,
    wanted: ListLogs,
}

/// Every type and status that CBR has; some of them no operation here ever has.
const TYPES: &[&str] = &[
    "backup",
    "copy",
    "replication",
    "delete",
    "restore",
    "vault_delete",
    "remove_resource",
    "sync",
];
const STATUSES: &[&str] = &[
    "success", "skipped", "failed", "running", "timeout", "waiting",
];

/// Reads the query.
pub(in crate::cbr) fn log_query(query: ListLogs) -> Result<LogQuery> {
    let window = Window::new(query.limit, query.offset)?;
    let mut all = vec![Filter::eq(OperationField::Face, Face::Cbr.as_str())];
    let given = |text: &Option<String>| text.clone().filter(|it| !it.is_empty());
    let kind = given(&query.operation_type);
    if let Some(kind) = &kind {
        one_of("operation_type", kind, TYPES)?;
    }
    let wanted = kinds().filter(|it| kind.is_none() || word(*it) == kind.as_deref());
    let values: Vec<Value> = wanted.map(|it| it.as_str().into()).collect();
    all.push(Filter::In(OperationField::Kind, values));
    if let Some(wanted) = given(&query.status) {
        one_of("status", &wanted, STATUSES)?;
        let states = OperationState::ALL.iter();
        let states = states.filter(|it| status(**it) == wanted);
        let states = states.map(|it| it.as_str().into()).collect();
        all.push(Filter::In(OperationField::State, states));
    }
    for (op, name, text) in [
        (Op::Ge, "start_time", &query.start_time),
        (Op::Le, "end_time", &query.end_time),
    ] {
        if let Some(text) = given(text) {
            let at = instant(name, &text)?;
            all.push(Filter::Compare(OperationField::CreatedAt, op, at.into()));
        }
    }
    Ok(LogQuery {
        filter: Filter::All(all),
        window,
        wanted: query,
    })
}

impl LogQuery {
    /// Whether it takes more than the operations alone to decide.
    pub(in crate::cbr) fn needs_context(&self) -> bool {
        let it = &self.wanted;
        let fields = [
            &it.provider_id,
            &it.resource_id,
            &it.resource_name,
            &it.vault_id,
            &it.vault_name,
            &it.enterprise_project_id,
        ];
        fields.into_iter().flatten().any(|text| !text.is_empty())
    }

    /// Whether a log has what it takes more than the operation to know.
    pub(in crate::cbr) fn takes(&self, log: &wire::OperationLog) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted
                .as_deref()
                .is_none_or(|it| it.is_empty() || found == Some(it))
        };
        let resource = log.extra_info.resource.as_ref();
        let it = &self.wanted;
        let enterprise = it.enterprise_project_id.as_deref();
        is(&it.provider_id, log.provider_id)
            && is(&it.resource_id, resource.map(|it| it.id.as_str()))
            && is(&it.resource_name, resource.map(|it| it.name.as_str()))
            && is(&it.vault_id, log.vault_id.as_deref())
            && is(&it.vault_name, log.vault_name.as_deref())
            && (enterprise == Some("all_granted_eps")
                || is(&it.enterprise_project_id, Some(ENTERPRISE_PROJECT)))
    }
}
