//! Policies with their targets.

use jiff::Timestamp;
use strongroom_domain::{
    Face, PolicyId, ResourceId, TenantId, VaultId,
    policy::{Policy, PolicyTarget},
};
use uuid::Uuid;

use crate::{
    Conn, Error, Result, Tx,
    db::{Reader, Value, sql},
    record::{Record, values},
};

impl Record for Policy {
    const TABLE: &'static str = "policies";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "name",
        "description",
        "face",
        "enabled",
        "schedule",
        "retention",
        "repositories",
        "copy_to",
        "next_run",
        "last_run",
        "labels",
        "annotations",
        "created_at",
        "updated_at",
        "version",
    ];
    const UNIQUE: &'static str = "policy name";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            name,
            description,
            face,
            enabled,
            schedule,
            retention,
            targets: _,
            repositories,
            copy_to,
            next_run,
            last_run,
            labels,
            annotations,
            created_at,
            updated_at,
            version,
        } = self;
        values![
            *id,
            *tenant_id,
            name.as_str(),
            description.as_deref(),
            face.map(Face::as_str),
            *enabled,
            Value::json(schedule),
            Value::json(retention),
            Value::json(repositories),
            copy_to.as_ref().map_or(Value::Text(None), Value::json),
            *next_run,
            *last_run,
            Value::json(labels),
            Value::json(annotations),
            *created_at,
            *updated_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(PolicyId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            name: row.text()?,
            description: row.text_opt()?,
            face: row.word_opt()?,
            enabled: row.bool()?,
            schedule: row.json()?,
            retention: row.json()?,
            targets: Vec::new(),
            repositories: row.json()?,
            copy_to: row.json_opt()?,
            next_run: row.time_opt()?,
            last_run: row.time_opt()?,
            labels: row.json()?,
            annotations: row.json()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            version: row.int()?,
        })
    }
}

fn parts(target: &PolicyTarget) -> (&'static str, Uuid) {
    match target {
        PolicyTarget::Resource(id) => ("resource", id.uuid()),
        PolicyTarget::Vault(id) => ("vault", id.uuid()),
    }
}

impl Conn {
    /// One policy.
    pub async fn policy(&mut self, tenant: TenantId, id: PolicyId) -> Result<Option<Policy>> {
        let rest = "WHERE tenant_id = $1 AND id = $2";
        self.policies_where(rest, values![tenant, id])
            .await
            .map(|mut found| found.pop())
    }

    /// The policy of that name.
    pub async fn policy_named(&mut self, tenant: TenantId, name: &str) -> Result<Option<Policy>> {
        let rest = "WHERE tenant_id = $1 AND name = $2";
        self.policies_where(rest, values![tenant, name])
            .await
            .map(|mut found| found.pop())
    }

    /// The tenant's policies, oldest first.
    pub async fn list_policies(&mut self, tenant: TenantId) -> Result<Vec<Policy>> {
        let rest = "WHERE tenant_id = $1 ORDER BY created_at, id";
        self.policies_where(rest, values![tenant]).await
    }

    /// The tenant's policies that have this target, oldest first.
    pub async fn policies_targeting(
        &mut self,
        tenant: TenantId,
        target: PolicyTarget,
    ) -> Result<Vec<Policy>> {
        let rest = "WHERE tenant_id = $1 AND id IN (SELECT policy_id FROM policy_targets \
             WHERE kind = $2 AND target_id = $3) ORDER BY created_at, id";
        let (kind, id) = parts(&target);
        self.policies_where(rest, values![tenant, kind, id]).await
    }

    /// The enabled policies of all tenants whose next run is not after `now`, longest due first.
    pub async fn due_policies(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Policy>> {
        let rest = "WHERE next_run IS NOT NULL AND next_run <= $1 AND enabled \
             ORDER BY next_run, id LIMIT $2";
        self.policies_where(rest, values![now, limit]).await
    }

    /// The enabled policies of all tenants, oldest first; for retention.
    pub async fn enabled_policies(&mut self) -> Result<Vec<Policy>> {
        let rest = "WHERE enabled ORDER BY created_at, id";
        self.policies_where(rest, Vec::new()).await
    }

    /// When the first enabled policy is due.
    pub async fn next_policy_run(&mut self) -> Result<Option<Timestamp>> {
        let text = "SELECT MIN(next_run) FROM policies WHERE next_run IS NOT NULL AND enabled";
        match self.one(sql(text)).await? {
            Some(row) => row.reader(Policy::TABLE).time_opt(),
            None => Ok(None),
        }
    }

    async fn policies_where(&mut self, rest: &str, values: Vec<Value>) -> Result<Vec<Policy>> {
        let mut policies: Vec<Policy> = self.find_all(rest, values).await?;
        for policy in &mut policies {
            let text = "SELECT kind, target_id FROM policy_targets WHERE policy_id = $1 \
                 ORDER BY position";
            for row in self.all(sql(text).bind(policy.id)).await? {
                let mut row = row.reader("policy_targets");
                policy.targets.push(read_target(&mut row)?);
            }
        }
        Ok(policies)
    }
}

fn read_target(row: &mut Reader<'_>) -> Result<PolicyTarget> {
    let kind = row.text()?;
    Ok(match kind.as_str() {
        "resource" => PolicyTarget::Resource(row.id(ResourceId::from_uuid)?),
        "vault" => PolicyTarget::Vault(row.id(VaultId::from_uuid)?),
        _ => {
            return Err(Error::CorruptRow {
                table: "policy_targets",
                column: "kind".to_owned(),
                id: kind,
                source: "it is neither `resource` nor `vault`".into(),
            });
        }
    })
}

impl Tx {
    /// Adds a policy; `Duplicate` if its name is taken.
    pub async fn insert_policy(&mut self, policy: &Policy) -> Result<()> {
        self.insert(policy).await?;
        self.insert_targets(policy).await
    }

    /// Writes a policy whose row has its version, and its targets.
    pub async fn update_policy(&mut self, policy: &Policy) -> Result<()> {
        self.update(policy).await?;
        let statement = sql("DELETE FROM policy_targets WHERE policy_id = $1").bind(policy.id);
        self.execute(statement).await?;
        self.insert_targets(policy).await
    }

    /// Deletes a policy whose row has its version; vaults that it ran have none then.
    pub async fn delete_policy(&mut self, policy: &Policy) -> Result<()> {
        self.delete(policy).await
    }

    async fn insert_targets(&mut self, policy: &Policy) -> Result<()> {
        for (position, target) in (0_i64..).zip(&policy.targets) {
            let text = "INSERT INTO policy_targets (policy_id, position, kind, target_id) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            let (kind, id) = parts(target);
            let statement = sql(text).bind(policy.id).bind(position).bind(kind).bind(id);
            self.execute(statement).await?;
        }
        Ok(())
    }
}
