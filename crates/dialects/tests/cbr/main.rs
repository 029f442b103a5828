//! The face of Cloud Backup and Recovery over a real server.

mod client;
mod errors;
mod filters;
mod golden;
mod identity;
mod support;
mod vaults;
