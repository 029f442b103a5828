//! The engine as its users and stock restic see it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod backup;
mod budget;
mod cache;
mod cancel;
mod concurrency;
mod crash;
mod damage;
mod exchange;
mod flips;
mod interop;
mod large;
mod late;
mod lost_lock;
mod maintenance;
mod random_access;
mod repair;
mod restore;
mod retry;
mod s3;
mod small;
mod storm;
mod support;
