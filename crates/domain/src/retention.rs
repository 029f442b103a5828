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
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T00:00:00Z";

    fn candidate(n: u128, at: &str) -> Candidate {
        Candidate {
            id: BackupId::from_uuid(uuid::Uuid::from_u128(n)),
            at: at.parse().unwrap(),
            state: BackupState::Completed,
            held: false,
        }
    }

    /// Why each candidate stays, as text.
    fn reasons(retention: &Retention, candidates: &[Candidate]) -> Vec<String> {
        let decisions = retention.decide(candidates, NOW.parse().unwrap());
        let text = |it: &Decision| {
            assert_eq!(it.keep, !it.reasons.is_empty());
            let reasons: Vec<_> = it.reasons.iter().map(|it| it.as_str()).collect();
            reasons.join(" ")
        };
        decisions.iter().map(text).collect()
    }

    #[test]
    fn each_rule_keeps_the_newest_of_its_buckets() {
        let retention = Retention {
            last: Some(1),
            daily: Some(2),
            weekly: Some(2),
            monthly: Some(2),
            ..Retention::default()
        };
        let candidates = [
            candidate(1, "2026-02-28T20:00:00Z"),
            candidate(2, "2026-02-28T08:00:00Z"),
            candidate(3, "2026-02-27T20:00:00Z"),
            // Sunday of the week before, which is also the only one of its day.
            candidate(4, "2026-02-22T20:00:00Z"),
            candidate(5, "2026-01-31T20:00:00Z"),
            candidate(6, "2025-12-31T20:00:00Z"),
        ];
        assert_eq!(
            reasons(&retention, &candidates),
            [
                "last daily weekly monthly last_good",
                "",
                "daily",
                "weekly",
                "monthly",
                ""
            ]
        );
    }

    #[test]
    fn buckets_begin_in_the_policys_zone() {
        let candidates = [
            candidate(1, "2026-02-10T01:00:00Z"),
            candidate(2, "2026-02-09T23:00:00Z"),
        ];
        let mut retention = Retention {
            daily: Some(5),
            ..Retention::default()
        };
        assert_eq!(
            reasons(&retention, &candidates),
            ["daily last_good", "daily"]
        );
        retention.zone = Some("Europe/Berlin".to_owned());
        assert_eq!(reasons(&retention, &candidates), ["daily last_good", ""]);
    }

    #[test]
    fn an_hour_that_the_clock_shows_twice_is_two() {
        let retention = Retention {
            hourly: Some(5),
            zone: Some("America/New_York".to_owned()),
            ..Retention::default()
        };
        let candidates = [
            candidate(1, "2025-11-02T06:30:00Z"),
            candidate(2, "2025-11-02T05:30:00Z"),
        ];
        assert_eq!(
            reasons(&retention, &candidates),
            ["hourly last_good", "hourly"]
        );
    }

    #[test]
    fn the_last_good_copy_stays_when_every_rule_has_run_out() {
        let retention = Retention {
            within_seconds: Some(3600),
            last: Some(0),
            ..Retention::default()
        };
        let old = candidate(1, "2020-01-01T00:00:00Z");
        let older = candidate(2, "2019-01-01T00:00:00Z");
        assert_eq!(reasons(&retention, &[old, older]), ["last_good", ""]);
    }

    #[test]
    fn a_backup_that_is_not_complete_is_no_copy() {
        let retention = Retention {
            last: Some(1),
            ..Retention::default()
        };
        let mut newer = candidate(1, "2026-02-28T00:00:00Z");
        let good = candidate(2, "2026-02-27T00:00:00Z");
        let mut older = candidate(3, "2026-02-26T00:00:00Z");
        for state in [
            BackupState::Partial,
            BackupState::Failed,
            BackupState::Cancelled,
        ] {
            (newer.state, older.state) = (state, state);
            assert_eq!(
                reasons(&retention, &[newer, good, older]),
                ["since_last_good", "last last_good", ""]
            );
        }
    }

    #[test]
    fn what_is_held_busy_or_out_of_reach_stays() {
        let retention = Retention {
            last: Some(1),
            ..Retention::default()
        };
        let good = candidate(1, "2026-02-28T00:00:00Z");
        let mut held = candidate(2, "2026-02-27T00:00:00Z");
        held.held = true;
        let mut unknown = candidate(3, "2026-02-26T00:00:00Z");
        unknown.state = BackupState::Unknown;
        assert_eq!(
            reasons(&retention, &[held, unknown, good]),
            ["held", "busy", "last last_good"]
        );
    }

    #[test]
    fn without_a_rule_everything_stays() {
        let mut failed = candidate(1, "2020-01-01T00:00:00Z");
        failed.state = BackupState::Failed;
        let good = candidate(2, "2021-01-01T00:00:00Z");
        assert_eq!(
            reasons(&Retention::default(), &[failed, good]),
            ["no_rule", "no_rule last_good"]
        );
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        let retention = Retention {
            zone: Some("Mars/Olympus".to_owned()),
            ..Retention::default()
        };
        assert_eq!(retention.validate()[0].field, "retention.zone");
        assert_eq!(Retention::default().validate(), []);
    }
}
