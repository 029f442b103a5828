//! What holds of retention for any rules and any history.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use strongroom_domain::{
    BackupId, BackupState,
    retention::{Candidate, Retention},
};
use uuid::Uuid;

const RULES: usize = 7;

fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    // Up to three years of history, with enough ties to matter.
    let one = (
        0..3 * 365 * 24_i64,
        0..BackupState::ALL.len() + 6,
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(one, 0..60).prop_map(|all| {
        let candidate = |(n, (hours, state, held)): (usize, (i64, usize, bool))| Candidate {
            id: BackupId::from_uuid(Uuid::from_u128(n as u128)),
            at: now() - SignedDuration::from_hours(hours),
            state: *BackupState::ALL
                .get(state)
                .unwrap_or(&BackupState::Completed),
            held,
        };
        all.into_iter().enumerate().map(candidate).collect()
    })
}

/// At least one rule.
fn rules() -> impl Strategy<Value = [Option<u32>; RULES]> {
    prop::array::uniform7(prop::option::weighted(0.4, 0..12_u32))
        .prop_filter("no rule keeps everything", |rules| {
            rules.iter().any(Option::is_some)
        })
}

fn retention(rules: [Option<u32>; RULES]) -> Retention {
    let [last, hourly, daily, weekly, monthly, yearly, within_days] = rules;
    Retention {
        last,
        hourly,
        daily,
        weekly,
        monthly,
        yearly,
        within_seconds: within_days.map(|days| u64::from(days) * 86_400),
        zone: Some("Europe/Berlin".to_owned()),
    }
}

fn kept(rules: [Option<u32>; RULES], candidates: &[Candidate]) -> BTreeSet<BackupId> {
    let decisions = retention(rules).decide(candidates, now());
    let asked: Vec<_> = candidates.iter().map(|it| it.id).collect();
    let answered: Vec<_> = decisions.iter().map(|it| it.id).collect();
    assert_eq!(asked, answered);
    decisions
        .into_iter()
        .filter(|it| it.keep)
        .map(|it| it.id)
        .collect()
}

fn newest_good(candidates: &[Candidate]) -> Option<BackupId> {
    let good = candidates
        .iter()
        .filter(|it| it.state == BackupState::Completed);
    good.max_by_key(|it| (it.at, it.id)).map(|it| it.id)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_good_copy_always_stays(rules in rules(), candidates in candidates()) {
        let kept = kept(rules, &candidates);
        prop_assert!(newest_good(&candidates).is_none_or(|id| kept.contains(&id)));
    }

    #[test]
    fn a_larger_or_further_rule_never_removes_more(
        rules in rules(),
        which in 0..RULES,
        more in 1..10_u32,
        candidates in candidates(),
    ) {
        let mut wider = rules;
        wider[which] = Some(rules[which].unwrap_or(0) + more);
        prop_assert!(kept(wider, &candidates).is_superset(&kept(rules, &candidates)));
    }

    #[test]
    fn rules_keep_the_union_of_what_each_keeps(rules in rules(), candidates in candidates()) {
        let mut union = BTreeSet::new();
        for which in (0..RULES).filter(|which| rules[*which].is_some()) {
            let mut alone = [None; RULES];
            alone[which] = rules[which];
            union.extend(kept(alone, &candidates));
        }
        prop_assert_eq!(kept(rules, &candidates), union);
    }

    #[test]
    fn deciding_about_what_stayed_removes_nothing(rules in rules(), candidates in candidates()) {
        let first = kept(rules, &candidates);
        let left: Vec<_> = candidates.into_iter().filter(|it| first.contains(&it.id)).collect();
        prop_assert_eq!(kept(rules, &left), first);
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter(
        rules in rules(),
        (candidates, shuffled) in candidates().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        prop_assert_eq!(kept(rules, &candidates), kept(rules, &shuffled));
    }

    #[test]
    fn what_is_held_or_busy_always_stays(rules in rules(), candidates in candidates()) {
        let kept = kept(rules, &candidates);
        for it in &candidates {
            if it.held || it.state.is_active() || it.state == BackupState::Deleting {
                prop_assert!(kept.contains(&it.id));
            }
        }
    }

    #[test]
    fn a_count_of_last_keeps_so_many_complete_copies(count in 1..20_u32, candidates in candidates()) {
        let mut rules = [None; RULES];
        rules[0] = Some(count);
        let kept = kept(rules, &candidates);
        let good = candidates.iter().filter(|it| it.state == BackupState::Completed);
        let free = good.clone().filter(|it| !it.held).count();
        let kept_good = good.filter(|it| kept.contains(&it.id)).count();
        prop_assert!(kept_good >= free.min(count as usize));
    }
}
