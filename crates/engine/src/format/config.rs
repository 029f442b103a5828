//! The repository's config file.

use serde::{Deserialize, Serialize};

use crate::chunk::Polynomial;
use crate::id::Id;

/// Fixed properties of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) version: u32,
    pub(crate) id: Id,
    pub(crate) chunker_polynomial: Polynomial,
}
