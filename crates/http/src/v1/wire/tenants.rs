//! Tenants and their principals on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{PrincipalId, Role, TenantId};
use utoipa::ToSchema;

use super::schema;

/// The isolation boundary that owns everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TenantId,
    /// Its unique name.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A tenant to make.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    /// Its unique name.
    pub name: String,
    /// The login name of its first owner.
    #[serde(default = "admin")]
    pub administrator: String,
}

/// A tenant that was just made, with what its administrator needs. The secrets are never shown
/// again.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its administrator.
    pub administrator: Principal,
    /// The administrator's password.
    pub password: String,
    /// An API token of the administrator.
    pub api_token: String,
    /// An access key id of the administrator.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: String,
}

impl std::fmt::Debug for NewTenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewTenant")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// A user of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: PrincipalId,
    /// Login name, unique within the tenant.
    pub name: String,
    /// What it may do.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A user to add.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePrincipal {
    /// Login name, unique within the tenant.
    pub name: String,
    /// What it may do.
    #[schema(value_type = schema::Role)]
    pub role: Role,
    /// Its password.
    #[schema(write_only)]
    pub password: String,
}

impl std::fmt::Debug for CreatePrincipal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatePrincipal")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whom the presented credential stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The tenant it acts in.
    #[schema(value_type = Uuid)]
    pub tenant_id: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// The user.
    #[schema(value_type = Uuid)]
    pub principal_id: PrincipalId,
    /// The user's login name.
    pub principal_name: String,
    /// What it may do.
    #[schema(value_type = schema::Role)]
    pub role: Role,
}

fn admin() -> String {
    "admin".to_owned()
}
