//! Resources: what is protected (Astra's app, CBR's instance, GES's graph, ZStack's database).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ResourceId, TenantId,
    annotations::{Annotations, Label},
    text_enum,
};

text_enum! {
    /// What kind of thing a resource is; each has its folder in `source`.
    pub enum ResourceKind {
        /// A directory tree.
        Files = "files",
        /// A disk image or block device.
        Volume = "volume",
        /// Volumes and directories of one machine, as a consistent group.
        Server = "server",
        /// A MariaDB or MySQL server.
        Mariadb = "mariadb",
        /// A PostgreSQL server.
        Postgres = "postgres",
        /// A graph in a graph database.
        Graph = "graph",
        /// An application in a Kubernetes cluster.
        Kubernetes = "kubernetes",
        /// What an operator-defined dump command writes to its standard output.
        Command = "command",
    }
}

text_enum! {
    /// The vendor API that shows a resource and its backups. The native API shows all.
    pub enum Face {
        /// NetApp Astra Control.
        Astra = "astra",
        /// Huawei Cloud Backup and Recovery, v3.
        Cbr = "cbr",
        /// Huawei Graph Engine Service, v1.0 and v2.
        Ges = "ges",
        /// ZStack.
        Zstack = "zstack",
    }
}

impl ResourceKind {
    /// Whether it is a server with databases: parts that have names.
    pub fn has_databases(self) -> bool {
        matches!(self, Self::Mariadb | Self::Postgres)
    }

    /// The face that shows this kind; a `command` has the one its settings name, or none.
    pub fn face(self) -> Option<Face> {
        match self {
            Self::Files | Self::Volume | Self::Server => Some(Face::Cbr),
            Self::Mariadb | Self::Postgres => Some(Face::Zstack),
            Self::Graph => Some(Face::Ges),
            Self::Kubernetes => Some(Face::Astra),
            Self::Command => None,
        }
    }
}

/// What the operator set for a resource (`--set key=value`), checked by its source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    /// The value of `key`, if set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// Something that can be backed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What kind it is.
    pub kind: ResourceKind,
    /// The vendor API that shows it.
    pub face: Option<Face>,
    /// Unique within the tenant.
    pub name: String,
    /// What its source needs to know.
    pub settings: Settings,
    /// Size of what is protected in bytes, when last seen.
    pub size_bytes: Option<u64>,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// When it was removed; its backups may outlive it.
    pub deleted_at: Option<Timestamp>,
    /// Counts changes; a write names the version it read.
    pub version: i64,
}
