//! Times of day, clocks that jump, what is refused, and what is due.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(zone: &str, recurrence: Recurrence) -> Schedule {
    Schedule {
        recurrences: vec![recurrence],
        zone: zone.to_owned(),
        missed: MissedRun::RunOnce,
    }
}

fn cron(zone: &str, line: &str) -> Schedule {
    schedule(zone, Recurrence::Cron(line.to_owned()))
}

fn rrule(zone: &str, rule: &str) -> Schedule {
    schedule(zone, Recurrence::Rrule(rule.to_owned()))
}

/// The first `n` occurrences after the anchor.
fn first(schedule: &Schedule, anchor: &str, n: usize) -> Vec<String> {
    let anchor = at(anchor);
    assert_eq!(schedule.validate(), []);
    schedule
        .occurrences_between(anchor, anchor, Timestamp::MAX)
        .take(n)
        .map(|it| it.to_string())
        .collect()
}

const NEW_YORK: &str = "America/New_York";

#[test]
fn a_time_that_the_clock_skips_runs_at_the_first_instant_after_the_gap() {
    // 8 March 2026, 02:00 to 03:00 does not exist in New York; the jump is at 07:00Z.
    for schedule in [
        cron(NEW_YORK, "30 2 * * *"),
        cron(NEW_YORK, "0 2 * * *"),
        rrule(NEW_YORK, "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"),
        // Four skipped times make one run.
        cron(NEW_YORK, "*/15 2 * * *"),
        rrule(NEW_YORK, "FREQ=DAILY;BYHOUR=2;BYMINUTE=0,15,30,45"),
    ] {
        let occurrences = first(&schedule, "2026-03-07T12:00:00Z", 2);
        assert_eq!(occurrences[0], "2026-03-08T07:00:00Z", "{schedule:?}");
        assert!(occurrences[1].starts_with("2026-03-09T06:"), "{schedule:?}");
    }
}

#[test]
fn a_time_that_the_clock_shows_twice_runs_once_at_the_first() {
    // 1 November 2026, 01:00 to 02:00 comes twice in New York: from 05:00Z and from 06:00Z.
    for schedule in [
        cron(NEW_YORK, "30 1 * * *"),
        cron(NEW_YORK, "30 1,13 * * *"),
        rrule(NEW_YORK, "FREQ=DAILY;BYHOUR=1;BYMINUTE=30"),
        rrule(NEW_YORK, "FREQ=HOURLY;BYHOUR=1;BYMINUTE=30"),
    ] {
        let anchor = at("2026-11-01T00:00:00Z");
        let morning: Vec<_> = schedule
            .occurrences_between(anchor, anchor, at("2026-11-01T12:00:00Z"))
            .collect();
        assert_eq!(morning, [at("2026-11-01T05:30:00Z")], "{schedule:?}");
        // Asked from within the second pass, it must not fall back to the first.
        let next = schedule.next_after(anchor, at("2026-11-01T06:15:00Z"));
        assert!(next > Some(at("2026-11-01T12:00:00Z")), "{schedule:?}");
    }
}

#[test]
fn what_steps_through_hours_follows_elapsed_time() {
    for schedule in [
        cron(NEW_YORK, "0 * * * *"),
        rrule(NEW_YORK, "FREQ=HOURLY;BYMINUTE=0"),
        schedule(NEW_YORK, Recurrence::Every(3600)),
    ] {
        for (from, to) in [
            ("2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z"),
            ("2026-03-08T05:00:00Z", "2026-03-08T09:00:00Z"),
        ] {
            let hours = schedule
                .occurrences_between(at(from), at(from), at(to))
                .count();
            assert_eq!(hours, 4, "{schedule:?} from {from}");
        }
    }
}

#[test]
fn a_zone_that_drops_a_whole_day_runs_that_days_backup_at_its_end() {
    // Samoa went from 29 to 31 December 2011 at 10:00Z.
    let occurrences = first(
        &cron("Pacific/Apia", "0 5 * * *"),
        "2011-12-29T20:00:00Z",
        2,
    );
    assert_eq!(
        occurrences,
        ["2011-12-30T10:00:00Z", "2011-12-30T15:00:00Z"]
    );
}

