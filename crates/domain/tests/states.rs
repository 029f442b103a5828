//! The state machines: what holds of every state and every path through them.

use std::collections::HashSet;

use proptest::prelude::*;
use strongroom_domain::{BackupState, InvalidTransition, restore::RestoreState};

/// The two machines have the same shape; the tests below are written once for both.
macro_rules! machine {
    ($name:ident, $state:ident, $noun:literal) => {
        mod $name {
            use super::*;

            fn reachable(from: $state) -> HashSet<$state> {
                let mut seen = HashSet::from([from]);
                let mut open = vec![from];
                while let Some(state) = open.pop() {
                    open.extend(state.next().iter().filter(|next| seen.insert(**next)));
                }
                seen
            }

            #[test]
            fn every_state_can_be_reached_from_pending() {
                assert_eq!(reachable($state::Pending).len(), $state::ALL.len());
            }

            #[test]
            fn a_step_is_allowed_exactly_if_it_is_listed() {
                for from in $state::ALL.iter().copied() {
                    for to in $state::ALL.iter().copied() {
                        let refused = InvalidTransition {
                            noun: $noun,
                            state: from.as_str(),
                            wanted: to.as_str(),
                        };
                        let listed = from.next().contains(&to);
                        assert_eq!(from.to(to), if listed { Ok(to) } else { Err(refused) });
                    }
                }
            }

            #[test]
            fn no_state_follows_itself_or_is_listed_twice() {
                for state in $state::ALL.iter().copied() {
                    let next: HashSet<_> = state.next().iter().copied().collect();
                    assert_eq!(next.len(), state.next().len(), "{state}");
                    assert!(!next.contains(&state), "{state}");
                }
            }

            #[test]
            fn active_work_can_always_finish_fail_or_be_cancelled() {
                for state in $state::ALL.iter().copied().filter(|it| it.is_active()) {
                    assert!(state.next().contains(&$state::Failed), "{state}");
                    assert!(state.next().contains(&$state::Cancelled), "{state}");
                    assert!(reachable(state).contains(&$state::Completed), "{state}");
                }
            }

            #[test]
            fn finished_work_never_becomes_active_again() {
                for state in $state::ALL.iter().copied().filter(|it| !it.is_active()) {
                    assert!(reachable(state).iter().all(|it| !it.is_active()), "{state}");
                }
            }

            proptest! {
                #[test]
                fn a_refused_step_names_both_states(from in 0..$state::ALL.len(), to in 0..$state::ALL.len()) {
                    let (from, to) = ($state::ALL[from], $state::ALL[to]);
                    if let Err(error) = from.to(to) {
                        let expected = format!("a {} that is `{from}` cannot become `{to}`", $noun);
                        prop_assert_eq!(error.to_string(), expected);
                    }
                }
            }
        }
    };
}

machine!(backup, BackupState, "backup");
machine!(restore, RestoreState, "restore");

#[test]
fn no_path_leaves_deleted() {
    assert_eq!(BackupState::Deleted.next(), []);
}

#[test]
fn a_backup_is_deleted_only_by_deleting_it() {
    for state in BackupState::ALL.iter().copied() {
        let deletes = state.next().contains(&BackupState::Deleted);
        assert_eq!(deletes, state == BackupState::Deleting, "{state}");
    }
}

#[test]
fn a_backup_that_failed_is_never_restorable_later() {
    for state in [
        BackupState::Failed,
        BackupState::Cancelled,
        BackupState::Deleting,
    ] {
        assert!(
            state.next().iter().all(|next| !next.is_restorable()),
            "{state}"
        );
    }
}

#[test]
fn a_finished_restore_stays_as_it_is() {
    for state in RestoreState::ALL
        .iter()
        .copied()
        .filter(|it| !it.is_active())
    {
        assert_eq!(state.next(), [], "{state}");
    }
}

fn steps() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..40)
}

proptest! {
    #[test]
    fn a_walk_through_a_backups_life_completes_only_from_running(steps in steps()) {
        let mut state = BackupState::Pending;
        let mut ran = false;
        for step in steps {
            // After a deletion was given up, a check finds nothing of what never ran.
            let by_check = matches!(state, BackupState::Unknown | BackupState::Removed);
            let next: Vec<_> = state
                .next()
                .iter()
                .filter(|it| ran || !by_check || !it.is_restorable())
                .collect();
            if next.is_empty() {
                break;
            }
            state = state.to(**step.get(&next)).unwrap();
            ran |= state == BackupState::Running;
            // Whatever can be restored from was read from its source first.
            prop_assert!(ran || !state.is_restorable());
        }
    }
}
