//! Typed ids: a backup's id cannot be passed where a restore's is wanted.
//!
//! All ids are random UUIDs, the one shape that every vendor's client accepts. `Display` prints
//! them dashed; [`BackupId::simple`] and its likes print the 32 hex digits that CBR, GES and
//! ZStack use. Parsing takes both.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name this kind of thing.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID without its type.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The id as 32 lower-case hex digits without dashes.
            pub fn simple(self) -> String {
                self.0.simple().to_string()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self).ok_or(InvalidId)
            }
        }
    )*};
}

ids! {
    /// Names a [`Backup`](crate::Backup).
    BackupId,
    /// Names a checkpoint: the group of backups that one request on a vault made.
    CheckpointId,
    /// Names a copy of a backup in another repository; never shown to a client.
    CopyId,
    /// Names a stored credential (API token or access key).
    CredentialId,
    /// Names an audit event.
    EventId,
    /// Names leave to download a backup; who knows it may.
    ExportId,
    /// Names a job; never shown to a client.
    JobId,
    /// Names a thing that only one face knows.
    ObjectId,
    /// Names the client-visible record of long work.
    OperationId,
    /// Names a protection policy.
    PolicyId,
    /// Names whoever acts: a user of a tenant.
    PrincipalId,
    /// Names a repository.
    RepositoryId,
    /// Names a protected resource.
    ResourceId,
    /// Names a restore.
    RestoreId,
    /// Names a login session.
    SessionId,
    /// Names a tenant.
    TenantId,
    /// Names a vault.
    VaultId,
}

/// The text is not a UUID, neither dashed nor as 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct InvalidId;

/// Reads the two shapes we print; `Uuid::parse_str` would also take braces and URNs.
fn parse(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_dashed_and_plain_and_in_no_other_shape() {
        let dashed = "bab39d53-2d04-5297-b92e-58df89a2117b";
        let id: BackupId = dashed.parse().unwrap();
        assert_eq!(id.to_string(), dashed);
        assert_eq!(id.simple().parse::<BackupId>().unwrap(), id);
        for bad in [
            "",
            "bab39d53",
            "{bab39d53-2d04-5297-b92e-58df89a2117b}",
            "zz",
        ] {
            assert_eq!(bad.parse::<BackupId>(), Err(InvalidId), "{bad}");
        }
    }
}
