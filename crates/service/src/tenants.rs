//! Tenants.

use strongroom_domain::{Principal, Secret, TenantId, tenant::Tenant};

use crate::{
    Caller, Result, Service,
    identity::{IssuedAccessKey, IssuedToken},
};

/// A tenant that was just made, with everything its administrator needs.
#[derive(Debug, Clone)]
pub struct CreatedTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its first owner.
    pub administrator: Principal,
    /// The administrator's password.
    pub password: Secret,
    /// An API token of the administrator.
    pub token: IssuedToken,
    /// An access key of the administrator.
    pub access_key: IssuedAccessKey,
}

impl Service {
    /// Makes a tenant with an owner named `administrator` and fresh random credentials. Called
    /// by `init` and by owners of the first tenant.
    pub async fn create_tenant(&self, name: &str, administrator: &str) -> Result<CreatedTenant> {
        todo!()
    }

    /// The caller's tenant.
    pub async fn tenant(&self, caller: &Caller) -> Result<Tenant> {
        todo!()
    }

    /// The tenant with that id, if the caller may act in it; any other is not found.
    pub async fn tenant_by_id(&self, caller: &Caller, id: TenantId) -> Result<Tenant> {
        todo!()
    }
}
