//! The face of Cloud Backup and Recovery over a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod client;
mod errors;
mod filters;
mod golden;
mod identity;
mod support;
mod vaults;
