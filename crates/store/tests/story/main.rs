//! The store's story, told once and run on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests")]

mod backups;
mod connections;
mod copies;
mod jobs;
mod lists;
mod nouns;
mod opening;
mod policies;
mod sample;
