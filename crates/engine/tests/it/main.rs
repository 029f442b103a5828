//! The engine as its users and stock restic see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod crash;
mod damage;
mod interop;
mod maintenance;
mod restore;
mod support;
