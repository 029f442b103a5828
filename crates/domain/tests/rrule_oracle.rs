//! Our RRULE subset against the `rrule` crate, in UTC, where both follow RFC 5545 to the letter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use strongroom_domain::schedule::{MissedRun, Recurrence, Schedule};

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn numbers(range: std::ops::RangeInclusive<i8>, most: usize) -> impl Strategy<Value = String> {
    prop::collection::btree_set(range, 1..=most).prop_map(|set| {
        let set: Vec<_> = set.into_iter().map(|n| n.to_string()).collect();
        set.join(",")
    })
}

fn weekdays() -> impl Strategy<Value = String> {
    prop::sample::subsequence(DAYS.to_vec(), 1..=7).prop_map(|days| days.join(","))
}

/// Days with a number, as far as the oracle takes them: not mixed with plain days, no `-5MO`.
fn numbered_days() -> impl Strategy<Value = String> {
    let number = prop_oneof![1..=5_i8, -4..=-1_i8];
    let day = (number, prop::sample::select(DAYS.to_vec()));
    prop::collection::btree_set(day, 1..=3).prop_map(|days| {
        let days: Vec<_> = days
            .into_iter()
            .map(|(n, day)| format!("{n}{day}"))
            .collect();
        days.join(",")
    })
}

fn month_days() -> impl Strategy<Value = String> {
    let day = prop_oneof![1..=31_i8, -31..=-1_i8];
    prop::collection::btree_set(day, 1..=4).prop_map(|days| {
        let days: Vec<_> = days.into_iter().map(|n| n.to_string()).collect();
        days.join(",")
    })
}

fn part(name: &'static str, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::option::of(value)
        .prop_map(move |value| value.map_or(String::new(), |value| format!(";{name}={value}")))
}

fn dates() -> impl Strategy<Value = String> {
    let monthly = (
        part("BYDAY", prop_oneof![weekdays(), numbered_days()]),
        part("BYMONTHDAY", month_days()),
    );
    prop_oneof![
        (1..40_u32, part("BYDAY", weekdays()))
            .prop_map(|(n, days)| format!("HOURLY;INTERVAL={n}{days}")),
        (
            1..40_u32,
            part("BYDAY", weekdays()),
            part("BYMONTHDAY", month_days())
        )
            .prop_map(|(n, days, month_days)| format!("DAILY;INTERVAL={n}{days}{month_days}")),
        (1..6_u32, part("BYDAY", weekdays()))
            .prop_map(|(n, days)| format!("WEEKLY;INTERVAL={n}{days}")),
        (1..5_u32, monthly).prop_map(|(n, (days, month_days))| {
            format!("MONTHLY;INTERVAL={n}{days}{month_days}")
        }),
    ]
}

fn rules() -> impl Strategy<Value = String> {
    let times = (
        part("BYHOUR", numbers(0..=23, 3)),
        part("BYMINUTE", numbers(0..=59, 3)),
    );
    let end = part("COUNT", (1..60_u32).prop_map(|n| n.to_string()));
    (dates(), times, end)
        .prop_map(|(dates, (hours, minutes), end)| format!("FREQ={dates}{hours}{minutes}{end}"))
}

/// A whole minute of the years 2024 to 2027.
fn anchors() -> impl Strategy<Value = Timestamp> {
    (0..4 * 365 * 24 * 60_i64)
        .prop_map(|minute| Timestamp::from_second(1_704_067_200 + minute * 60).unwrap())
}

fn oracle(rule: &str, anchor: Timestamp, horizon: Timestamp) -> Vec<Timestamp> {
    let start = anchor.strftime("%Y%m%dT%H%M%SZ");
    let set: rrule::RRuleSet = format!("DTSTART:{start}\nRRULE:{rule}").parse().unwrap();
    set.into_iter()
        .map(|at| Timestamp::from_second(at.timestamp()).unwrap())
        .take_while(|at| *at <= horizon)
        .take(40)
        .collect()
}

fn ours(rule: &str) -> Schedule {
    Schedule {
        recurrences: vec![Recurrence::Rrule(rule.to_owned())],
        zone: "UTC".to_owned(),
        missed: MissedRun::RunOnce,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_subset_agrees_with_the_rrule_crate(rule in rules(), anchor in anchors()) {
        let horizon = anchor + SignedDuration::from_hours(24 * 400);
        let schedule = ours(&rule);
        prop_assert_eq!(schedule.validate(), []);
        let before = anchor - SignedDuration::from_secs(1);
        let ours: Vec<_> = schedule.occurrences_between(anchor, before, horizon).take(40).collect();
        prop_assert_eq!(ours, oracle(&rule, anchor, horizon), "{}", rule);
    }

    #[test]
    fn asking_from_anywhere_gives_the_same_occurrences(
        rule in rules(),
        anchor in anchors(),
        offset in 0..60 * 24 * 3600_i64,
    ) {
        let horizon = anchor + SignedDuration::from_hours(24 * 400);
        let schedule = ours(&rule);
        let from = anchor + SignedDuration::from_secs(offset);
        let expected = schedule.occurrences_between(anchor, anchor, horizon).find(|at| *at > from);
        let next = schedule.next_after(anchor, from).filter(|at| *at <= horizon);
        prop_assert_eq!(next, expected, "{}", rule);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}", anchor in anchors()) {
        let schedule = ours(&text);
        if schedule.validate().is_empty() {
            let _ = schedule.next_after(anchor, anchor);
        }
    }
}
