//! Time that stands still until a test moves it, and ids that come in order.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{Clock, Ids};
use uuid::Uuid;

/// A clock that a test moves. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// A clock that shows `at`, cut to microseconds.
    pub fn at(at: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(at.as_microsecond())))
    }

    /// Moves it on, or back.
    pub fn advance(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).expect("a test moves time by less than an age");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Sets it.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_microsecond(), Ordering::SeqCst);
    }
}

impl Default for TestClock {
    /// Shows 2026-03-01T12:00:00Z.
    fn default() -> Self {
        Self::at("2026-03-01T12:00:00Z".parse().expect("the text is a time"))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst))
            .expect("a test stays within the years that there are")
    }
}

/// Ids `00000000-0000-4000-8000-000000000001` and up: valid version 4 UUIDs in order of creation.
/// Clones continue the same count.
#[derive(Debug, Clone, Default)]
pub struct TestIds(Arc<AtomicU64>);

impl Ids for TestIds {
    fn uuid(&self) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&count.to_be_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_different_version_4_uuids_in_order() {
        let ids = TestIds::default();
        let (first, second) = (ids.uuid(), ids.clone().uuid());
        assert!(first < second);
        assert_eq!(first.get_version_num(), 4);
        assert_eq!(second.to_string(), "00000000-0000-4000-8000-000000000002");
    }

    #[test]
    fn the_clock_moves_only_when_told() {
        let clock = TestClock::default();
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.clone().advance(SignedDuration::from_secs(5));
        assert_eq!(clock.now(), before + SignedDuration::from_secs(5));
    }
}
