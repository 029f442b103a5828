//! From a token, password or access key to a caller.

use strongroom_domain::{
    Principal, Role, Secret, TenantId,
    credential::{Credential, CredentialKind},
    tenant::Tenant,
};
use zeroize::Zeroize;

use super::{PasswordForm, secrets};
use crate::{Caller, Error, Purpose, Result, Service, error::AuthFailure};

impl Service {
    /// The caller behind an API token. `Unauthenticated` if unknown, revoked or expired.
    pub async fn token_caller(&self, token: &str) -> Result<Caller> {
        if !secrets::is_token(token) {
            return Err(Error::Unauthenticated(AuthFailure::Malformed));
        }
        let (lookup, now) = (secrets::lookup(token), self.now());
        let known = &self.inner().known.tokens;
        let (caller, expires_at) = match known.get(lookup.as_str(), now) {
            Ok(found) => found,
            Err(era) => {
                let (credential, caller) =
                    self.credential(CredentialKind::ApiToken, &lookup).await?;
                let found = (caller, credential.expires_at);
                known.put(lookup, found.clone(), now, era);
                found
            }
        };
        if expires_at.is_some_and(|at| at <= now) {
            return Err(Error::Unauthenticated(AuthFailure::Expired));
        }
        Ok(caller)
    }

    /// The caller and the secret key behind an access key id, to verify a signature with.
    pub async fn access_key(&self, access_key_id: &str) -> Result<(Caller, Secret)> {
        let now = self.now();
        let known = &self.inner().known.access_keys;
        let era = match known.get(access_key_id, now) {
            Ok(found) => return Ok(found),
            Err(era) => era,
        };
        let (credential, caller) = self
            .credential(CredentialKind::AccessKey, access_key_id)
            .await?;
        if credential.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::Unauthenticated(AuthFailure::Expired));
        }
        let found = (caller, self.unseal_secret_key(&credential)?);
        known.put(access_key_id.to_owned(), found.clone(), now, era);
        Ok(found)
    }

    /// The caller behind a name and password. `tenant` names the tenant by name or id; without
    /// it the name is the login of the oldest principal that has it, or else the tenant's own name
    /// (ZStack's account), which stands for its first owner.
    pub async fn password_caller(
        &self,
        tenant: Option<&str>,
        name: &str,
        password: PasswordForm,
    ) -> Result<Caller> {
        let principal = self.find_login(tenant, name).await?;
        let stored = match &principal {
            Some(principal) => self.read().await?.password_hash(principal.id).await?,
            None => None,
        };
        let right = self.inner().passwords.verify(password, stored).await?;
        let principal = principal.filter(|_| right);
        let principal = principal.ok_or(Error::Unauthenticated(AuthFailure::Invalid))?;
        let tenant = self.read().await?.tenant(principal.tenant_id).await?;
        let tenant = tenant.ok_or(Error::Unauthenticated(AuthFailure::Invalid))?;
        Ok(caller_of(&tenant, &principal))
    }

    async fn find_login(&self, tenant: Option<&str>, name: &str) -> Result<Option<Principal>> {
        if let Some(tenant) = tenant {
            let Some(tenant) = self.find_tenant(tenant).await? else {
                return Ok(None);
            };
            return Ok(self.read().await?.principal_named(tenant.id, name).await?);
        }
        // Of several, the oldest: a new tenant must not take anybody's login away.
        let logins = self.read().await?.principals_named(name).await?;
        if let Some(oldest) = logins.into_iter().next() {
            return Ok(Some(oldest));
        }
        let Some(tenant) = self.read().await?.tenant_named(name).await? else {
            return Ok(None);
        };
        let principals = self.read().await?.list_principals(tenant.id).await?;
        Ok(principals
            .into_iter()
            .find(|principal| principal.role == Role::Owner))
    }

    /// The tenant that a login names, by name or id.
    async fn find_tenant(&self, name_or_id: &str) -> Result<Option<Tenant>> {
        if let Ok(id) = name_or_id.parse::<TenantId>()
            && let Some(tenant) = self.read().await?.tenant(id).await?
        {
            return Ok(Some(tenant));
        }
        Ok(self.read().await?.tenant_named(name_or_id).await?)
    }

    async fn credential(&self, kind: CredentialKind, lookup: &str) -> Result<(Credential, Caller)> {
        let found = self.read().await?.credential_owner(kind, lookup).await?;
        let found = found.filter(|(credential, _)| credential.enabled);
        let (credential, owner) = found.ok_or(Error::Unauthenticated(AuthFailure::Invalid))?;
        Ok((credential, caller_of(&owner.tenant, &owner.principal)))
    }

    fn unseal_secret_key(&self, credential: &Credential) -> Result<Secret> {
        let sealed = credential.sealed_secret.as_deref().unwrap_or_default();
        let opened = self
            .inner()
            .keyring
            .open(Purpose::AccessKey, credential.id.uuid(), sealed)
            .map_err(Error::internal)?;
        String::from_utf8(opened.to_vec())
            .map(Secret::new)
            .map_err(|error| {
                error.into_bytes().zeroize();
                Error::internal("a secret key is not text")
            })
    }
}

/// The principal acting in its tenant.
pub(crate) fn caller_of(tenant: &Tenant, principal: &Principal) -> Caller {
    Caller {
        tenant_id: tenant.id,
        tenant_name: tenant.name.clone(),
        principal_id: principal.id,
        principal_name: principal.name.clone(),
        role: principal.role,
        face: None,
        key: None,
    }
}
