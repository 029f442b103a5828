//! The ZStack face against a real service: the seed page's calls, a client with the headers of
//! ZStack's SDKs, the query languages, and bad input.

#![expect(clippy::unwrap_used, reason = "tests")]

mod actions;
mod bad_input;
mod client;
mod curl;
mod golden;
mod naive;
mod neighbours;
mod query;
mod scheduler;
mod story;
mod zql;
