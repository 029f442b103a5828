//! What the tests of several crates share: a clock they move, ids they can predict, a whole
//! service over real stores and repositories in memory.
//!
//! Only tests depend on it. It may depend on anything.

pub mod clock;

pub use clock::{TestClock, TestIds};
