//! Small rules over values: retry delays, `LIKE` patterns, text forms, zones.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;
use proptest::prelude::*;
use strongroom_domain::{
    BackupState, ResourceKind, Role, Trigger,
    job::backoff,
    query::{BackupField, Filter},
    restore::RestoreState,
    retention::Reason,
    schedule::MissedRun,
    time::zone,
};

proptest! {
    #[test]
    fn a_retry_waits_longer_each_time_within_its_bounds(attempts in any::<u32>(), jitter in any::<f64>()) {
        let wait = backoff(attempts, jitter);
        prop_assert!(wait >= Duration::from_millis(1600));
        prop_assert!(wait <= Duration::from_mins(10));
        prop_assert!(backoff(attempts.saturating_add(1), 1.0) >= backoff(attempts, 1.0));
    }

    #[test]
    fn a_contains_pattern_matches_exactly_what_contains_the_text(
        text in r"[a%_\\é]{0,4}",
        hay in r"[a%_\\é]{0,8}",
    ) {
        let Filter::Like(_, pattern) = Filter::contains(BackupField::Name, &text) else {
            panic!("not a LIKE")
        };
        let pattern: Vec<_> = pattern.chars().collect();
        let chars: Vec<_> = hay.chars().collect();
        prop_assert_eq!(like(&pattern, &chars), hay.contains(&text), "{:?} in {:?}", text, hay);
    }
}

/// SQL's `LIKE` with `\` as the escape character.
fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        ['\\', wanted, rest @ ..] | [wanted, rest @ ..] => {
            text.first() == Some(wanted) && like(rest, &text[1..])
        }
    }
}

#[test]
fn the_first_waits_are_two_eight_and_thirty_two_seconds() {
    let waits = [1, 2, 3].map(|attempts| backoff(attempts, 1.0).as_secs());
    assert_eq!(waits, [2, 8, 32]);
    assert_eq!(backoff(1, 0.0), Duration::from_millis(1600));
}

macro_rules! text_forms {
    ($($test:ident: $name:ident,)*) => {$(
        #[test]
        fn $test() {
            let mut texts = HashSet::new();
            for it in $name::ALL.iter().copied() {
                let text = it.as_str();
                assert!(texts.insert(text), "`{text}` is used twice");
                assert_eq!(text.parse(), Ok(it));
                assert_eq!(it.to_string(), text);
                assert_eq!(serde_json::to_value(it).unwrap(), text);
                assert_eq!(serde_json::from_value::<$name>(text.into()).unwrap(), it);
            }
            let unknown = "no such thing".parse::<$name>().unwrap_err();
            assert_eq!(unknown.expected.len(), $name::ALL.len());
            assert!(unknown.to_string().starts_with("`no such thing` is not one of `"));
        }
    )*};
}

text_forms! {
    backup_states_have_a_text_form: BackupState,
    restore_states_have_a_text_form: RestoreState,
    triggers_have_a_text_form: Trigger,
    roles_have_a_text_form: Role,
    resource_kinds_have_a_text_form: ResourceKind,
    backup_fields_have_a_text_form: BackupField,
    retention_reasons_have_a_text_form: Reason,
    missed_run_policies_have_a_text_form: MissedRun,
}

#[rstest::rstest]
#[case("UTC", 0)]
#[case("UTC+08:00", 8 * 3600)]
#[case("UTC-03:30", -(3 * 3600 + 30 * 60))]
#[case("Asia/Kolkata", 5 * 3600 + 30 * 60)]
fn a_zone_is_an_iana_name_or_an_offset_from_utc(#[case] name: &str, #[case] seconds: i32) {
    let offset = zone(name).unwrap().to_offset(Timestamp::UNIX_EPOCH);
    assert_eq!(offset.seconds(), seconds);
}

#[rstest::rstest]
#[case("")]
#[case("UTC+8")]
#[case("UTC+24:00")]
#[case("UTC+08:60")]
#[case("UTC*08:00")]
#[case("UTC+é:00")]
#[case("UTCé")]
#[case("Mars/Olympus")]
#[case("../../etc/passwd")]
fn anything_else_is_no_zone(#[case] name: &str) {
    assert!(zone(name).is_none());
}
