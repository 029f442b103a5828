//! The native API and the composed router, through a whole server without a socket.

#![expect(clippy::unwrap_used, reason = "tests")]

mod authorisation;
mod backups;
mod bad_input;
mod composed;
mod conditions;
mod documents;
mod idempotency;
mod nouns;
mod stream;
