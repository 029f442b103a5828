//! Tenants and their principals.

use strongroom_domain::{Principal, tenant::Tenant};
use strongroom_service::{Caller, tenants::CreatedTenant};

use crate::v1::wire::{self, Me, NewTenant};

impl From<Tenant> for wire::Tenant {
    fn from(tenant: Tenant) -> Self {
        let Tenant {
            id,
            name,
            created_at,
        } = tenant;
        Self {
            id,
            name,
            created_at,
        }
    }
}

impl From<Principal> for wire::Principal {
    fn from(principal: Principal) -> Self {
        let Principal {
            id,
            tenant_id: _,
            name,
            role,
            created_at,
        } = principal;
        Self {
            id,
            name,
            role,
            created_at,
        }
    }
}

impl From<CreatedTenant> for NewTenant {
    fn from(created: CreatedTenant) -> Self {
        let CreatedTenant {
            tenant,
            administrator,
            password,
            token,
            access_key,
        } = created;
        Self {
            tenant: tenant.into(),
            administrator: administrator.into(),
            password: password.expose().to_owned(),
            api_token: token.token.expose().to_owned(),
            access_key: access_key.credential.lookup,
            secret_key: access_key.secret_key.expose().to_owned(),
        }
    }
}

impl From<Caller> for Me {
    fn from(caller: Caller) -> Self {
        let Caller {
            tenant_id,
            tenant_name,
            principal_id,
            principal_name,
            role,
            face: _,
            key: _,
        } = caller;
        Self {
            tenant_id,
            tenant_name,
            principal_id,
            principal_name,
            role,
        }
    }
}
