//! The scheduler: starts the policies that are due, lets backups go whose time is over, and has
//! repositories checked.
//!
//! It takes no input: woken by time or a change, it works everything out from the catalog. One
//! process at a time does it, but nothing depends on that: an occurrence is made once because the
//! catalog has one row per policy, resource and occurrence.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use strongroom_domain::{
    Backup, BackupState, Page, PrincipalId, ResourceId, VaultId,
    job::Job,
    operation::{OperationKind, Subject},
    policy::{Policy, PolicyTarget},
    query::{BackupField, Filter, Value},
    repository::RepositoryState,
};
use strongroom_store::{Conn, Tx};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{
    ConflictKind, Error, Result, Service,
    backups::request::Origin,
    error::chain,
    policies::{NO_REPOSITORY, next_run, places},
    records::MAINTENANCE,
    vaults::checkpoints::CheckpointPlan,
};

/// The lease of whoever schedules.
const LEASE: &str = "scheduler";
/// Rows looked at in one go.
const BATCH: u32 = 100;
/// Backups whose time is over looked at in one go; the last good copies among them stay, and must
/// not hide the others.
const MANY: u32 = 10_000;
/// How long finished jobs, ended sessions and answered keys are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How soon a repository that could not be reached is looked at again.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// Why nothing was started, in one word and for people.
struct Skip {
    code: &'static str,
    reason: String,
}

impl Skip {
    fn new(code: &'static str, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { code, reason }
    }
}

/// Schedules until told to stop.
pub(crate) async fn run(service: Service, owner: String, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let tick = service.inner().config.tick;
        let lease = tick * 3;
        match service.store().acquire_lease(LEASE, &owner, lease).await {
            Ok(Some(_)) => {
                if let Err(error) = service.schedule().await {
                    tracing::error!(error = chain(&error), "scheduling failed");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(error = chain(&error), "no lease to schedule"),
        }
        let wait = service.until_next_run(tick).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = service.inner().policies_changed.notified() => {}
            () = time::sleep(wait) => {}
        }
    }
    if let Err(error) = service.store().release_lease(LEASE, &owner).await {
        tracing::warn!(error = chain(&error), "scheduler's lease not released");
    }
}

impl Service {
    /// Does everything that is due now. Safe to call at any time, from several processes.
    pub async fn schedule(&self) -> Result<()> {
        self.start_due_policies().await?;
        self.expire_backups().await?;
        self.resume_copies().await?;
        self.queue_checks().await?;
        self.purge().await
    }

    /// How long nothing will be due, `at_most` at most.
    async fn until_next_run(&self, at_most: Duration) -> Duration {
        let next = match self.read().await {
            Ok(mut read) => read.next_policy_run().await.ok().flatten(),
            Err(_) => None,
        };
        let left = next.map_or(at_most, |next| {
            Duration::try_from(next.duration_since(self.now())).unwrap_or_default()
        });
        left.clamp(Duration::from_millis(100), at_most)
    }

    async fn start_due_policies(&self) -> Result<()> {
        loop {
            let due = self.read().await?.due_policies(self.now(), BATCH).await?;
            if due.is_empty() {
                return Ok(());
            }
            for policy in due {
                let id = policy.id;
                match self.start_due_policy(policy).await {
                    // Changed or started by somebody else at the same moment.
                    Err(Error::Conflict {
                        kind: ConflictKind::VersionMismatch,
                        ..
                    }) => {}
                    Err(error) => {
                        tracing::error!(policy.id = %id, error = chain(&error), "policy not started");
                        return Err(error);
                    }
                    Ok(()) => {}
                }
            }
        }
    }

