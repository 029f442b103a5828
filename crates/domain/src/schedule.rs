//! Schedules: when a policy runs.
//!
//! All of it is arithmetic on a policy's creation time and a time asked about; nothing here reads
//! a clock. Where a zone's clock jumps, one rule holds for every kind of recurrence that names
//! times of day:
//!
//! - a time that the clock skips runs at the first instant after the gap (RFC 5545 would leave it
//!   out, and with it a day's backup);
//! - a time that the clock shows twice runs once, the first time.
//!
//! Recurrences that step through hours (`Every`, `FREQ=HOURLY`, a cron hour of `*` or `*/n`)
//! follow elapsed time instead: an hour that the clock repeats is an hour in which data changes.

mod civil;
mod cron;
mod rrule;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{FieldError, time};

/// When a policy runs: the union of its recurrences, read in one time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The recurrences; none means that it runs only when asked.
    pub recurrences: Vec<Recurrence>,
    /// The zone that cron fields and RRULE parts are read in, as [`time::zone`] takes it, e.g.
    /// `UTC`.
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
    /// `FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=2;BYMINUTE=0`. Its DTSTART is the policy's creation,
    /// rounded up to the minute.
    Rrule(String),
    /// Every so many seconds from the policy's creation.
    Every(u64),
    /// Every so many seconds from a time of its own on, which is its first occurrence.
    Series {
        /// Its first occurrence; a second after the policy's creation if nothing.
        start: Option<Timestamp>,
        /// Seconds between two occurrences; of no meaning if there is one only.
        every: u64,
        /// How many occurrences it has; without end if nothing.
        count: Option<u32>,
    },
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

/// The shortest interval, in seconds, that [`Recurrence::Every`] may have.
pub const MIN_INTERVAL_SECONDS: u64 = 60;

/// How late an occurrence may be taken up and still count as on time under [`MissedRun::Skip`]:
/// a scheduler looks only every so often, and restarts.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(5);

impl Schedule {
    /// A schedule that runs only when asked.
    pub fn manual() -> Self {
        Self {
            recurrences: Vec::new(),
            zone: "UTC".to_owned(),
            missed: MissedRun::RunOnce,
        }
    }

    /// Everything that is wrong with it; nothing if it can be used.
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if time::zone(&self.zone).is_none() {
            let reason = format!("`{}` is not a time zone", self.zone);
            errors.push(FieldError::new("schedule.zone", reason));
        }
        for (i, recurrence) in self.recurrences.iter().enumerate() {
            if let Err(reason) = Rule::parse(recurrence) {
                errors.push(FieldError::new(
                    format!("schedule.recurrences[{i}]"),
                    reason,
                ));
            }
        }
        errors
    }

    /// The first occurrence later than `after` of a policy created at `anchor`. `None` if there
    /// is none, which is also all that a schedule with [errors](Self::validate) ever gives.
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        self.bind(anchor)?.next_after(after)
    }

    /// The occurrences later than `after` and not later than `until`, in order.
    pub fn occurrences_between(
        &self,
        anchor: Timestamp,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + use<> {
        let bound = self.bind(anchor);
        let next = move |at: &Timestamp| {
            bound
                .as_ref()?
                .next_after(*at)
                .filter(|next| *next <= until)
        };
        std::iter::successors(next(&after), next)
    }

    /// The occurrence that a policy created at `anchor` has to act on now, if any: the latest one
    /// since `last_run` (the last occurrence acted on; `None` if there was none yet). Earlier
    /// ones are covered by it. Under [`MissedRun::Skip`] it must not be older than [`ON_TIME`].
    pub fn due(
        &self,
        anchor: Timestamp,
        last_run: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let since = last_run.unwrap_or(anchor).max(anchor);
        let latest = self.latest_between(anchor, since, now)?;
        match self.missed {
            MissedRun::RunOnce => Some(latest),
            MissedRun::Skip => (now.duration_since(latest) <= ON_TIME).then_some(latest),
        }
    }

    /// The last occurrence in `(after, until]`. Looks back in growing windows, so that a long
    /// outage of a frequent schedule does not mean walking all of it.
    fn latest_between(
        &self,
        anchor: Timestamp,
        after: Timestamp,
        until: Timestamp,
    ) -> Option<Timestamp> {
        for hours in [1, 24, 24 * 32, 24 * 366] {
            let from = until
                .checked_sub(SignedDuration::from_hours(hours))
                .map_or(after, |from| from.max(after));
            let latest = self.occurrences_between(anchor, from, until).last();
            if latest.is_some() || from == after {
                return latest;
            }
        }
        self.occurrences_between(anchor, after, until).last()
    }

    fn bind(&self, anchor: Timestamp) -> Option<Bound> {
        let zone = time::zone(&self.zone)?;
        let rules = self
            .recurrences
            .iter()
            .map(|it| Some(BoundRule::new(Rule::parse(it).ok()?, &zone, anchor)))
            .collect::<Option<_>>()?;
        Some(Bound { zone, rules })
    }
}