#[rstest::rstest]
#[case::cbr_daily("FREQ=DAILY;INTERVAL=2;BYHOUR=2;BYMINUTE=0", &["2026-01-02T02:00:00Z", "2026-01-04T02:00:00Z"])]
#[case::cbr_weekly("FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=14;BYMINUTE=0", &["2026-01-05T14:00:00Z", "2026-01-06T14:00:00Z", "2026-01-12T14:00:00Z"])]
#[case::lower_case_with_prefix("rrule:freq=daily;byhour=12,11", &["2025-12-31T11:34:00Z", "2025-12-31T12:34:00Z"])]
#[case::defaults_come_from_the_anchor("FREQ=DAILY", &["2025-12-31T10:34:00Z", "2026-01-01T10:34:00Z"])]
#[case::weekday_from_the_anchor("FREQ=WEEKLY;INTERVAL=2", &["2025-12-31T10:34:00Z", "2026-01-14T10:34:00Z"])]
#[case::short_months_are_passed_over("FREQ=MONTHLY", &["2025-12-31T10:34:00Z", "2026-01-31T10:34:00Z", "2026-03-31T10:34:00Z"])]
#[case::last_day("FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=0;BYMINUTE=0", &["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"])]
#[case::last_friday("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=0;BYMINUTE=0", &["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"])]
#[case::friday_the_13th("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;BYHOUR=0;BYMINUTE=0", &["2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z", "2026-11-13T00:00:00Z"])]
#[case::every_six_hours("FREQ=HOURLY;INTERVAL=6;BYMINUTE=0", &["2025-12-31T16:00:00Z", "2025-12-31T22:00:00Z"])]
fn an_rrule_occurs_when_it_says(#[case] rule: &str, #[case] expected: &[&str]) {
    let occurrences = first(&rrule("UTC", rule), "2025-12-31T10:33:27Z", expected.len());
    assert_eq!(occurrences, expected);
}

#[rstest::rstest]
#[case::count("FREQ=DAILY;BYHOUR=2;BYMINUTE=0;COUNT=3", 3)]
#[case::until_is_inclusive("FREQ=DAILY;BYHOUR=2;BYMINUTE=0;UNTIL=20260103T020000Z", 3)]
#[case::until_before("FREQ=DAILY;BYHOUR=2;BYMINUTE=0;UNTIL=20260103T015959Z", 2)]
#[case::until_a_date("FREQ=DAILY;BYHOUR=2;BYMINUTE=0;UNTIL=20260102", 2)]
#[case::over_before_it_began("FREQ=DAILY;UNTIL=20200101", 0)]
#[case::hours_that_never_meet("FREQ=HOURLY;INTERVAL=24;BYHOUR=5", 0)]
fn an_rrule_ends(#[case] rule: &str, #[case] count: usize) {
    let occurrences = first(&rrule("UTC", rule), "2026-01-01T00:00:00Z", 10);
    assert_eq!(occurrences.len(), count);
}

#[rstest::rstest]
#[case::yearly("FREQ=YEARLY", "`FREQ`")]
#[case::no_frequency("BYHOUR=2", "`FREQ`")]
#[case::seconds("FREQ=DAILY;BYSECOND=0", "`BYSECOND`")]
#[case::month("FREQ=DAILY;BYMONTH=1", "`BYMONTH`")]
#[case::set_position("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", "`BYSETPOS`")]
#[case::week_start("FREQ=WEEKLY;WKST=SU", "`WKST`")]
#[case::ordinal_without_month("FREQ=WEEKLY;BYDAY=1MO", "`BYDAY`")]
#[case::no_sixth("FREQ=MONTHLY;BYDAY=6MO", "`BYDAY`")]
#[case::not_ascii("FREQ=WEEKLY;BYDAY=é", "`BYDAY`")]
#[case::hour("FREQ=DAILY;BYHOUR=24", "`BYHOUR`")]
#[case::plus("FREQ=DAILY;BYMINUTE=+5", "`BYMINUTE`")]
#[case::day_zero("FREQ=MONTHLY;BYMONTHDAY=0", "`BYMONTHDAY`")]
#[case::interval("FREQ=DAILY;INTERVAL=0", "`INTERVAL`")]
#[case::both_ends("FREQ=DAILY;COUNT=1;UNTIL=20260101", "`COUNT`")]
#[case::twice("FREQ=DAILY;FREQ=DAILY", "`FREQ`")]
#[case::until("FREQ=DAILY;UNTIL=tomorrow", "`UNTIL`")]
#[case::no_value("FREQ=DAILY;BYHOUR", "`BYHOUR`")]
fn what_is_not_supported_is_refused_by_name(#[case] rule: &str, #[case] part: &str) {
    let errors = rrule("UTC", rule).validate();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].field, "schedule.recurrences[0]");
    assert!(errors[0].reason.contains(part), "{}", errors[0].reason);
}

#[rstest::rstest]
#[case::empty("")]
#[case::six_fields("0 0 3 * * *")]
#[case::out_of_range("60 3 * * *")]
#[case::thirtieth_of_february("0 0 30 2 *")]
fn a_cron_line_that_cannot_run_is_refused(#[case] line: &str) {
    assert_eq!(cron("UTC", line).validate().len(), 1);
}

