//! Tenants: the isolation boundary (Astra's account, Huawei's project, ZStack's account).

use jiff::Timestamp;

use crate::TenantId;

/// Owns resources, repositories, policies and backups. Nothing of one tenant is visible to
/// another: a foreign id is the same as an unknown one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id; in CBR's and GES's paths as 32 hex digits.
    pub id: TenantId,
    /// A unique, human-chosen name; also Keystone's project and domain name.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}
