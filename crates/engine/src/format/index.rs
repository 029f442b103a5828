//! Index files: which blobs are where in which packs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::BlobKind;
use super::snapshot::null_is_default;
use crate::id::Id;

/// One index file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct IndexFile {
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub(crate) supersedes: Vec<Id>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) packs: Vec<IndexPack>,
    /// Packs that are to be deleted later; rustic's field, which restic passes over.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub(crate) packs_to_delete: Vec<MarkedPack>,
}

/// A pack that nothing needed at some time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MarkedPack {
    #[serde(flatten)]
    pub(crate) pack: IndexPack,
    pub(crate) time: Timestamp,
}

/// The blobs of one pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexPack {
    pub(crate) id: Id,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(crate) blobs: Vec<IndexBlob>,
}

/// One blob in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexBlob {
    pub(crate) id: Id,
    #[serde(rename = "type")]
    pub(crate) kind: BlobKind,
    pub(crate) offset: u32,
    /// Length as stored.
    pub(crate) length: u32,
    /// Length of the plaintext if the blob is compressed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) uncompressed_length: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl IndexBlob {
    /// Length of the plaintext.
    pub(crate) fn plain_length(&self) -> u64 {
        if self.uncompressed_length == 0 {
            u64::from(self.length).saturating_sub(crate::crypto::OVERHEAD as u64)
        } else {
            u64::from(self.uncompressed_length)
        }
    }

    /// First byte after the blob in its pack.
    pub(crate) fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.length)
    }
}
