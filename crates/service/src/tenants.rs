//! Tenants.

use strongroom_domain::{
    Principal, PrincipalId, Role, Secret, TenantId, principal::Permission, tenant::Tenant,
};

use crate::{
    Caller, Error, Result, Service,
    error::taken,
    identity::{IssuedAccessKey, IssuedToken, PasswordForm, authenticate::caller_of, secrets},
    validate::Faults,
};

/// Random bytes in a generated password: 24 characters in base64url.
const PASSWORD_BYTES: usize = 18;

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
    /// Makes a tenant as [`create_tenant`](Self::create_tenant) does, for an owner of the first
    /// tenant: whoever runs the server.
    pub async fn found_tenant(
        &self,
        caller: &Caller,
        name: &str,
        administrator: &str,
    ) -> Result<CreatedTenant> {
        let needed = Permission::Administer;
        caller.require(needed)?;
        let tenants = self.read().await?.list_tenants().await?;
        if tenants.first().map(|it| it.id) != Some(caller.tenant_id) {
            return Err(Error::Forbidden { needed });
        }
        self.create_tenant(name, administrator).await
    }

    /// Makes a tenant with an owner named `administrator` and fresh random credentials. Checks
    /// nobody's permission: for `init`, and behind [`found_tenant`](Self::found_tenant).
    pub async fn create_tenant(&self, name: &str, administrator: &str) -> Result<CreatedTenant> {
        let mut faults = Faults::default();
        faults.name("name", name);
        faults.name("administrator", administrator);
        faults.check()?;
        let created_at = self.now();
        let tenant = Tenant {
            id: TenantId::from_uuid(self.uuid()),
            name: name.to_owned(),
            created_at,
        };
        let administrator = Principal {
            id: PrincipalId::from_uuid(self.uuid()),
            tenant_id: tenant.id,
            name: administrator.to_owned(),
            role: Role::Owner,
            created_at,
        };
        let password = secrets::new_secret(PASSWORD_BYTES);
        let hash = self
            .inner()
            .passwords
            .hash(PasswordForm::Plain(password.clone()))
            .await?;
        let caller = caller_of(&tenant, &administrator);
        let token = self.new_api_token(&caller, administrator.id, "administrator", None);
        let access_key = self.new_access_key(&caller, administrator.id, "administrator");

        let mut tx = self.begin().await?;
        tx.insert_tenant(&tenant)
            .await
            .map_err(taken("tenant", name))?;
        tx.insert_principal(&administrator).await?;
        tx.set_password_hash(administrator.id, Some(&hash)).await?;
        tx.insert_credential(&token.credential).await?;
        tx.insert_credential(&access_key.credential).await?;
        tx.insert_event(&self.event(&caller, "tenant.created", None))
            .await?;
        tx.commit().await?;
        Ok(CreatedTenant {
            tenant,
            administrator,
            password,
            token,
            access_key,
        })
    }

    /// The caller's tenant.
    pub async fn tenant(&self, caller: &Caller) -> Result<Tenant> {
        self.tenant_by_id(caller, caller.tenant_id).await
    }

    /// The tenant with that id, if the caller may act in it; any other is not found.
    pub async fn tenant_by_id(&self, caller: &Caller, id: TenantId) -> Result<Tenant> {
        caller.require(Permission::Read)?;
        if id != caller.tenant_id {
            return Err(Error::not_found("tenant", id));
        }
        let found = self.read().await?.tenant(id).await?;
        found.ok_or_else(|| Error::not_found("tenant", id))
    }
}
