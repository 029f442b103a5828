//! One file per noun of the vendor's.

pub(super) mod backups;
pub(super) mod checkpoints;
pub(super) mod identity;
pub(super) mod operation_logs;
pub(super) mod policies;
pub(super) mod protectables;
pub(super) mod vaults;
pub(super) mod versions;

use serde::Deserialize;
use strongroom_http::extract;

use super::error::Error;

/// A JSON object in the body.
type Body<T> = extract::Body<extract::Object<T>, Error>;
/// The query.
type Query<T> = extract::Params<T, Error>;
/// What is named in the path.
type Path<T> = extract::PathParams<T, Error>;

/// The last id of a path. As text: an id that cannot be one is not found like any other.
#[derive(Debug, Deserialize)]
pub(in crate::cbr) struct OfOne {
    id: String,
}
