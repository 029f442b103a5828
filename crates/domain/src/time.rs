//! The two things a deterministic program must be handed: the time and fresh ids.

use jiff::Timestamp;
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
