//! GES's JSON shapes in its two spellings. No logic.

pub(super) mod v1;
pub(super) mod v2;
