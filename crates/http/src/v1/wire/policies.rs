//! Policies on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{Face, PolicyId, RepositoryId, schedule::MissedRun};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Annotations, Label, common::given, schema};

/// What to back up when, and how long to keep it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: PolicyId,
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// The face that made it; nothing for the native API.
    #[schema(value_type = Option<schema::Face>)]
    pub face: Option<Face>,
    /// A policy that is off neither runs nor removes anything.
    pub enabled: bool,
    /// When it runs.
    pub schedule: Schedule,
    /// What it keeps.
    pub retention: Retention,
    /// What it protects.
    pub targets: Vec<PolicyTarget>,
    /// The first of `repositories`; nothing if there is none.
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<RepositoryId>,
    /// Where its backups go: each run uses the first of them that is enabled, has room and can be
    /// reached, or is skipped with an event if there is none. The default repository if empty.
    /// `retention` counts all of the policy's backups, wherever they are.
    #[schema(value_type = Vec<Uuid>)]
    pub repositories: Vec<RepositoryId>,
    /// Where its backups are copied to once they are made, if anywhere.
    pub copy_to: Option<PolicyCopy>,
    /// The next occurrence.
    pub next_run: Option<Timestamp>,
    /// The last occurrence that was acted on.
    pub last_run: Option<Timestamp>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[schema(value_type = Object)]
    pub annotations: Annotations,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the `ETag` in quotes.
    pub version: i64,
}

/// Where a policy's backups are copied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyCopy {
    /// Where the copies go; none of the policy's own repositories.
    #[schema(value_type = Uuid)]
    pub repository_id: RepositoryId,
    /// Which copies stay there, apart from the backups that they are of.
    #[serde(default)]
    pub retention: Retention,
}

/// When a policy runs: the union of its recurrences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The recurrences; none means only when asked.
    #[serde(default)]
    pub recurrences: Vec<Recurrence>,
    /// IANA name of the time zone they are read in.
    #[serde(default = "utc")]
    pub zone: String,
    /// What happens to occurrences that passed while nothing was running.
    #[serde(default = "run_once")]
    #[schema(value_type = schema::MissedRun)]
    pub missed: MissedRun,
}

/// One rule of recurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "rule", rename_all = "snake_case")]
pub enum Recurrence {
    /// Five cron fields: minute, hour, day of month, month, day of week.
    Cron(String),
    /// An RFC 5545 recurrence rule, e.g. `FREQ=WEEKLY;BYDAY=MO;BYHOUR=2;BYMINUTE=0`.
    Rrule(String),
    /// Every so many seconds from the policy's creation.
    Every(u64),
    /// Every so many seconds from a time of its own on.
    Series {
        /// The first occurrence; a second after the policy's creation if nothing.
        #[serde(default)]
        start: Option<Timestamp>,
        /// Seconds between two occurrences.
        every: u64,
        /// How many occurrences there are; without end if nothing.
        #[serde(default)]
        count: Option<u32>,
    },
}

/// What a policy keeps; a backup stays if any rule keeps it. No rule keeps everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The newest so many.
    pub last: Option<u32>,
    /// The newest of each of the last so many hours that have one.
    pub hourly: Option<u32>,
    /// The newest of each of the last so many days that have one.
    pub daily: Option<u32>,
    /// The newest of each of the last so many weeks that have one.
    pub weekly: Option<u32>,
    /// The newest of each of the last so many months that have one.
    pub monthly: Option<u32>,
    /// The newest of each of the last so many years that have one.
    pub yearly: Option<u32>,
    /// All that are younger than so many seconds.
    pub within_seconds: Option<u64>,
    /// IANA name of the zone that days, weeks, months and years begin in; UTC if nothing.
    pub zone: Option<String>,
}

/// What a policy protects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum PolicyTarget {
    /// One resource.
    Resource(Uuid),
    /// Every resource of a vault.
    Vault(Uuid),
}

/// A policy to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePolicy {
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it runs.
    pub schedule: Schedule,
    /// What it keeps.
    #[serde(default)]
    pub retention: Retention,
    /// What it protects.
    #[serde(default)]
    pub targets: Vec<PolicyTarget>,
    /// Where its backups go, if there is one place only; the default repository if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<RepositoryId>,
    /// Where its backups go, in the order in which they are tried; begins with `repository_id` if
    /// both are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    pub repositories: Option<Vec<RepositoryId>>,
    /// Where its backups are copied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_to: Option<PolicyCopy>,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Vendor attributes.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub annotations: Annotations,
}

/// A change of a policy.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdatePolicy {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new free text.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// On or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Another schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Other rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Other targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<PolicyTarget>>,
    /// Another repository in place of all that there are, or the default.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub repository_id: Option<Option<RepositoryId>>,
    /// Other repositories, or the default if empty; begins with `repository_id` if both are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    pub repositories: Option<Vec<RepositoryId>>,
    /// Another place for copies, or none.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PolicyCopy>)]
    pub copy_to: Option<Option<PolicyCopy>>,
    /// All its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub annotations: Option<Annotations>,
}

fn yes() -> bool {
    true
}

fn utc() -> String {
    "UTC".to_owned()
}

fn run_once() -> MissedRun {
    MissedRun::RunOnce
}
