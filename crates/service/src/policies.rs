//! Policies.

pub(crate) mod places;
mod skipped;

use strongroom_domain::{
    Annotations, Label, PolicyId, RepositoryId, TenantId,
    operation::Subject,
    policy::{Policy, PolicyCopy, PolicyTarget},
    principal::Permission,
    retention::Retention,
    schedule::Schedule,
};
use strongroom_store::Conn;

pub use self::skipped::{NO_REPOSITORY, SkippedRun};
use crate::{
    Caller, Error, Result, Service,
    error::taken,
    repositories::find_repository,
    resources::living_resource,
    validate::{Faults, check_version},
};

/// A policy to create.
#[derive(Debug, Clone)]
pub struct CreatePolicy {
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// When it runs.
    pub schedule: Schedule,
    /// What it keeps.
    pub retention: Retention,
    /// What it protects.
    pub targets: Vec<PolicyTarget>,
    /// Where its backups go, in the order in which a run tries them; the tenant's default if empty.
    pub repositories: Vec<RepositoryId>,
    /// Where its backups are copied to, if anywhere.
    pub copy_to: Option<PolicyCopy>,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

/// What may be changed of a policy; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdatePolicy {
    /// A new name.
    pub name: Option<String>,
    /// A new free text.
    pub description: Option<Option<String>>,
    /// On or off.
    pub enabled: Option<bool>,
    /// Another schedule.
    pub schedule: Option<Schedule>,
    /// Other rules.
    pub retention: Option<Retention>,
    /// Other targets.
    pub targets: Option<Vec<PolicyTarget>>,
    /// Other repositories, or the default if empty.
    pub repositories: Option<Vec<RepositoryId>>,
    /// Another place for copies, or none.
    pub copy_to: Option<Option<PolicyCopy>>,
    /// All labels.
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

impl Service {
    /// Creates a policy; its next run is worked out at once.
    pub async fn create_policy(&self, caller: &Caller, request: CreatePolicy) -> Result<Policy> {
        caller.require(Permission::Write)?;
        let make = self.add_policy(caller, request);
        self.once(caller, make, |id| self.policy(caller, id)).await
    }

    async fn add_policy(&self, caller: &Caller, request: CreatePolicy) -> Result<Policy> {
        let now = self.now();
        let mut policy = Policy {
            id: PolicyId::from_uuid(self.uuid()),
            tenant_id: caller.tenant_id,
            name: request.name,
            description: request.description,
            face: caller.face,
            enabled: request.enabled,
            schedule: request.schedule,
            retention: request.retention,
            targets: request.targets,
            repositories: request.repositories,
            copy_to: request.copy_to,
            next_run: None,
            last_run: None,
            labels: request.labels,
            annotations: request.annotations,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        check_policy(&policy)?;
        policy.next_run = next_run(&policy, now);
        let mut tx = self.begin().await?;
        check_references(&mut tx, &policy).await?;
        tx.insert_policy(&policy)
            .await
            .map_err(taken("policy", &policy.name))?;
        let subject = Some(Subject::Policy(policy.id));
        tx.insert_event(&self.event(caller, "policy.created", subject))
            .await?;
        self.remember(&mut tx, caller, &policy.id).await?;
        tx.commit().await?;
        self.policies_changed();
        Ok(policy)
    }

    /// One policy.
    pub async fn policy(&self, caller: &Caller, id: PolicyId) -> Result<Policy> {
        caller.require(Permission::Read)?;
        find_policy(&mut *self.read().await?, caller.tenant_id, id).await
    }

    /// All policies of the tenant, oldest first.
    pub async fn list_policies(&self, caller: &Caller) -> Result<Vec<Policy>> {
        caller.require(Permission::Read)?;
        Ok(self.read().await?.list_policies(caller.tenant_id).await?)
    }

    /// Changes a policy; `version` must be the one read, if given.
    pub async fn update_policy(
        &self,
        caller: &Caller,
        id: PolicyId,
        version: Option<i64>,
        change: UpdatePolicy,
    ) -> Result<Policy> {
        caller.require(Permission::Write)?;
        let now = self.now();
        let mut tx = self.begin().await?;
        let mut policy = find_policy(&mut tx, caller.tenant_id, id).await?;
        check_version("policy", &id, version, policy.version)?;
        apply(&mut policy, change);
        check_policy(&policy)?;
        check_references(&mut tx, &policy).await?;
        policy.next_run = next_run(&policy, now);
        policy.updated_at = now;
        tx.update_policy(&policy)
            .await
            .map_err(taken("policy", &policy.name))?;
        let subject = Some(Subject::Policy(id));
        tx.insert_event(&self.event(caller, "policy.changed", subject))
            .await?;
        tx.commit().await?;
        self.policies_changed();
        policy.version += 1;
        Ok(policy)
    }

    /// Deletes a policy; its backups stay. `version` must be the one read, if given.
    pub async fn delete_policy(
        &self,
        caller: &Caller,
        id: PolicyId,
        version: Option<i64>,
    ) -> Result<()> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let policy = find_policy(&mut tx, caller.tenant_id, id).await?;
        check_version("policy", &id, version, policy.version)?;
        tx.delete_policy(&policy).await?;
        let subject = Some(Subject::Policy(id));
        tx.insert_event(&self.event(caller, "policy.deleted", subject))
            .await?;
        tx.commit().await?;
        self.policies_changed();
        Ok(())
    }

