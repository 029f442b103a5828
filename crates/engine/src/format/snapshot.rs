//! Snapshots: what was backed up when, and the tree it is in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{Id, SnapshotId};

/// One snapshot. Fields and names are restic's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the backup began.
    pub time: Timestamp,
    /// The snapshot it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SnapshotId>,
    /// The root directory.
    pub tree: Id,
    /// What was backed up.
    #[serde(default, deserialize_with = "null_is_default")]
    pub paths: Vec<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// By whom.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// By whom, as a number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uid: u32,
    /// Group of who did it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gid: u32,
    /// What was left out.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub excludes: Vec<String>,
    /// Free texts to find it by.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub tags: Vec<String>,
    /// The snapshot it was rewritten from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<SnapshotId>,
    /// The program that wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program_version: String,
    /// What the backup did; older programs write none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Hash of the snapshot file; not stored in it.
    #[serde(skip, default = "no_id")]
    pub id: SnapshotId,
}

/// What a backup did. Fields and names are restic's; sizes are bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// When it began.
    pub backup_start: Timestamp,
    /// When everything but the snapshot itself was stored.
    pub backup_end: Timestamp,
    /// Files the parent does not have.
    pub files_new: u64,
    /// Files that differ from the parent's.
    pub files_changed: u64,
    /// Files as in the parent.
    pub files_unmodified: u64,
    /// Directories the parent does not have.
    pub dirs_new: u64,
    /// Directories that differ from the parent's.
    pub dirs_changed: u64,
    /// Directories as in the parent.
    pub dirs_unmodified: u64,
    /// Data blobs stored.
    pub data_blobs: u64,
    /// Tree blobs stored.
    pub tree_blobs: u64,
    /// Plaintext of the blobs stored.
    pub data_added: u64,
    /// The same as stored: compressed and sealed.
    pub data_added_packed: u64,
    /// Files in the snapshot.
    pub total_files_processed: u64,
    /// Bytes in these files.
    pub total_bytes_processed: u64,
}

impl Snapshot {
    /// Reads a snapshot file.
    pub(crate) fn parse(id: SnapshotId, json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut snapshot: Self = serde_json::from_slice(json)?;
        snapshot.id = id;
        Ok(snapshot)
    }
}

fn no_id() -> Id {
    Id::from_bytes([0; 32])
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Go prints an empty list as `null`.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_snapshot_of_restic_0_14() {
        let json = r#"{"time":"2022-09-01T10:00:00.123456789+02:00",
            "tree":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "paths":["/srv"],"hostname":"h","username":"root","tags":null,"new_field":1}"#;
        let snapshot = Snapshot::parse(Id::of(b"x"), json.as_bytes()).unwrap();
        assert_eq!(snapshot.paths, ["/srv"]);
        assert_eq!(snapshot.time.to_string(), "2022-09-01T08:00:00.123456789Z");
        assert_eq!(snapshot.id, Id::of(b"x"));
        assert_eq!(snapshot.summary, None);
    }
}
