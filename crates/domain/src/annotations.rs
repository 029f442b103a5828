//! Vendor attributes that the core keeps but does not understand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values that a face was given and must read back, by `<face>.<name>` key,
/// e.g. `cbr.billing` or `astra.version`, or that a source told, by `source.<name>`. The core never
/// looks inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Annotations(pub BTreeMap<String, serde_json::Value>);

impl Annotations {
    /// The value under `key`, if it is a string.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(serde_json::Value::as_str)
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&serde_json::Value> {
        self.0.get(key)
    }

    /// Keeps `value` under `key`; null removes the key.
    pub fn set(&mut self, key: &str, value: impl Into<serde_json::Value>) {
        match value.into() {
            serde_json::Value::Null => self.0.remove(key),
            value => self.0.insert(key.to_owned(), value),
        };
    }
}

/// What a backup of a database server says of the server: an annotation, as only some backups have
/// it and the core makes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseServer {
    /// `MariaDB`, `MySQL` or `PostgreSQL`.
    pub product: String,
    /// The server's version, as it says it.
    pub version: String,
    /// The version of the program that made the backup.
    pub tool: String,
    /// `logical` or `physical`.
    pub mode: String,
    /// Where the server's log stood when the backup began, as far as it told; null if it keeps none.
    pub position: serde_json::Value,
    /// How many databases are in the backup.
    pub databases: u64,
    /// Their bytes on the server's disk, if it told those of all.
    pub size_bytes: Option<u64>,
}

impl DatabaseServer {
    /// The annotation's key.
    pub const KEY: &str = "source.server";

    /// What the annotations say, if they say it.
    pub fn of(annotations: &Annotations) -> Option<Self> {
        Self::deserialize(annotations.get(Self::KEY)?).ok()
    }
}

/// A name and value that a client attached to something; shown by every face that has labels or
/// tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// The label's name.
    pub name: String,
    /// The label's value, possibly empty.
    pub value: String,
}
