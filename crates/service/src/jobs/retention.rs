//! Applying a policy's retention: which of its backups go, and why the others stay.

use std::collections::BTreeMap;

use serde_json::json;
use strongroom_domain::{
    Backup, BackupState, Page, PolicyId, ResourceId, TenantId,
    job::{Lock, Work},
    operation::{OperationKind, Subject},
    policy::Policy,
    query::{BackupField, Filter},
    retention::{Candidate, Decision},
};
use strongroom_store::{Conn, Tx};

use super::{Attempt, Stop};
use crate::{Result, Service, records::MAINTENANCE};

/// How many of the backups that stay an event names.
const MAX_NAMED: usize = 50;

/// Decides about all backups of the policy, resource by resource, and queues the deletion of
/// those that go.
pub(super) async fn run(attempt: &Attempt, id: PolicyId) -> Result<(), Stop> {
    let tenant = attempt.job.tenant_id;
    let mut tx = attempt.begin().await?;
    // A policy that is off, or gone, removes nothing.
    let policy = tx.policy(tenant, id).await?.filter(|policy| policy.enabled);
    if let Some(policy) = policy.filter(|policy| !policy.retention.is_unlimited()) {
        let filter = Filter::eq(BackupField::PolicyId, id.uuid());
        let backups = tx
            .list_backups(tenant, &filter, &[], &Page::ALL)
            .await?
            .items;
        let mut by_resource = BTreeMap::<ResourceId, Vec<Backup>>::new();
        for backup in backups {
            by_resource
                .entry(backup.resource_id)
                .or_default()
                .push(backup);
        }
        for backups in by_resource.into_values() {
            apply(attempt, &mut tx, &policy, backups).await?;
        }
    }
    attempt.complete(tx).await
}

async fn apply(
    attempt: &Attempt,
    tx: &mut Tx,
    policy: &Policy,
    backups: Vec<Backup>,
) -> Result<(), Stop> {
    let service = &attempt.service;
    let mut candidates = Vec::with_capacity(backups.len());
    for backup in &backups {
        candidates.push(candidate(tx, backup).await?);
    }
    let decisions = policy.retention.decide(&candidates, service.now());
    let kept = decisions.iter().filter(|it| it.keep).take(MAX_NAMED);
    let kept: Vec<_> = kept.map(reasons).collect();
    for (backup, decision) in backups.into_iter().zip(&decisions) {
        if decision.keep || !backup.state.next().contains(&BackupState::Deleting) {
            continue;
        }
        let details = json!({
            "policy": policy.name,
            "name": backup.name,
            "resource": backup.resource_name,
            "rules": policy.retention,
            "kept": kept,
        });
        let subject = Subject::Backup(backup.id);
        let event = service.system_event(backup.tenant_id, "backup.expired", subject, details);
        tx.insert_event(&event).await?;
        let operation =
            service.system_operation(backup.tenant_id, OperationKind::DeleteBackup, Some(subject));
        service.queue_deletion(tx, backup, &operation).await?;
    }
    Ok(())
}

/// What retention needs to know of a backup.
pub(crate) async fn candidate(conn: &mut Conn, backup: &Backup) -> Result<Candidate, Stop> {
    let restores = conn
        .active_restores_of_backup(backup.tenant_id, backup.id)
        .await?;
    Ok(Candidate {
        id: backup.id,
        at: backup
            .scheduled_for
            .or(backup.started_at)
            .unwrap_or(backup.created_at),
        state: backup.state,
        held: !restores.is_empty(),
    })
}

fn reasons(decision: &Decision) -> serde_json::Value {
    let reasons: Vec<_> = decision.reasons.iter().map(|it| it.as_str()).collect();
    json!({ "backup": decision.id, "because": reasons })
}

impl Service {
    /// Queues the application of a policy's retention, unless it waits already.
    pub(crate) async fn queue_retention(
        &self,
        tx: &mut Tx,
        tenant: TenantId,
        policy: PolicyId,
    ) -> Result<()> {
        let locks = vec![Lock::exclusive(format!("retention:{policy}"))];
        let job = self.job(
            tenant,
            Work::ApplyRetention { policy },
            locks,
            MAINTENANCE,
            None,
        );
        self.enqueue_once(tx, &job).await
    }
}
