//! Retention: which backups of a policy stay, and why.
//!
//! Only complete backups count as copies. Two promises hold whatever the rules say: the newest
//! complete backup always stays, and so does whatever is newer than it.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp, Zoned, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{BackupId, BackupState, FieldError, text_enum, time};

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
    /// The zone that days, weeks, months and years begin in, as [`time::zone`] takes it; UTC if
    /// nothing.
    pub zone: Option<String>,
}

/// A backup that retention is to decide about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub id: BackupId,
    /// The point in time it stands for.
    pub at: Timestamp,
    /// Where it is in its life. Only a completed one counts as a copy.
    pub state: BackupState,
    /// Something needs it: a legal hold, a restore that reads it.
    pub held: bool,
}

/// What becomes of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which one.
    pub id: BackupId,
    /// Whether it stays.
    pub keep: bool,
    /// Why it stays, in the order of [`Reason::ALL`]; empty if it goes.
    pub reasons: Vec<Reason>,
}

text_enum! {
    /// Why a backup stays.
    pub enum Reason {
        /// There is no rule, so everything stays.
        NoRule = "no_rule",
        /// It is among the newest so many.
        Last = "last",
        /// It is the newest of its hour.
        Hourly = "hourly",
        /// It is the newest of its day.
        Daily = "daily",
        /// It is the newest of its week.
        Weekly = "weekly",
        /// It is the newest of its month.
        Monthly = "monthly",
        /// It is the newest of its year.
        Yearly = "yearly",
        /// It is young enough.
        Within = "within",
        /// Something needs it.
        Held = "held",
        /// It is the newest complete copy.
        LastGood = "last_good",
        /// No complete copy is newer, so it may hold what no other does.
        SinceLastGood = "since_last_good",
        /// It is not in a state that retention removes from: still being made, already being
        /// removed, or out of reach.
        Busy = "busy",
    }
}

impl Retention {
    /// Whether there is no rule.
    pub fn is_unlimited(&self) -> bool {
        self.within_seconds.is_none() && self.counts().iter().all(|(_, count)| count.is_none())
    }

    /// Everything that is wrong with it; nothing if it can be used.
    pub fn validate(&self) -> Vec<FieldError> {
        match &self.zone {
            Some(zone) if time::zone(zone).is_none() => {
                let reason = format!("`{zone}` is not a time zone");
                vec![FieldError::new("retention.zone", reason)]
            }
            _ => Vec::new(),
        }
    }

    /// Decides about each candidate; the answer is in the candidates' order. All of them must be
    /// of one policy and one resource, and include every backup that may be its last good copy.
    pub fn decide(&self, candidates: &[Candidate], now: Timestamp) -> Vec<Decision> {
        let good = good_newest_first(candidates);
        let mut kept = Kept::default();
        if let Some(newest) = good.first() {
            kept.add(newest.id, Reason::LastGood);
        }
        if self.is_unlimited() {
            kept.all(candidates, Reason::NoRule);
        }
        self.keep_by_count(&good, &mut kept);
        for candidate in candidates {
            self.keep_alone(candidate, good.first().copied(), now, &mut kept);
        }
        candidates.iter().map(|it| kept.decision(it.id)).collect()
    }

    fn counts(&self) -> [(Reason, Option<u32>); 6] {
        [
            (Reason::Last, self.last),
            (Reason::Hourly, self.hourly),
            (Reason::Daily, self.daily),
            (Reason::Weekly, self.weekly),
            (Reason::Monthly, self.monthly),
            (Reason::Yearly, self.yearly),
        ]
    }

    /// The rules that compare copies with one another.
    fn keep_by_count(&self, good: &[&Candidate], kept: &mut Kept) {
        let zone = self.zone.as_deref().and_then(time::zone);
        let zone = zone.unwrap_or(TimeZone::UTC);
        for (reason, count) in self.counts() {
            let mut left = count.unwrap_or(0);
            let mut previous = None;
            for candidate in good {
                let bucket = bucket(reason, &candidate.at.to_zoned(zone.clone()));
                if left == 0 || bucket.is_some() && bucket == previous {
                    continue;
                }
                previous = bucket;
                left -= 1;
                kept.add(candidate.id, reason);
            }
        }
    }

    /// The rules that look at one candidate alone.
    fn keep_alone(
        &self,
        candidate: &Candidate,
        newest_good: Option<&Candidate>,
        now: Timestamp,
        kept: &mut Kept,
    ) {
        if candidate.held {
            kept.add(candidate.id, Reason::Held);
        }
        if !is_removable(candidate.state) {
            kept.add(candidate.id, Reason::Busy);
        }
        if self
            .within_seconds
            .is_some_and(|limit| is_younger(candidate.at, limit, now))
        {
            kept.add(candidate.id, Reason::Within);
        }
        let counts = candidate.state == BackupState::Completed;
        if !counts && newest_good.is_none_or(|good| candidate.at >= good.at) {
            kept.add(candidate.id, Reason::SinceLastGood);
        }
    }
}

/// The complete copies, newest first; the id breaks ties so that every run decides alike.
fn good_newest_first(candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut good: Vec<_> = candidates
        .iter()
        .filter(|it| it.state == BackupState::Completed)
        .collect();
    good.sort_by_key(|it| std::cmp::Reverse((it.at, it.id)));
    good
}

/// Whether retention may remove a backup in this state. A record that holds no data goes too.
fn is_removable(state: BackupState) -> bool {
    use BackupState as S;
    match state {
        S::Completed | S::Partial | S::Failed | S::Cancelled | S::Removed => true,
        S::Pending | S::Discovering | S::Running | S::Deleting | S::Deleted | S::Unknown => false,
    }
}

fn is_younger(at: Timestamp, limit: u64, now: Timestamp) -> bool {
    let limit = i64::try_from(limit).map_or(SignedDuration::MAX, SignedDuration::from_secs);
    now.duration_since(at) < limit
}

/// What two copies must share so that a rule keeps only the newer one; `None` if nothing does.
fn bucket(rule: Reason, at: &Zoned) -> Option<Bucket> {
    let date = at.date();
    match rule {
        // An hour that the clock shows twice is two hours.
        Reason::Hourly => Some(Bucket::Hour(date, at.hour(), at.offset().seconds())),
        Reason::Daily => Some(Bucket::Date(date)),
        Reason::Weekly => {
            let week = date.iso_week_date();
            Some(Bucket::Number(week.year(), week.week()))
        }
        Reason::Monthly => Some(Bucket::Number(date.year(), date.month())),
        Reason::Yearly => Some(Bucket::Number(date.year(), 0)),
        _ => None,
    }
}

#[derive(PartialEq)]
enum Bucket {
    Hour(Date, i8, i32),
    Date(Date),
    Number(i16, i8),
}

/// The reasons found so far.
#[derive(Default)]
struct Kept(HashSet<(BackupId, Reason)>);

impl Kept {
    fn add(&mut self, id: BackupId, reason: Reason) {
        self.0.insert((id, reason));
    }

    fn all(&mut self, candidates: &[Candidate], reason: Reason) {
        self.0.extend(candidates.iter().map(|it| (it.id, reason)));
    }

    fn decision(&self, id: BackupId) -> Decision {
        let reasons: Vec<_> = Reason::ALL
            .iter()
            .copied()
            .filter(|reason| self.0.contains(&(id, *reason)))
            .collect();
        Decision {
            id,
            keep: !reasons.is_empty(),
            reasons,
        }
    }
}

#[cfg(test)]
mod tests;
