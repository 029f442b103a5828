//! The ZStack face against a real service: the seed page's calls, a client with the headers of
//! ZStack's SDKs, the query languages, and bad input.

#![expect(clippy::unwrap_used, reason = "tests")]

mod actions;
mod bad_input;
mod catalog;
mod client;
mod curl;
mod durable;
mod errors;
mod found;
mod golden;
mod late;
mod mariadb;
mod naive;
mod neighbours;
mod postgres;
mod query;
mod recover;
mod scheduler;
mod servers;
mod small;
mod story;
mod transport;
mod zql;
