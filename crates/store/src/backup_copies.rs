//! Copies of backups in further repositories.

use jiff::Timestamp;
use strongroom_domain::{BackupCopy, BackupId, CopyId, RepositoryId, TenantId};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value, sql},
    record::{Record, read_all, select, values},
};

impl Record for BackupCopy {
    const TABLE: &'static str = "backup_copies";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "backup_id",
        "repository_id",
        "state",
        "snapshot",
        "reason",
        "created_at",
        "updated_at",
        "version",
    ];
    const UNIQUE: &'static str = "copy in the repository";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            backup_id,
            repository_id,
            state,
            snapshot,
            reason,
            created_at,
            updated_at,
            version,
        } = self;
        values![
            *id,
            *tenant_id,
            *backup_id,
            *repository_id,
            state.as_str(),
            snapshot.as_deref(),
            reason.as_deref(),
            *created_at,
            *updated_at,
            *version,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(CopyId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            backup_id: row.id(BackupId::from_uuid)?,
            repository_id: row.id(RepositoryId::from_uuid)?,
            state: row.word()?,
            snapshot: row.text_opt()?,
            reason: row.text_opt()?,
            created_at: row.time()?,
            updated_at: row.time()?,
            version: row.int()?,
        })
    }
}

/// How many backups one statement asks for.
const AT_ONCE: usize = 500;

impl Conn {
    /// The copy of a backup in a repository.
    pub async fn backup_copy(
        &mut self,
        tenant: TenantId,
        backup: BackupId,
        repository: RepositoryId,
    ) -> Result<Option<BackupCopy>> {
        let rest = "WHERE tenant_id = $1 AND backup_id = $2 AND repository_id = $3";
        self.find(rest, values![tenant, backup, repository]).await
    }

    /// The copies of these backups, oldest first.
    pub async fn copies_of(
        &mut self,
        tenant: TenantId,
        backups: &[BackupId],
    ) -> Result<Vec<BackupCopy>> {
        let mut copies = Vec::new();
        for backups in backups.chunks(AT_ONCE) {
            let (places, values) = list(tenant, backups);
            let rest =
                format!("WHERE tenant_id = $1 AND backup_id IN ({places}) ORDER BY created_at, id");
            let rows = self
                .all(sql(select::<BackupCopy>(&rest)).bind_all(values))
                .await?;
            copies.extend(read_all::<BackupCopy>(&rows)?);
        }
        Ok(copies)
    }

    /// The copies of all tenants that are being made and have not been looked at since `before`,
    /// those first that wait longest.
    pub async fn copies_being_made(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<BackupCopy>> {
        let rest = "WHERE state = 'running' AND updated_at < $1 ORDER BY updated_at, id LIMIT $2";
        self.find_all(rest, values![before, limit]).await
    }

    /// The copies in a repository, oldest first.
    pub async fn copies_in(
        &mut self,
        tenant: TenantId,
        repository: RepositoryId,
    ) -> Result<Vec<BackupCopy>> {
        let rest = "WHERE tenant_id = $1 AND repository_id = $2 ORDER BY created_at, id";
        self.find_all(rest, values![tenant, repository]).await
    }
}

/// Places for the ids after `$1`, and all values.
pub(crate) fn list(tenant: TenantId, backups: &[BackupId]) -> (String, Vec<Value>) {
    let places: Vec<_> = (2..backups.len() + 2).map(|at| format!("${at}")).collect();
    let mut values = values![tenant];
    values.extend(backups.iter().map(|id| Value::from(*id)));
    (places.join(", "), values)
}

impl Tx {
    /// Adds a copy; `Duplicate` if the backup has one in that repository.
    pub async fn insert_copy(&mut self, copy: &BackupCopy) -> Result<()> {
        self.insert(copy).await
    }

    /// Writes a copy whose row has its version.
    pub async fn update_copy(&mut self, copy: &BackupCopy) -> Result<()> {
        self.update(copy).await
    }

    /// Forgets a copy whose row has its version.
    pub async fn delete_copy(&mut self, copy: &BackupCopy) -> Result<()> {
        self.delete(copy).await
    }
}
