//! Runs of policies that made no backup, as their events tell.

use jiff::Timestamp;
use serde::Deserialize;
use strongroom_domain::{
    EventId, PolicyId, ResourceId, event::Event, operation::Subject, principal::Permission,
};

use crate::{Caller, Result, Service};

/// Why a run is skipped for which no repository is available.
pub const NO_REPOSITORY: &str = "no_repository";

/// A run of a policy that made no backup of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRun {
    /// The event that says so.
    pub id: EventId,
    /// When it was skipped.
    pub at: Timestamp,
    /// Of which policy.
    pub policy_id: PolicyId,
    /// What was not backed up.
    pub resource_id: ResourceId,
    /// Why, in one word: [`NO_REPOSITORY`] or another.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

/// What is read of such an event's details.
#[derive(Deserialize)]
struct Details {
    policy_id: PolicyId,
    code: String,
    reason: String,
}

impl Service {
    /// The skipped runs of the tenant's policies, oldest first.
    pub async fn skipped_runs(&self, caller: &Caller) -> Result<Vec<SkippedRun>> {
        caller.require(Permission::Read)?;
        let events = self.read().await?.skipped_runs(caller.tenant_id).await?;
        Ok(events.into_iter().filter_map(skipped_run).collect())
    }
}

/// Nothing for a vault, and for an event that an older version wrote.
fn skipped_run(event: Event) -> Option<SkippedRun> {
    let Some(Subject::Resource(resource_id)) = event.subject else {
        return None;
    };
    let details: Details = serde_json::from_value(event.details).ok()?;
    Some(SkippedRun {
        id: event.id,
        at: event.at,
        policy_id: details.policy_id,
        resource_id,
        code: details.code,
        reason: details.reason,
    })
}
