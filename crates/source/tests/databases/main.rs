//! The sources of database servers, with real servers.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

mod common;
mod mariadb;
mod mysql;
mod postgres;
