//! API tokens and access keys.

use jiff::Timestamp;
use strongroom_domain::{
    CredentialId, Principal, PrincipalId, TenantId,
    credential::{Credential, CredentialKind},
    tenant::Tenant,
};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value, sql},
    record::{Record, values},
    tenants,
};

/// Whom a credential or session stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Who acts.
    pub principal: Principal,
    /// In which tenant.
    pub tenant: Tenant,
}

/// What a join with principals `p` and tenants `t` selects for [`read_owner`].
pub(crate) const OWNER_COLUMNS: &str =
    "p.id, p.tenant_id, p.name, p.role, p.created_at, t.id, t.name, t.created_at";

pub(crate) fn read_owner(row: &mut Reader<'_>) -> Result<Owner> {
    Ok(Owner {
        principal: Principal::read(row)?,
        tenant: tenants::read_joined(row)?,
    })
}

impl Record for Credential {
    const TABLE: &'static str = "credentials";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "principal_id",
        "kind",
        "name",
        "lookup",
        "sealed_secret",
        "enabled",
        "created_at",
        "expires_at",
    ];
    const UNIQUE: &'static str = "credential";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            principal_id,
            kind,
            name,
            lookup,
            sealed_secret,
            enabled,
            created_at,
            expires_at,
        } = self;
        values![
            *id,
            *tenant_id,
            *principal_id,
            kind.as_str(),
            name.as_str(),
            lookup.as_str(),
            sealed_secret.clone(),
            *enabled,
            *created_at,
            *expires_at,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(CredentialId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            principal_id: row.id(PrincipalId::from_uuid)?,
            kind: row.word()?,
            name: row.text()?,
            lookup: row.text()?,
            sealed_secret: row.bytes_opt()?,
            enabled: row.bool()?,
            created_at: row.time()?,
            expires_at: row.time_opt()?,
        })
    }
}

impl Conn {
    /// The credential that a request presents, with whom it stands for; also an expired one.
    pub async fn credential_owner(
        &mut self,
        kind: CredentialKind,
        lookup: &str,
    ) -> Result<Option<(Credential, Owner)>> {
        let columns: Vec<_> = Credential::COLUMNS
            .iter()
            .map(|it| format!("c.{it}"))
            .collect();
        let text = format!(
            "SELECT {}, {OWNER_COLUMNS} FROM credentials c \
             JOIN principals p ON p.id = c.principal_id \
             JOIN tenants t ON t.id = c.tenant_id \
             WHERE c.lookup = $1 AND c.kind = $2",
            columns.join(", ")
        );
        let row = self.one(sql(text).bind(lookup).bind(kind.as_str())).await?;
        row.map(|row| {
            let mut row = row.reader("credentials");
            Ok((Credential::read(&mut row)?, read_owner(&mut row)?))
        })
        .transpose()
    }

    /// One credential.
    pub async fn credential(
        &mut self,
        tenant: TenantId,
        id: CredentialId,
    ) -> Result<Option<Credential>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// The tenant's credentials, or one principal's, oldest first.
    pub async fn list_credentials(
        &mut self,
        tenant: TenantId,
        principal: Option<PrincipalId>,
    ) -> Result<Vec<Credential>> {
        if let Some(principal) = principal {
            let rest = "WHERE tenant_id = $1 AND principal_id = $2 ORDER BY created_at, id";
            self.find_all(rest, values![tenant, principal]).await
        } else {
            let rest = "WHERE tenant_id = $1 ORDER BY created_at, id";
            self.find_all(rest, values![tenant]).await
        }
    }
}

impl Tx {
    /// Adds a credential.
    pub async fn insert_credential(&mut self, credential: &Credential) -> Result<()> {
        self.insert(credential).await
    }

    /// Switches a credential on or off; `false` if there was none.
    pub async fn switch_credential(
        &mut self,
        tenant: TenantId,
        id: CredentialId,
        enabled: bool,
    ) -> Result<bool> {
        let text = "UPDATE credentials SET enabled = $3 WHERE tenant_id = $1 AND id = $2";
        let statement = sql(text).bind(tenant).bind(id).bind(enabled);
        Ok(self.execute(statement).await? > 0)
    }

    /// Revokes a credential; `false` if there was none.
    pub async fn delete_credential(&mut self, tenant: TenantId, id: CredentialId) -> Result<bool> {
        let statement = sql("DELETE FROM credentials WHERE tenant_id = $1 AND id = $2")
            .bind(tenant)
            .bind(id);
        Ok(self.execute(statement).await? > 0)
    }

    /// Removes the credentials that ended before `before`; gives their number.
    pub async fn purge_credentials(&mut self, before: Timestamp) -> Result<u64> {
        self.execute(sql("DELETE FROM credentials WHERE expires_at < $1").bind(before))
            .await
    }
}