/// A recurrence, read.
enum Rule {
    Cron(cron::Cron),
    Rrule(rrule::Rrule),
    Every(SignedDuration),
    Series(Series),
}

impl Rule {
    fn parse(recurrence: &Recurrence) -> Result<Self, String> {
        match recurrence {
            Recurrence::Cron(text) => cron::Cron::parse(text).map(Self::Cron),
            Recurrence::Rrule(text) => rrule::Rrule::parse(text).map(Self::Rrule),
            Recurrence::Every(seconds) => interval(*seconds).map(Self::Every),
            Recurrence::Series { count: Some(0), .. } => Err("it has no occurrence".to_owned()),
            Recurrence::Series {
                start,
                every,
                count,
            } => {
                let once = *count == Some(1);
                let every = if once {
                    SignedDuration::ZERO
                } else {
                    interval(*every)?
                };
                Ok(Self::Series(Series {
                    start: *start,
                    every,
                    count: *count,
                }))
            }
        }
    }
}

/// Steps of a fixed length; of no length if there is one occurrence only.
struct Series {
    start: Option<Timestamp>,
    every: SignedDuration,
    count: Option<u32>,
}

impl Series {
    /// The first of `start + n · every` with `n < count` later than `after`.
    fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let start = match self.start {
            Some(start) => start,
            None => anchor.checked_add(SignedDuration::from_secs(1)).ok()?,
        };
        let step = self.every.as_secs();
        let steps = match after.duration_since(start) {
            passed if passed.is_negative() => 0,
            passed => passed.as_secs().checked_div(step).map_or(1, |it| it + 1),
        };
        if self.count.is_some_and(|count| steps >= i64::from(count)) {
            return None;
        }
        let offset = SignedDuration::from_secs(step.checked_mul(steps)?);
        start.checked_add(offset).ok()
    }
}

fn interval(seconds: u64) -> Result<SignedDuration, String> {
    if seconds < MIN_INTERVAL_SECONDS {
        let least = MIN_INTERVAL_SECONDS;
        return Err(format!(
            "an interval of {seconds} s is shorter than {least} s"
        ));
    }
    i64::try_from(seconds)
        .map(SignedDuration::from_secs)
        .map_err(|_| format!("an interval of {seconds} s is too long"))
}

/// A schedule in its zone, for a policy created at a certain time.
struct Bound {
    zone: TimeZone,
    rules: Vec<BoundRule>,
}

enum BoundRule {
    Cron {
        cron: cron::Cron,
        anchor: Timestamp,
    },
    Rrule(rrule::Series),
    Every {
        step: SignedDuration,
        anchor: Timestamp,
    },
    Series {
        series: Series,
        anchor: Timestamp,
    },
}

impl BoundRule {
    fn new(rule: Rule, zone: &TimeZone, anchor: Timestamp) -> Self {
        match rule {
            Rule::Cron(cron) => Self::Cron { cron, anchor },
            Rule::Rrule(rule) => Self::Rrule(rule.starting(zone, anchor)),
            Rule::Every(step) => Self::Every { step, anchor },
            Rule::Series(series) => Self::Series { series, anchor },
        }
    }
}

impl Bound {
    fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.rules
            .iter()
            .filter_map(|rule| match rule {
                BoundRule::Cron { cron, anchor } => cron.next_after(&self.zone, after.max(*anchor)),
                BoundRule::Rrule(series) => series.next_after(&self.zone, after),
                BoundRule::Every { step, anchor } => every(*step, *anchor, after),
                BoundRule::Series { series, anchor } => series.next_after(*anchor, after),
            })
            .min()
    }
}

/// The first `anchor + n · step` with `n ≥ 1` later than `after`.
fn every(step: SignedDuration, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
    let passed = after.duration_since(anchor).as_secs().max(0);
    let steps = passed / step.as_secs() + 1;
    let offset = step.as_secs().checked_mul(steps)?;
    anchor.checked_add(SignedDuration::from_secs(offset)).ok()
}

#[cfg(test)]
mod tests;
