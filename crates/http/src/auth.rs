//! Verification of credentials that several faces share. Each function takes what the client
//! presented and returns the [`Caller`](strongroom_service::Caller) behind it; the faces' own
//! extractors compare its tenant with the path's.

pub mod bearer;
