//! Applying a policy's retention: which of its backups go, and why the others stay.
//!
//! Where a policy has copies made, there are two decisions, each with rules of its own: about the
//! backups where they were made, and about the copies. Neither looks at the other, but for one
//! thing: a backup whose copy is still being made stays until it is.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use strongroom_domain::{
    Backup, BackupId, BackupState, Page, PolicyId, RepositoryId, ResourceId, TenantId,
    job::{Lock, Work},
    operation::{OperationKind, Subject},
    policy::Policy,
    query::{BackupField, Filter},
    retention::{Candidate, Decision, Retention},
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
    if let Some(policy) = policy {
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

/// One resource's backups of a policy, where they were made, and their copies.
async fn apply(
    attempt: &Attempt,
    tx: &mut Tx,
    policy: &Policy,
    backups: Vec<Backup>,
) -> Result<(), Stop> {
    let Some(copy) = &policy.copy_to else {
        return apply_to(attempt, tx, policy, &policy.retention, each(backups)).await;
    };
    let to = copy.repository_id;
    let ids: Vec<_> = backups.iter().map(|it| it.id).collect();
    let copies = tx.copies_of(policy.tenant_id, &ids).await?;
    let there = copies.iter().filter(|it| it.repository_id == to);
    let there: HashMap<_, _> = there.map(|it| (it.backup_id, it)).collect();
    let (mut made, mut copied, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for backup in backups {
        let place = Place {
            state: backup.state,
            awaited: false,
            from: Vec::new(),
            backup,
        };
        if place.backup.repository_id == to {
            // Removed where it was made, it lies where its copy was.
            copied.push(place);
            continue;
        }
        let found = there.get(&place.backup.id);
        if let Some(copy) = found {
            let copy_place = Place {
                state: copy.state,
                from: vec![to],
                ..place.clone()
            };
            copied.push(copy_place.clone());
            if copy.state == BackupState::Running {
                waiting.push(copy_place);
            }
        }
        let elsewhere = copies.iter().filter(|it| it.backup_id == place.backup.id);
        let elsewhere = elsewhere.map(|it| it.repository_id).filter(|it| *it != to);
        made.push(Place {
            awaited: found.is_some_and(|it| it.state == BackupState::Running),
            from: std::iter::once(place.backup.repository_id)
                .chain(elsewhere)
                .collect(),
            ..place
        });
    }
    let given_up = give_up(attempt, tx, (to, &copy.retention), &copied, waiting).await?;
    for place in &mut made {
        place.awaited &= !given_up.contains(&place.backup.id);
    }
    // The copies first: one that goes does not take the place of its backup.
    apply_to(attempt, tx, policy, &copy.retention, copied).await?;
    apply_to(attempt, tx, policy, &policy.retention, made).await
}

/// A backup where retention looks at it.
#[derive(Clone)]
struct Place {
    backup: Backup,
    /// Its state there.
    state: BackupState,
    /// A copy of it is still being made.
    awaited: bool,
    /// What it goes from; everywhere if nothing.
    from: Vec<RepositoryId>,
}

fn each(backups: Vec<Backup>) -> Vec<Place> {
    let place = |backup: Backup| Place {
        state: backup.state,
        awaited: false,
        from: Vec::new(),
        backup,
    };
    backups.into_iter().map(place).collect()
}

async fn apply_to(
    attempt: &Attempt,
    tx: &mut Tx,
    policy: &Policy,
    rules: &Retention,
    places: Vec<Place>,
) -> Result<(), Stop> {
    if rules.is_unlimited() {
        return Ok(());
    }
    let service = &attempt.service;
    let mut candidates = Vec::with_capacity(places.len());
    for place in &places {
        candidates.push(candidate(tx, place).await?);
    }
    let decisions = rules.decide(&candidates, service.now());
    let kept = decisions.iter().filter(|it| it.keep).take(MAX_NAMED);
    let kept: Vec<_> = kept.map(reasons).collect();
    for (place, decision) in places.into_iter().zip(&decisions) {
        if decision.keep || !place.state.next().contains(&BackupState::Deleting) {
            continue;
        }
        let details = json!({
            "policy": policy.name,
            "name": place.backup.name,
            "resource": place.backup.resource_name,
            "rules": rules,
            "kept": kept,
        });
        remove(attempt, tx, place, details).await?;
    }
    Ok(())
}

/// Drops the copies that are not made yet and that would have to go at once if they were; says
/// of what.
async fn give_up(
    attempt: &Attempt,
    tx: &mut Tx,
    (to, rules): (RepositoryId, &Retention),
    copied: &[Place],
    waiting: Vec<Place>,
) -> Result<Vec<BackupId>, Stop> {
    if rules.is_unlimited() || waiting.is_empty() {
        return Ok(Vec::new());
    }
    let mut candidates = Vec::with_capacity(copied.len());
    for place in copied {
        let as_made = if place.state == BackupState::Running {
            place.backup.state
        } else {
            place.state
        };
        candidates.push(Candidate {
            state: as_made,
            ..candidate(tx, place).await?
        });
    }
    let decisions = rules.decide(&candidates, attempt.service.now());
    let mut given_up = Vec::new();
    for place in waiting {
        let id = place.backup.id;
        let stays = decisions.iter().any(|it| it.id == id && it.keep);
        if !stays {
            let service = &attempt.service;
            if service.drop_waiting(tx, &place.backup, to).await? {
                given_up.push(id);
            }
        }
    }
    Ok(given_up)
}

async fn remove(
    attempt: &Attempt,
    tx: &mut Tx,
    place: Place,
    mut details: serde_json::Value,
) -> Result<(), Stop> {
    let service = &attempt.service;
    let Place { backup, from, .. } = place;
    let (tenant, subject) = (backup.tenant_id, Subject::Backup(backup.id));
    let kind = if from.is_empty() {
        OperationKind::DeleteBackup
    } else {
        details["repositories"] = json!(from);
        OperationKind::DeleteCopies
    };
    let event = service.system_event(tenant, "backup.expired", subject, details);
    tx.insert_event(&event).await?;
    let operation = service.system_operation(tenant, kind, Some(subject));
    if from.is_empty() {
        service.queue_deletion(tx, backup, &operation).await?;
    } else {
        service.queue_removal(tx, backup, &from, operation).await?;
    }
    Ok(())
}

/// What retention needs to know of a backup.
async fn candidate(conn: &mut Conn, place: &Place) -> Result<Candidate, Stop> {
    let backup = &place.backup;
    let restores = conn
        .active_restores_of_backup(backup.tenant_id, backup.id)
        .await?;
    Ok(Candidate {
        id: backup.id,
        at: backup
            .scheduled_for
            .or(backup.started_at)
            .unwrap_or(backup.created_at),
        state: place.state,
        held: place.awaited || !restores.is_empty(),
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
