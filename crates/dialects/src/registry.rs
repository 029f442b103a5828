//! The dialects that are served.

use strongroom_http::dialect::Dialect;

/// Every dialect; one line each.
pub const ALL: &[Dialect] = &[
    crate::astra::DIALECT,
    crate::cbr::DIALECT,
    crate::ges::DIALECT,
    crate::zstack::DIALECT,
];
