//! The two things a deterministic program must be handed: the time and fresh ids.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use uuid::Uuid;

/// Tells the time. The only real implementation lives in the binary; tests use one they move.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The current instant, truncated to microseconds (what both databases keep).
    fn now(&self) -> Timestamp;
}

/// Makes fresh random (version 4) UUIDs.
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// A UUID never returned before.
    fn uuid(&self) -> Uuid;
}

/// Drops what is finer than a microsecond, so that a value survives a round trip through the
/// database unchanged.
pub fn truncate(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// The time zone of that name: an IANA name such as `Europe/Berlin`, or `UTC` with or without an
/// offset (`UTC+05:30`, as CBR writes them).
pub fn zone(name: &str) -> Option<TimeZone> {
    match name.strip_prefix("UTC") {
        Some("") => Some(TimeZone::UTC),
        Some(offset) => fixed(offset).map(TimeZone::fixed),
        None => TimeZone::get(name).ok(),
    }
}

/// Reads `+hh:mm` or `-hh:mm`, less than a day.
fn fixed(text: &str) -> Option<Offset> {
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let number = |digits: &str, limit: i32| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        plain
            .then(|| digits.parse().ok())
            .flatten()
            .filter(|n: &i32| *n < limit)
    };
    let seconds = number(hours, 24)? * 3600 + number(minutes, 60)? * 60;
    match text.as_bytes().first()? {
        b'+' => Offset::from_seconds(seconds).ok(),
        b'-' => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}
