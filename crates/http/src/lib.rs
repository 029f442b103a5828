//! What all HTTP faces share (extractors, credentials, pages, the composed router) and the native
//! API `/api/v1`.
//!
//! May import `service` and `domain`. Knows no vendor: a dialect hands in a [`dialect::Dialect`]
//! and answers in its own format, also for requests that never reach one of its handlers.

pub mod auth;
pub mod compose;
pub mod dialect;
pub mod download;
pub mod etag;
pub mod extract;
pub mod lenient;
pub mod page;
pub mod problem;
pub mod v1;

mod docs;
mod layers;
mod probes;
