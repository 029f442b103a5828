//! Cron: five fields, read by croner, with this crate's rule for clocks that jump.

use croner::parser::{CronParser, Seconds, Year};
use jiff::{Timestamp, tz::TimeZone};

use super::civil;

/// A cron line.
pub(super) struct Cron {
    pattern: croner::Cron,
    /// Its hour field is `*` or `*/n`.
    steps_through_hours: bool,
}

impl Cron {
    /// Reads `minute hour day-of-month month day-of-week`; the names croner knows (`@daily`) are
    /// taken too.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let refuse = |reason: &dyn std::fmt::Display| format!("cron line `{text}`: {reason}");
        let pattern = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(text)
            .map_err(|error| refuse(&error))?;
        let cron = Self {
            steps_through_hours: pattern.pattern.hours.from_wildcard,
            pattern,
        };
        // `0 0 30 2 *` is well formed and would silently never back anything up.
        match cron.next_after(&TimeZone::UTC, Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(cron),
            None => Err(refuse(&"it never occurs")),
        }
    }

    /// The first occurrence later than `after`.
    pub(super) fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let local = after.to_zoned(zone.clone());
        if self.steps_through_hours {
            let next = self.pattern.find_next_occurrence(&local, false).ok()?;
            return Some(next.timestamp());
        }
        // croner sees the zone's clock as if it were UTC's, which never jumps.
        let mut clock = local.datetime().to_zoned(TimeZone::UTC).ok()?;
        loop {
            clock = self.pattern.find_next_occurrence(&clock, false).ok()?;
            let at = civil::resolve(zone, clock.datetime())?;
            if at > after {
                return Some(at);
            }
        }
    }
}
