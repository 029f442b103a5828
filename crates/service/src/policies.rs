//! Policies.

use strongroom_domain::{
    Annotations, Label, PolicyId, RepositoryId,
    policy::{Policy, PolicyTarget},
    retention::Retention,
    schedule::Schedule,
};

use crate::{Caller, Result, Service};

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
    /// Where its backups go; the tenant's default if nothing.
    pub repository_id: Option<RepositoryId>,
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
    /// Another repository, or the default.
    pub repository_id: Option<Option<RepositoryId>>,
    /// All labels.
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

impl Service {
    /// Creates a policy; its next run is worked out at once.
    pub async fn create_policy(&self, caller: &Caller, request: CreatePolicy) -> Result<Policy> {
        todo!()
    }

    /// One policy.
    pub async fn policy(&self, caller: &Caller, id: PolicyId) -> Result<Policy> {
        todo!()
    }

    /// All policies of the tenant, oldest first.
    pub async fn list_policies(&self, caller: &Caller) -> Result<Vec<Policy>> {
        todo!()
    }

    /// Changes a policy; `version` must be the one read, if given.
    pub async fn update_policy(
        &self,
        caller: &Caller,
        id: PolicyId,
        version: Option<i64>,
        change: UpdatePolicy,
    ) -> Result<Policy> {
        todo!()
    }

    /// Deletes a policy; its backups stay.
    pub async fn delete_policy(&self, caller: &Caller, id: PolicyId) -> Result<()> {
        todo!()
    }

    /// Runs a policy now, as if an occurrence were due.
    pub async fn run_policy(&self, caller: &Caller, id: PolicyId) -> Result<()> {
        todo!()
    }
}
