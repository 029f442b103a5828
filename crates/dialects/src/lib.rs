//! The vendors' APIs, one folder each. A dialect translates between its vendor's wire format and
//! the verbs of `service`; it decides nothing.
//!
//! May import `http`, `service` and `domain`; no dialect imports another.

pub mod astra;
pub mod cbr;
pub mod ges;
pub mod registry;
pub mod zstack;
