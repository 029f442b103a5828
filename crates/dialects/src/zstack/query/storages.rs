//! The queryable members of backup storages.

use super::table::{Kind, Table};
use crate::zstack::wire::reply::{BACKUP_STORAGE, IMAGE_STORE};

/// Backup storages of any type.
pub(crate) static TABLE: Table = Table {
    class: BACKUP_STORAGE,
    columns: COLUMNS.split_at(COLUMNS.len() - 3).0,
    children: &[],
};

/// Image stores.
pub(crate) static IMAGE_STORES: Table = Table {
    class: IMAGE_STORE,
    columns: COLUMNS,
    children: &[],
};

const COLUMNS: &[(&str, Kind)] = &[
    ("uuid", Kind::Text),
    ("name", Kind::Text),
    ("url", Kind::Text),
    ("description", Kind::Text),
    ("totalCapacity", Kind::Number),
    ("availableCapacity", Kind::Number),
    ("type", Kind::Text),
    ("state", Kind::Text),
    ("status", Kind::Text),
    ("createDate", Kind::Time),
    ("lastOpDate", Kind::Time),
    ("attachedZoneUuids", Kind::List),
    // What only image stores have.
    ("hostname", Kind::Text),
    ("username", Kind::Text),
    ("sshPort", Kind::Number),
];
