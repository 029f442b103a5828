//! Jobs: carrying out what the verbs wrote down.
//!
//! A worker leases a job, works on it in steps, and writes each result in a transaction that also
//! proves that it still holds the lease. Whatever interrupts it (an error, a cancellation, a lost
//! lease, the end of the process) leaves a state from which the next attempt goes on. Jobs are
//! carried out at least once, so every step may find that it was done before.

mod attempt;
mod copy_backup;
mod delete_backup;
mod delete_copies;
mod elsewhere;
mod meter;
mod prune_repository;
mod retention;
mod run_backup;
mod run_restore;
pub(crate) mod running;
mod safety;
mod scan_repository;
mod settle;
mod stop;
mod transfer;
mod verify_repository;
mod worker;

pub use {scan_repository::RESULT as SCAN_RESULT, worker::Workers};

pub(crate) use {attempt::Attempt, run_backup::leaves_nothing, stop::Stop};
