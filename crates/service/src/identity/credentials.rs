//! API tokens and access keys: made, listed, revoked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    CredentialId, PrincipalId, Role, Secret, TenantId,
    credential::{Credential, CredentialKind},
    principal::Permission,
};

use super::{IssuedAccessKey, IssuedToken, secrets};
use crate::{
    Caller, Error, Purpose, Result, Service, error::taken, idempotency::Sealed, validate::Faults,
};

/// Random bytes in a secret key: 40 characters in base64url, as long as vendors' are.
const SECRET_KEY_BYTES: usize = 30;

/// What a replayed request is answered with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    credential: CredentialId,
    secret: Sealed,
}

impl Service {
    /// Makes an API token for the caller (or, for an owner, for another principal of its tenant).
    pub async fn create_token(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<IssuedToken> {
        let make = async {
            self.check_new_credential(caller, principal, name, expires_at)
                .await?;
            let issued = self.new_api_token(caller, principal, name, expires_at);
            self.insert_credential(caller, &issued.credential, &issued.token)
                .await?;
            Ok(issued)
        };
        let again = async |answer: Answer| {
            let (credential, token) = self.issued(caller.tenant_id, &answer).await?;
            Ok(IssuedToken { credential, token })
        };
        self.once(caller, make, again).await
    }

    /// Makes an access key for the caller (or, for an owner, for another principal).
    pub async fn create_access_key(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        name: &str,
    ) -> Result<IssuedAccessKey> {
        let make = async {
            self.check_new_credential(caller, principal, name, None)
                .await?;
            let issued = self.new_access_key(caller, principal, name, None);
            self.insert_credential(caller, &issued.credential, &issued.secret_key)
                .await?;
            Ok(issued)
        };
        let again = async |answer: Answer| {
            let (credential, secret_key) = self.issued(caller.tenant_id, &answer).await?;
            Ok(IssuedAccessKey {
                credential,
                secret_key,
            })
        };
        self.once(caller, make, again).await
    }

    /// Makes an access key whose id and secret the client chose, at least ten characters each.
    pub async fn import_access_key(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        name: &str,
        access_key_id: &str,
        secret_key: Secret,
    ) -> Result<IssuedAccessKey> {
        self.check_new_credential(caller, principal, name, None)
            .await?;
        let mut faults = Faults::default();
        let plain = |text: &str| text.bytes().all(|it| it.is_ascii_graphic() && it != b':');
        if access_key_id.len() < 10 || !plain(access_key_id) {
            faults.add("access_key_id", "must be ten printable characters or more");
        }
        if secret_key.expose().len() < 10 {
            faults.add("secret_key", "must have ten characters or more");
        }
        faults.check()?;
        let chosen = Some((access_key_id.to_owned(), secret_key));
        let issued = self.new_access_key(caller, principal, name, chosen);
        self.insert_credential(caller, &issued.credential, &issued.secret_key)
            .await?;
        Ok(issued)
    }

    /// The tokens and access keys that the caller may see: its own, or all of the tenant for an
    /// owner.
    pub async fn list_credentials(&self, caller: &Caller) -> Result<Vec<Credential>> {
        caller.require(Permission::Read)?;
        let only = (caller.role < Role::Owner).then_some(caller.principal_id);
        Ok(self
            .read()
            .await?
            .list_credentials(caller.tenant_id, only)
            .await?)
    }

    /// Revokes a token or access key: one of the caller's own or, for an owner, any of the tenant.
    pub async fn delete_credential(&self, caller: &Caller, id: CredentialId) -> Result<()> {
        caller.require(Permission::Write)?;
        let found = self.list_credentials(caller).await?;
        if !found.iter().any(|it| it.id == id) {
            return Err(Error::not_found("credential", id));
        }
        let mut tx = self.begin().await?;
        tx.delete_credential(caller.tenant_id, id).await?;
        tx.insert_event(&self.event(caller, "credential.revoked", None))
            .await?;
        tx.commit().await?;
        self.inner().known.clear();
        Ok(())
    }

    /// Switches a token or access key on or off: one of the caller's own or, for an owner, any of
    /// the tenant. One that is off opens nothing.
    pub async fn switch_credential(
        &self,
        caller: &Caller,
        id: CredentialId,
        enabled: bool,
    ) -> Result<Credential> {
        caller.require(Permission::Write)?;
        let found = self.list_credentials(caller).await?;
        let found = found.into_iter().find(|it| it.id == id);
        let found = found.ok_or_else(|| Error::not_found("credential", id))?;
        let mut tx = self.begin().await?;
        tx.switch_credential(caller.tenant_id, id, enabled).await?;
        let name = if enabled {
            "credential.enabled"
        } else {
            "credential.disabled"
        };
        tx.insert_event(&self.event(caller, name, None)).await?;
        tx.commit().await?;
        self.inner().known.clear();
        Ok(Credential { enabled, ..found })
    }

    async fn check_new_credential(
        &self,
        caller: &Caller,
        principal: PrincipalId,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<()> {
        let own = principal == caller.principal_id;
        caller.require(if own {
            Permission::Write
        } else {
            Permission::Administer
        })?;
        let mut faults = Faults::default();
        faults.name("name", name);
        if expires_at.is_some_and(|at| at <= self.now()) {
            faults.add("expires_at", "must not be in the past");
        }
        faults.check()?;
        let found = self
            .read()
            .await?
            .principal(caller.tenant_id, principal)
            .await?;
        found
            .map(drop)
            .ok_or_else(|| Error::not_found("principal", principal))
    }

    async fn insert_credential(
        &self,
        caller: &Caller,
        credential: &Credential,
        secret: &Secret,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.insert_credential(credential)
            .await
            .map_err(taken("credential", &credential.name))?;
        tx.insert_event(&self.event(caller, "credential.created", None))
            .await?;
        let answer = self.answer_with(credential, secret);
        self.remember(&mut tx, caller, &answer).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What is remembered of a credential that was just made.
    pub(crate) fn answer_with(&self, credential: &Credential, secret: &Secret) -> Answer {
        let id = credential.id;
        Answer {
            credential: id,
            secret: self.seal_answer(id.uuid(), secret),
        }
    }

    /// The credential that was made before, unless it was revoked since, with its secret.
    pub(crate) async fn issued(
        &self,
        tenant: TenantId,
        answer: &Answer,
    ) -> Result<(Credential, Secret)> {
        let id = answer.credential;
        let all = self.read().await?.list_credentials(tenant, None).await?;
        let found = all.into_iter().find(|it| it.id == id);
        let found = found.ok_or_else(|| Error::not_found("credential", id))?;
        Ok((found, self.open_answer(id.uuid(), &answer.secret)?))
    }

    /// A fresh token; the caller stores its credential.
    pub(crate) fn new_api_token(
        &self,
        caller: &Caller,
        principal_id: PrincipalId,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> IssuedToken {
        let token = secrets::new_token();
        let credential = Credential {
            id: CredentialId::from_uuid(self.uuid()),
            tenant_id: caller.tenant_id,
            principal_id,
            kind: CredentialKind::ApiToken,
            name: name.to_owned(),
            lookup: secrets::lookup(token.expose()),
            sealed_secret: None,
            enabled: true,
            created_at: self.now(),
            expires_at,
        };
        IssuedToken { credential, token }
    }

    /// A fresh access key; the caller stores its credential.
    pub(crate) fn new_access_key(
        &self,
        caller: &Caller,
        principal_id: PrincipalId,
        name: &str,
        chosen: Option<(String, Secret)>,
    ) -> IssuedAccessKey {
        let (access_key_id, secret_key) = chosen.unwrap_or_else(|| {
            let secret_key = secrets::new_secret(SECRET_KEY_BYTES);
            (secrets::new_access_key_id(), secret_key)
        });
        let id = CredentialId::from_uuid(self.uuid());
        let plain = secret_key.expose().as_bytes();
        let credential = Credential {
            id,
            tenant_id: caller.tenant_id,
            principal_id,
            kind: CredentialKind::AccessKey,
            name: name.to_owned(),
            lookup: access_key_id,
            sealed_secret: Some(
                self.inner()
                    .keyring
                    .seal(Purpose::AccessKey, id.uuid(), plain),
            ),
            enabled: true,
            created_at: self.now(),
            expires_at: None,
        };
        IssuedAccessKey {
            credential,
            secret_key,
        }
    }
}
