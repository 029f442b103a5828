//! The real clock, the real ids, the real environment.

use jiff::Timestamp;
use strongroom_domain::{Clock, Ids, time::truncate};
use uuid::Uuid;

/// The machine's wall clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    fn now(&self) -> Timestamp {
        truncate(Timestamp::now())
    }
}

/// The value of an environment variable that is text.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Ids from the system's random numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RandomIds;

impl Ids for RandomIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes random ids"
    )]
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}
