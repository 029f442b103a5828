//! From a date and time on a zone's clock to an instant.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// The instant at which the zone's clock shows `at`: the first one if it does so twice, the end
/// of the gap if it never does. Never decreases as `at` rises. `None` at the ends of time.
pub(super) fn resolve(zone: &TimeZone, at: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(at).ok()
        }
        // Read with the offset of after the gap, the time lies before the jump.
        AmbiguousOffset::Gap { after, .. } => {
            let before_the_jump = after.to_timestamp(at).ok()?;
            Some(zone.following(before_the_jump).next()?.timestamp())
        }
    }
}
