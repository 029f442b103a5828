//! Between the wire and the core: pure functions, one file per noun. Domain values are taken
//! apart field by field, so that a new field must be shown or left out on purpose.

pub(super) mod backups;
pub(super) mod common;
pub(super) mod copies;
pub(super) mod events;
pub(super) mod operations;
pub(super) mod policies;
pub(super) mod repositories;
pub(super) mod resources;
pub(super) mod restores;
pub(super) mod tenants;
pub(super) mod tokens;
pub(super) mod vaults;
