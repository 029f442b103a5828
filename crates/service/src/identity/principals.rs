//! The principals of a tenant.

use strongroom_domain::{Principal, PrincipalId, Role, Secret, principal::Permission};

use super::PasswordForm;
use crate::{Caller, Error, Result, Service, error::taken, validate::Faults};

/// Shortest password in characters.
const MIN_PASSWORD: usize = 8;

impl Service {
    /// The principals of the caller's tenant.
    pub async fn list_principals(&self, caller: &Caller) -> Result<Vec<Principal>> {
        caller.require(Permission::Read)?;
        Ok(self.read().await?.list_principals(caller.tenant_id).await?)
    }

    /// Adds a principal to the caller's tenant; takes an owner.
    pub async fn create_principal(
        &self,
        caller: &Caller,
        name: &str,
        role: Role,
        password: &Secret,
    ) -> Result<Principal> {
        caller.require(Permission::Administer)?;
        let make = self.add_principal(caller, name, role, password);
        self.once(caller, make, async |id: PrincipalId| {
            let found = self.read().await?.principal(caller.tenant_id, id).await?;
            found.ok_or_else(|| Error::not_found("principal", id))
        })
        .await
    }

    async fn add_principal(
        &self,
        caller: &Caller,
        name: &str,
        role: Role,
        password: &Secret,
    ) -> Result<Principal> {
        let mut faults = Faults::default();
        faults.name("name", name);
        if password.expose().chars().count() < MIN_PASSWORD {
            faults.add(
                "password",
                format!("must have at least {MIN_PASSWORD} characters"),
            );
        }
        faults.check()?;
        let hash = self
            .inner()
            .passwords
            .hash(PasswordForm::Plain(password.clone()))
            .await?;
        let principal = Principal {
            id: PrincipalId::from_uuid(self.uuid()),
            tenant_id: caller.tenant_id,
            name: name.to_owned(),
            role,
            created_at: self.now(),
        };
        let mut tx = self.begin().await?;
        tx.insert_principal(&principal)
            .await
            .map_err(taken("principal", name))?;
        tx.set_password_hash(principal.id, Some(&hash)).await?;
        tx.insert_event(&self.event(caller, "principal.created", None))
            .await?;
        self.remember(&mut tx, caller, &principal.id).await?;
        tx.commit().await?;
        Ok(principal)
    }
}
