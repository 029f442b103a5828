//! What each rule keeps, and what always stays.

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
