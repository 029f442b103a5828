//! Policies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `{"policy": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::CreatePolicyRequest)]
pub(in crate::cbr) struct CreatePolicyRequest {
    /// The policy.
    pub(in crate::cbr) policy: CreatePolicy,
}

/// A policy to create.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::CreatePolicy)]
pub(in crate::cbr) struct CreatePolicy {
    /// 1 to 64 characters.
    pub(in crate::cbr) name: String,
    /// Whether it runs; yes if not said.
    pub(in crate::cbr) enabled: Option<bool>,
    /// `backup`.
    pub(in crate::cbr) operation_type: Option<String>,
    /// What it keeps.
    pub(in crate::cbr) operation_definition: OperationDefinition,
    /// When it runs.
    pub(in crate::cbr) trigger: TriggerRequest,
}

/// `{"policy": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::UpdatePolicyRequest)]
pub(in crate::cbr) struct UpdatePolicyRequest {
    /// The change.
    pub(in crate::cbr) policy: UpdatePolicy,
}

/// What may be changed of a policy.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::UpdatePolicy)]
pub(in crate::cbr) struct UpdatePolicy {
    /// A new name.
    pub(in crate::cbr) name: Option<String>,
    /// On or off.
    pub(in crate::cbr) enabled: Option<bool>,
    /// Other rules; those left out stay.
    pub(in crate::cbr) operation_definition: Option<OperationDefinition>,
    /// Other times.
    pub(in crate::cbr) trigger: Option<TriggerRequest>,
}

/// What a policy keeps; returned as it was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = cbr::OperationDefinition)]
pub(in crate::cbr) struct OperationDefinition {
    /// The newest so many; -1 is no such rule.
    pub(in crate::cbr) max_backups: Option<i64>,
    /// Those younger than so many days; -1 is no such rule.
    pub(in crate::cbr) retention_duration_days: Option<i64>,
    /// The newest of each of the last so many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) day_backups: Option<i64>,
    /// The newest of each of the last so many weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) week_backups: Option<i64>,
    /// The newest of each of the last so many months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) month_backups: Option<i64>,
    /// The newest of each of the last so many years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) year_backups: Option<i64>,
    /// `UTC±hh:mm`: where days, weeks, months and years begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) timezone: Option<String>,
    /// Kept and returned: every backup restores like a full one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) full_backup_interval: Option<i64>,
    /// Of a replication policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) destination_region: Option<String>,
    /// Of a replication policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) destination_project_id: Option<String>,
    /// Of a replication policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) enable_acceleration: Option<bool>,
    /// Not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) advanced_retention_rules: Option<serde_json::Value>,
}

/// When a policy runs.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::TriggerRequest)]
pub(in crate::cbr) struct TriggerRequest {
    /// The times.
    pub(in crate::cbr) properties: WantedProperties,
}

/// The times of a policy.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::WantedProperties)]
pub(in crate::cbr) struct WantedProperties {
    /// 1 to 24 RRULEs in UTC, e.g. `FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=2;BYMINUTE=0`.
    pub(in crate::cbr) pattern: Vec<String>,
    /// How late a run may start, 60 to 480 minutes.
    pub(in crate::cbr) start_window_minutes: Option<i64>,
}

/// `{"policy": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::PolicyEnvelope)]
pub(in crate::cbr) struct PolicyEnvelope {
    /// The policy.
    pub(in crate::cbr) policy: Policy,
}

/// All policies that match.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::PolicyList)]
pub(in crate::cbr) struct PolicyList {
    /// How many match.
    pub(in crate::cbr) count: u64,
    /// The most there could be.
    pub(in crate::cbr) limit: u64,
    /// 0.
    pub(in crate::cbr) offset: u64,
    /// Oldest first.
    pub(in crate::cbr) policies: Vec<Policy>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Policy)]
pub(in crate::cbr) struct Policy {
    /// The vaults that it runs; nothing if none.
    pub(in crate::cbr) associated_vaults: Option<Vec<AssociatedVault>>,
    /// Whether it runs.
    pub(in crate::cbr) enabled: bool,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// What it keeps.
    pub(in crate::cbr) operation_definition: OperationDefinition,
    /// `backup`.
    pub(in crate::cbr) operation_type: &'static str,
    /// `custom_policy`.
    pub(in crate::cbr) policy_type: &'static str,
    /// When it runs.
    pub(in crate::cbr) trigger: Trigger,
}

/// A vault that a policy runs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::AssociatedVault)]
pub(in crate::cbr) struct AssociatedVault {
    /// Of a replication policy.
    pub(in crate::cbr) destination_vault_id: Option<String>,
    /// The vault.
    pub(in crate::cbr) vault_id: String,
}

/// When a policy runs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Trigger)]
pub(in crate::cbr) struct Trigger {
    /// An id of its own.
    pub(in crate::cbr) id: String,
    /// `default`.
    pub(in crate::cbr) name: &'static str,
    /// The times.
    pub(in crate::cbr) properties: TriggerProperties,
    /// `time`.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// The times of a policy, as they were written.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::TriggerProperties)]
pub(in crate::cbr) struct TriggerProperties {
    /// RRULEs in UTC.
    pub(in crate::cbr) pattern: Vec<String>,
    /// When the policy was created, `YYYY-MM-DD hh:mm:ss`.
    pub(in crate::cbr) start_time: String,
    /// How late a run may start, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) start_window_minutes: Option<i64>,
}
