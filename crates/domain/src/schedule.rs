//! Schedules: when a policy runs.

use serde::{Deserialize, Serialize};

/// When a policy runs: the union of its recurrences, read in one time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The recurrences; none means that it runs only when asked.
    pub recurrences: Vec<Recurrence>,
    /// IANA name of the zone that cron fields and RRULE parts are read in, e.g. `UTC`.
    pub zone: String,
    /// What happens to occurrences that passed while nothing was running.
    pub missed: MissedRun,
}

/// One rule of recurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "rule", rename_all = "snake_case")]
pub enum Recurrence {
    /// Five cron fields: minute, hour, day of month, month, day of week.
    Cron(String),
    /// The subset of RFC 5545's RRULE that the faces need, e.g.
    /// `FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=2;BYMINUTE=0`.
    Rrule(String),
    /// Every so many seconds from the policy's creation.
    Every(u64),
}

crate::text_enum! {
    /// What happens to occurrences that passed while nothing was running.
    pub enum MissedRun {
        /// They are passed over.
        Skip = "skip",
        /// One backup is made for all of them.
        RunOnce = "run_once",
    }
}