#[test]
fn every_error_of_a_schedule_is_reported_at_once() {
    let mut schedule = cron("Mars/Olympus", "nonsense");
    schedule.recurrences.push(Recurrence::Every(1));
    let fields: Vec<_> = schedule.validate().into_iter().map(|it| it.field).collect();
    assert_eq!(
        fields,
        [
            "schedule.zone",
            "schedule.recurrences[0]",
            "schedule.recurrences[1]"
        ]
    );
    assert_eq!(
        schedule.next_after(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
        None
    );
}

#[test]
fn several_recurrences_are_a_union_without_repetition() {
    let mut union = cron("UTC", "0 2 * * *");
    union.recurrences.push(Recurrence::Rrule(
        "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0".to_owned(),
    ));
    assert_eq!(
        first(&union, "2026-01-01T00:00:00Z", 3),
        [
            "2026-01-01T02:00:00Z",
            "2026-01-01T03:00:00Z",
            "2026-01-02T02:00:00Z"
        ]
    );
}

#[test]
fn a_missed_run_is_made_up_once_or_passed_over() {
    let anchor = at("2026-01-01T00:00:00Z");
    let mut schedule = cron("UTC", "0 2 * * *");
    let late = at("2026-01-05T08:00:00Z");
    assert_eq!(
        schedule.due(anchor, None, late),
        Some(at("2026-01-05T02:00:00Z"))
    );
    let acted_on = schedule.due(anchor, None, late);
    assert_eq!(schedule.due(anchor, acted_on, late), None);

    schedule.missed = MissedRun::Skip;
    assert_eq!(schedule.due(anchor, None, late), None);
    let on_time = at("2026-01-06T02:00:09Z");
    assert_eq!(
        schedule.due(anchor, None, on_time),
        Some(at("2026-01-06T02:00:00Z"))
    );
}

#[test]
fn nothing_is_due_before_the_first_occurrence() {
    let anchor = at("2026-01-01T02:30:00Z");
    let schedule = cron("UTC", "0 2 * * *");
    assert_eq!(schedule.due(anchor, None, at("2026-01-02T01:59:59Z")), None);
    // A clock that was set back since the last run makes nothing due either.
    assert_eq!(
        schedule.due(anchor, Some(at("2026-01-09T02:00:00Z")), anchor),
        None
    );
}

#[test]
fn a_manual_schedule_never_occurs() {
    assert_eq!(Schedule::manual().validate(), []);
    assert_eq!(
        Schedule::manual().due(Timestamp::MIN, None, Timestamp::MAX),
        None
    );
}

#[test]
fn the_ends_of_time_are_no_panic() {
    for schedule in [
        cron("UTC", "0 2 * * *"),
        cron(NEW_YORK, "*/7 * * * *"),
        rrule(NEW_YORK, "FREQ=MONTHLY;INTERVAL=10000;BYDAY=5SU"),
        rrule(NEW_YORK, "FREQ=HOURLY;INTERVAL=10000"),
        schedule("UTC", Recurrence::Every(u64::try_from(i64::MAX).unwrap())),
    ] {
        for anchor in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            for after in [Timestamp::MIN, Timestamp::MAX] {
                let next = schedule.next_after(anchor, after);
                assert!(next.is_none_or(|next| next > after && next >= anchor));
            }
        }
    }
}

#[test]
fn the_stored_form_stays() {
    let schedule = rrule("UTC", "FREQ=DAILY");
    let json = r#"{"recurrences":[{"type":"rrule","rule":"FREQ=DAILY"}],"zone":"UTC","missed":"run_once"}"#;
    assert_eq!(serde_json::to_string(&schedule).unwrap(), json);
    assert_eq!(serde_json::from_str::<Schedule>(json).unwrap(), schedule);
}

#[test]
fn a_series_begins_at_its_own_time_and_ends_with_its_count() {
    let series = |start: Option<&str>, every, count| {
        let start = start.map(at);
        schedule(
            "UTC",
            Recurrence::Series {
                start,
                every,
                count,
            },
        )
    };
    let anchor = "2026-03-01T12:00:00Z";
    let later = series(Some("2026-03-02T00:00:00Z"), 3600, Some(3));
    assert_eq!(
        first(&later, anchor, 9),
        [
            "2026-03-02T00:00:00Z",
            "2026-03-02T01:00:00Z",
            "2026-03-02T02:00:00Z"
        ]
    );
    // What passed before the policy was made counts, too.
    let earlier = series(Some("2026-03-01T10:30:00Z"), 3600, Some(3));
    assert_eq!(first(&earlier, anchor, 9), ["2026-03-01T12:30:00Z"]);
    let once = series(None, 0, Some(1));
    assert_eq!(first(&once, anchor, 9), ["2026-03-01T12:00:01Z"]);
    let endless = series(None, 60, None);
    assert_eq!(
        first(&endless, anchor, 2),
        ["2026-03-01T12:00:01Z", "2026-03-01T12:01:01Z"]
    );
    assert_eq!(series(None, 60, Some(0)).validate().len(), 1);
    assert_eq!(series(None, 59, Some(2)).validate().len(), 1);
    // A run that was missed is made up for, and the series ends all the same.
    let missed = later.due(at(anchor), None, at("2026-03-09T00:00:00Z"));
    assert_eq!(missed, Some(at("2026-03-02T02:00:00Z")));
}
