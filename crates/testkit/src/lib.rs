//! What the tests of several crates share: a clock they move, ids they can predict, a whole
//! service over real stores and repositories in memory.
//!
//! Only tests depend on it. It may depend on anything.

pub mod app;
pub mod clients;
pub mod clock;
pub mod database;
pub mod faults;
pub mod script;
pub mod service;

pub use app::{Answer, TestApp};
pub use clients::vendor_client;
pub use clock::{TestClock, TestIds};
pub use database::{Database, Engine};
pub use faults::Faults;
pub use script::{Gate, Script, Step};
pub use service::{TestParts, TestService};
/// What can be protected, for faces that test with sources of their own.
pub use strongroom_source as source;
