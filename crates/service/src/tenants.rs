//! Tenants.

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Principal, PrincipalId, Role, Secret, TenantId, principal::Permission, tenant::Tenant,
};
use strongroom_store::Tx;

use crate::{
    Caller, Error, Result, Service,
    error::taken,
    idempotency::Sealed,
    identity::{
        IssuedAccessKey, IssuedToken, PasswordForm, authenticate::caller_of, credentials, secrets,
    },
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

/// What a replayed request is answered with.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    tenant: TenantId,
    administrator: PrincipalId,
    password: Sealed,
    token: credentials::Answer,
    access_key: credentials::Answer,
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
        if !self.runs_the_server(caller).await? {
            let needed = Permission::Administer;
            return Err(Error::Forbidden { needed });
        }
        let make = async {
            let (made, hash) = self.new_tenant(name, administrator).await?;
            let mut tx = self.begin().await?;
            self.insert_tenant(&mut tx, &made, &hash).await?;
            self.remember(&mut tx, caller, &self.first_answer_of(&made))
                .await?;
            tx.commit().await?;
            Ok(made)
        };
        self.once(caller, make, |answer| self.founded(answer)).await
    }

    /// Whether the caller is an owner of the first tenant.
    pub(crate) async fn runs_the_server(&self, caller: &Caller) -> Result<bool> {
        if !caller.role.allows(Permission::Administer) {
            return Ok(false);
        }
        let tenants = self.read().await?.list_tenants().await?;
        Ok(tenants.first().map(|it| it.id) == Some(caller.tenant_id))
    }

    /// Makes a tenant with an owner named `administrator` and fresh random credentials. Checks
    /// nobody's permission: for `init`, and behind [`found_tenant`](Self::found_tenant).
    pub async fn create_tenant(&self, name: &str, administrator: &str) -> Result<CreatedTenant> {
        let (made, hash) = self.new_tenant(name, administrator).await?;
        let mut tx = self.begin().await?;
        self.insert_tenant(&mut tx, &made, &hash).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A tenant to insert, with the hash of its administrator's password.
    async fn new_tenant(&self, name: &str, administrator: &str) -> Result<(CreatedTenant, String)> {
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
        let access_key = self.new_access_key(&caller, administrator.id, "administrator", None);
        let made = CreatedTenant {
            tenant,
            administrator,
            password,
            token,
            access_key,
        };
        Ok((made, hash))
    }

    async fn insert_tenant(&self, tx: &mut Tx, made: &CreatedTenant, hash: &str) -> Result<()> {
        tx.insert_tenant(&made.tenant)
            .await
            .map_err(taken("tenant", &made.tenant.name))?;
        tx.insert_principal(&made.administrator).await?;
        tx.set_password_hash(made.administrator.id, Some(hash))
            .await?;
        tx.insert_credential(&made.token.credential).await?;
        tx.insert_credential(&made.access_key.credential).await?;
        let caller = caller_of(&made.tenant, &made.administrator);
        tx.insert_event(&self.event(&caller, "tenant.created", None))
            .await?;
        Ok(())
    }

    fn first_answer_of(&self, made: &CreatedTenant) -> Answer {
        let (token, key) = (&made.token, &made.access_key);
        Answer {
            tenant: made.tenant.id,
            administrator: made.administrator.id,
            password: self.seal_answer(made.administrator.id.uuid(), &made.password),
            token: self.answer_with(&token.credential, &token.token),
            access_key: self.answer_with(&key.credential, &key.secret_key),
        }
    }

    /// The tenant that was made before.
    async fn founded(&self, answer: Answer) -> Result<CreatedTenant> {
        let (id, principal) = (answer.tenant, answer.administrator);
        let (credential, token) = self.issued(id, &answer.token).await?;
        let token = IssuedToken { credential, token };
        let (credential, secret_key) = self.issued(id, &answer.access_key).await?;
        let access_key = IssuedAccessKey {
            credential,
            secret_key,
        };
        let mut read = self.read().await?;
        let tenant = read.tenant(id).await?;
        let administrator = read.principal(id, principal).await?;
        Ok(CreatedTenant {
            tenant: tenant.ok_or_else(|| Error::not_found("tenant", id))?,
            administrator: administrator.ok_or_else(|| Error::not_found("principal", principal))?,
            password: self.open_answer(principal.uuid(), &answer.password)?,
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