    /// Runs a policy now, as if an occurrence were due.
    pub async fn run_policy(&self, caller: &Caller, id: PolicyId) -> Result<()> {
        caller.require(Permission::Write)?;
        let make = self.start_on_request(caller, id);
        self.once(caller, make, async |()| Ok(())).await
    }

    async fn start_on_request(&self, caller: &Caller, id: PolicyId) -> Result<()> {
        let mut tx = self.begin().await?;
        let policy = find_policy(&mut tx, caller.tenant_id, id).await?;
        let event = self.event(caller, "policy.started", Some(Subject::Policy(id)));
        tx.insert_event(&event).await?;
        self.start_policy(&mut tx, &policy, None, Some(caller.principal_id))
            .await?;
        self.remember(&mut tx, caller, &()).await?;
        tx.commit().await?;
        self.nudge();
        Ok(())
    }

    fn policies_changed(&self) {
        self.inner().policies_changed.notify_one();
        self.changed();
    }
}

/// When the policy runs next, if it is on.
pub(crate) fn next_run(policy: &Policy, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    let after = policy.last_run.map_or(now, |last| last.max(now));
    policy
        .enabled
        .then(|| policy.schedule.next_after(policy.created_at, after))
        .flatten()
}

fn apply(policy: &mut Policy, change: UpdatePolicy) {
    let UpdatePolicy {
        name,
        description,
        enabled,
        schedule,
        retention,
        targets,
        repositories,
        copy_to,
        labels,
        annotations,
    } = change;
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut policy.name, name);
    set(&mut policy.description, description);
    set(&mut policy.enabled, enabled);
    set(&mut policy.schedule, schedule);
    set(&mut policy.retention, retention);
    set(&mut policy.targets, targets);
    set(&mut policy.repositories, repositories);
    set(&mut policy.copy_to, copy_to);
    set(&mut policy.labels, labels);
    set(&mut policy.annotations, annotations);
}

fn check_policy(policy: &Policy) -> Result<()> {
    let mut faults = Faults::default();
    faults.name("name", &policy.name);
    faults.description(policy.description.as_deref());
    faults.labels(&policy.labels);
    faults.extend(policy.schedule.validate());
    faults.extend(policy.retention.validate());
    if let Some(copy) = &policy.copy_to {
        for fault in copy.retention.validate() {
            faults.add(format!("copy_to.{}", fault.field), fault.reason);
        }
        if policy.repositories.contains(&copy.repository_id) {
            faults.add("copy_to.repository_id", "is where the backups go already");
        }
    }
    check_once(&mut faults, "targets", &policy.targets);
    check_once(&mut faults, "repositories", &policy.repositories);
    faults.check()
}

fn check_once<T: PartialEq>(faults: &mut Faults, field: &str, items: &[T]) {
    for (at, item) in items.iter().enumerate() {
        if items[..at].contains(item) {
            faults.add(format!("{field}[{at}]"), "is named twice");
        }
    }
}

/// Everything that a policy names must exist in its tenant.
async fn check_references(conn: &mut Conn, policy: &Policy) -> Result<()> {
    let copies = policy.copy_to.as_ref().map(|it| it.repository_id);
    for id in policy.repositories.iter().copied().chain(copies) {
        find_repository(conn, policy.tenant_id, id).await?;
    }
    for target in &policy.targets {
        match *target {
            PolicyTarget::Resource(id) => {
                living_resource(conn, policy.tenant_id, id).await?;
            }
            PolicyTarget::Vault(id) => {
                let found = conn.vault(policy.tenant_id, id).await?;
                found.ok_or_else(|| Error::not_found("vault", id))?;
            }
        }
    }
    Ok(())
}

/// The policy, unless it is another tenant's.
pub(crate) async fn find_policy(conn: &mut Conn, tenant: TenantId, id: PolicyId) -> Result<Policy> {
    let found = conn.policy(tenant, id).await?;
    found.ok_or_else(|| Error::not_found("policy", id))
}
