//! The repository's config file.

use serde::{Deserialize, Serialize};

use crate::chunk::{ContentRule, Polynomial};
use crate::id::Id;

/// Fixed properties of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) version: u32,
    pub(crate) id: Id,
    pub(crate) chunker_polynomial: Polynomial,
    /// Ours; other programs ignore it.
    #[serde(default, skip_serializing_if = "is_rabin")]
    pub(crate) strongroom_chunker: ContentRule,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_rabin(rule: &ContentRule) -> bool {
    *rule == ContentRule::Rabin
}
