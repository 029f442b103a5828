//! Retention: which backups of a policy stay, and why.

use serde::{Deserialize, Serialize};

/// Grandfather-father-son rules; a backup stays if any of them keeps it. No rule at all keeps
/// everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// The newest so many.
    pub last: Option<u32>,
    /// The newest of each of the last so many hours that have one.
    pub hourly: Option<u32>,
    /// The newest of each of the last so many days that have one.
    pub daily: Option<u32>,
    /// The newest of each of the last so many weeks (ISO, from Monday) that have one.
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