    /// Starts a policy for the occurrence that it has to act on, if any, and sets its next one.
    async fn start_due_policy(&self, policy: Policy) -> Result<()> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let Some(mut policy) = tx.policy(policy.tenant_id, policy.id).await? else {
            return Ok(());
        };
        let due = policy.next_run.is_some_and(|at| at <= now) && policy.enabled;
        if !due {
            return Ok(());
        }
        let occurrence = policy.schedule.due(policy.created_at, policy.last_run, now);
        if let Some(at) = occurrence {
            self.start_policy(&mut tx, &policy, Some(at), None).await?;
        } else {
            let details = json!({ "missed": policy.next_run });
            let subject = Subject::Policy(policy.id);
            let event = self.system_event(policy.tenant_id, "policy.missed", subject, details);
            tx.insert_event(&event).await?;
        }
        policy.last_run = occurrence.or(policy.next_run);
        policy.next_run = next_run(&policy, now);
        tx.update_policy(&policy).await?;
        tx.commit().await?;
        self.nudge();
        Ok(())
    }

    /// Queues the backups of a policy's targets. What cannot be started is an event, so that one
    /// target never holds up the others.
    pub(crate) async fn start_policy(
        &self,
        tx: &mut Tx,
        policy: &Policy,
        occurrence: Option<Timestamp>,
        by: Option<PrincipalId>,
    ) -> Result<()> {
        let (resources, vaults) = targets(tx, policy).await?;
        for id in vaults {
            if let Some(skip) = self.start_vault(tx, policy, id, occurrence, by).await? {
                self.skip(tx, policy, Subject::Vault(id), &skip).await?;
            }
        }
        for id in resources {
            if let Some(skip) = self.start_resource(tx, policy, id, occurrence, by).await? {
                self.skip(tx, policy, Subject::Resource(id), &skip).await?;
            }
        }
        Ok(())
    }

    /// Queues a checkpoint of a vault; gives the reason if it cannot.
    async fn start_vault(
        &self,
        tx: &mut Tx,
        policy: &Policy,
        id: VaultId,
        scheduled_for: Option<Timestamp>,
        created_by: Option<PrincipalId>,
    ) -> Result<Option<Skip>> {
        let Some(vault) = tx.vault(policy.tenant_id, id).await? else {
            return Ok(Some(Skip::new("gone", "the vault is gone")));
        };
        let mut resources = Vec::new();
        for resource in &vault.resources {
            match self.is_going_on(tx, policy, *resource).await? {
                Some(skip) => {
                    let subject = Subject::Resource(*resource);
                    self.skip(tx, policy, subject, &skip).await?;
                }
                None => resources.push(resource.to_string()),
            }
        }
        let plan = CheckpointPlan {
            resources: Some(resources),
            name: Some(self.scheduled_name(policy)),
            automatic: true,
            policy_id: Some(policy.id),
            scheduled_for,
            created_by,
            face: policy.face,
            ..CheckpointPlan::default()
        };
        reason_of(self.start_checkpoint(tx, &vault, plan).await.map(drop))
    }

    /// Queues a backup of a resource; gives the reason if it cannot.
    async fn start_resource(
        &self,
        tx: &mut Tx,
        policy: &Policy,
        id: ResourceId,
        scheduled_for: Option<Timestamp>,
        created_by: Option<PrincipalId>,
    ) -> Result<Option<Skip>> {
        let found = tx.resource(policy.tenant_id, id).await?;
        let Some(resource) = found.filter(|resource| resource.deleted_at.is_none()) else {
            return Ok(Some(Skip::new("gone", "the resource is gone")));
        };
        if let Some(skip) = self.is_going_on(tx, policy, id).await? {
            return Ok(Some(skip));
        }
        let repository = match places::choose(tx, policy).await {
            Ok(repository) => repository,
            Err(error) => {
                let skip = reason_of(Err(error))?;
                let code = NO_REPOSITORY;
                return Ok(skip.map(|it| Skip { code, ..it }));
            }
        };
        let origin = Origin {
            name: Some(self.scheduled_name(policy)),
            policy_id: Some(policy.id),
            scheduled: true,
            scheduled_for,
            created_by,
            labels: policy.labels.clone(),
            ..Origin::default()
        };
        let backup = self.new_backup(&resource, &repository, origin);
        let subject = Some(Subject::Backup(backup.id));
        let mut operation = self.system_operation(policy.tenant_id, OperationKind::Backup, subject);
        operation.face = policy.face;
        operation.created_by = created_by;
        self.queue_backup(tx, &backup, &operation).await?;
        Ok(None)
    }

    /// Whether the policy's last backup of the resource has not ended; another one behind it
    /// would only queue up.
    async fn is_going_on(
        &self,
        conn: &mut Conn,
        policy: &Policy,
        resource: ResourceId,
    ) -> Result<Option<Skip>> {
        let active = BackupState::ALL.iter().filter(|state| state.is_active());
        let active = active.map(|state| Value::from(state.as_str())).collect();
        let filter = Filter::eq(BackupField::PolicyId, policy.id.uuid())
            .and(Filter::eq(BackupField::ResourceId, resource.uuid()))
            .and(Filter::In(BackupField::State, active));
        let count = conn.count_backups(policy.tenant_id, &filter).await?;
        Ok((count > 0).then(|| Skip::new("going_on", "its last backup has not ended")))
    }

    async fn skip(
        &self,
        tx: &mut Tx,
        policy: &Policy,
        subject: Subject,
        skip: &Skip,
    ) -> Result<()> {
        let details = json!({
            "policy": policy.name,
            "policy_id": policy.id,
            "code": skip.code,
            "reason": skip.reason,
        });
        let event = self.system_event(policy.tenant_id, "policy.skipped", subject, details);
        Ok(tx.insert_event(&event).await?)
    }

    /// `<policy>-` and five letters or digits.
    fn scheduled_name(&self, policy: &Policy) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let id = self.uuid();
        let tail = id.as_bytes()[11..].iter();
        let tail: String = tail
            .map(|it| char::from(ALPHABET[usize::from(it % 32)]))
            .collect();
        format!("{}-{tail}", policy.name)
    }

    /// Deletes the backups whose time is over, except the last good one of a resource.
    async fn expire_backups(&self) -> Result<()> {
        let expired = self.read().await?.expired_backups(self.now(), MANY).await?;
        for backup in expired {
            let mut tx = self.begin().await?;
            if is_last_good(&mut tx, &backup).await? {
                continue;
            }
            let subject = Subject::Backup(backup.id);
            let details = json!({ "name": backup.name, "expired_at": backup.expires_at });
            let event = self.system_event(backup.tenant_id, "backup.expired", subject, details);
            tx.insert_event(&event).await?;
            let operation =
                self.system_operation(backup.tenant_id, OperationKind::DeleteBackup, Some(subject));
            match self.queue_deletion(&mut tx, backup, &operation).await {
                Ok(()) => tx.commit().await?,
                // A restore reads it; it goes next time.
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
            self.nudge();
        }
        Ok(())
    }

    /// Sees to it that the next check of each repository is queued.
    async fn queue_checks(&self) -> Result<()> {
        let regular = self.inner().config.verify_every;
        for repository in self.read().await?.all_repositories().await? {
            let every = match repository.state {
                RepositoryState::Ready => regular,
                RepositoryState::Unavailable => regular.min(LOOK_AGAIN),
            };
            let mut job = self.verify_job(&repository, MAINTENANCE, None);
            job.run_at = job.run_at.checked_add(every).unwrap_or(job.run_at);
            let mut tx = self.begin().await?;
            let subject = Subject::Repository(repository.id);
            let unfinished = tx.unfinished_jobs_about(subject).await?;
            let in_time = |it: &Job| it.work == job.work && it.run_at <= job.run_at;
            if !unfinished.iter().any(in_time) {
                tx.enqueue(&job).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Removes records that nobody will ask for any more.
    async fn purge(&self) -> Result<()> {
        let now = self.now();
        let before = now.checked_sub(KEPT).unwrap_or(now);
        let mut tx = self.begin().await?;
        tx.purge_jobs(before).await?;
        tx.purge_sessions(before).await?;
        tx.purge_credentials(before).await?;
        tx.purge_idempotency(now).await?;
        Ok(tx.commit().await?)
    }
}

/// What a policy protects: what it names, and the vaults that name it. A resource is not backed
/// up twice because its vault is a target too.
async fn targets(
    conn: &mut Conn,
    policy: &Policy,
) -> Result<(BTreeSet<ResourceId>, BTreeSet<VaultId>)> {
    let (mut resources, mut vaults) = (BTreeSet::new(), BTreeSet::new());
    for target in &policy.targets {
        match *target {
            PolicyTarget::Resource(id) => resources.insert(id),
            PolicyTarget::Vault(id) => vaults.insert(id),
        };
    }
    for vault in conn.vaults_of_policy(policy.tenant_id, policy.id).await? {
        vaults.insert(vault.id);
    }
    for id in &vaults {
        if let Some(vault) = conn.vault(policy.tenant_id, *id).await? {
            for member in vault.resources {
                resources.remove(&member);
            }
        }
    }
    Ok((resources, vaults))
}

/// Turns what is wrong with a target into a reason; everything else is an error.
fn reason_of(done: Result<()>) -> Result<Option<Skip>> {
    match done {
        Ok(()) => Ok(None),
        Err(error @ (Error::Conflict { .. } | Error::NotFound { .. })) => {
            Ok(Some(Skip::new(error.code(), &error.to_string())))
        }
        Err(error) => Err(error),
    }
}

/// Whether a resource would have no complete backup left, or none at all, without this one.
async fn is_last_good(conn: &mut Conn, backup: &Backup) -> Result<bool> {
    for state in [BackupState::Completed, BackupState::Partial] {
        let filter = Filter::eq(BackupField::ResourceId, backup.resource_id.uuid())
            .and(Filter::eq(BackupField::State, state.as_str()));
        let newest = conn
            .list_backups(backup.tenant_id, &filter, &[], &Page::offset(1, 0))
            .await?;
        if let Some(newest) = newest.items.first() {
            return Ok(newest.id == backup.id);
        }
    }
    Ok(false)
}
