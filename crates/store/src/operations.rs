//! Operations.

use strongroom_domain::{
    BackupId, CheckpointId, Face, OperationId, Page, Paged, PolicyId, PrincipalId, RepositoryId,
    ResourceId, RestoreId, TenantId, VaultId,
    operation::{Operation, OperationError, Subject},
    query::{Filter, OperationField, Sort},
};
use uuid::Uuid;

use crate::{
    Conn, Error, Result, Tx,
    db::{Reader, Value},
    filter,
    list::Conditions,
    record::{Record, values},
};

/// The two columns that keep a subject.
pub(crate) fn subject_parts(subject: Option<Subject>) -> (Option<&'static str>, Option<Uuid>) {
    let (kind, id) = match subject {
        None => return (None, None),
        Some(Subject::Backup(id)) => ("backup", id.uuid()),
        Some(Subject::Checkpoint(id)) => ("checkpoint", id.uuid()),
        Some(Subject::Restore(id)) => ("restore", id.uuid()),
        Some(Subject::Resource(id)) => ("resource", id.uuid()),
        Some(Subject::Repository(id)) => ("repository", id.uuid()),
        Some(Subject::Vault(id)) => ("vault", id.uuid()),
        Some(Subject::Policy(id)) => ("policy", id.uuid()),
    };
    (Some(kind), Some(id))
}

/// Reads the two columns that keep a subject.
pub(crate) fn read_subject(table: &'static str, row: &mut Reader<'_>) -> Result<Option<Subject>> {
    let kind = row.text_opt()?;
    let id: Option<Uuid> = row.id_opt(|id| id)?;
    let (Some(kind), Some(id)) = (kind, id) else {
        return Ok(None);
    };
    Ok(Some(match kind.as_str() {
        "backup" => Subject::Backup(BackupId::from_uuid(id)),
        "checkpoint" => Subject::Checkpoint(CheckpointId::from_uuid(id)),
        "restore" => Subject::Restore(RestoreId::from_uuid(id)),
        "resource" => Subject::Resource(ResourceId::from_uuid(id)),
        "repository" => Subject::Repository(RepositoryId::from_uuid(id)),
        "vault" => Subject::Vault(VaultId::from_uuid(id)),
        "policy" => Subject::Policy(PolicyId::from_uuid(id)),
        _ => {
            return Err(Error::CorruptRow {
                table,
                column: "subject_kind".to_owned(),
                id: id.to_string(),
                source: format!("`{kind}` is no kind of subject").into(),
            });
        }
    }))
}

impl Record for Operation {
    const TABLE: &'static str = "operations";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "kind",
        "face",
        "subject_kind",
        "subject_id",
        "state",
        "percent",
        "error_code",
        "error_message",
        "annotations",
        "created_by",
        "created_at",
        "updated_at",
        "started_at",
        "finished_at",
    ];
    const UNIQUE: &'static str = "operation id";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            kind,
            face,
            subject,
            state,
            percent,
            error,
            annotations,
            created_by,
            created_at,
            updated_at,
            started_at,
            finished_at,
        } = self;
        let (subject_kind, subject_id) = subject_parts(*subject);
        values![
            *id,
            *tenant_id,
            kind.as_str(),
            face.map(Face::as_str),
            subject_kind,
            subject_id,
            state.as_str(),
            *percent,
            error.as_ref().map(|it| it.code.as_str()),
            error.as_ref().map(|it| it.message.as_str()),
            Value::json(annotations),
            *created_by,
            *created_at,
            *updated_at,
            *started_at,
            *finished_at,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(OperationId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            kind: row.word()?,
            face: row.word_opt()?,
            subject: read_subject(Self::TABLE, row)?,
            state: row.word()?,
            percent: row.number()?,
            error: match (row.text_opt()?, row.text_opt()?) {
                (Some(code), message) => Some(OperationError {
                    code,
                    message: message.unwrap_or_default(),
                }),
                (None, _) => None,
            },
            annotations: row.json()?,
            created_by: row.id_opt(PrincipalId::from_uuid)?,
            created_at: row.time()?,
            updated_at: row.time()?,
            started_at: row.time_opt()?,
            finished_at: row.time_opt()?,
        })
    }
}

impl Conn {
    /// One operation of the tenant.
    pub async fn operation(
        &mut self,
        tenant: TenantId,
        id: OperationId,
    ) -> Result<Option<Operation>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// One operation of whichever tenant, for polls without a credential and for workers.
    pub async fn operation_of_any_tenant(&mut self, id: OperationId) -> Result<Option<Operation>> {
        self.find("WHERE id = $1", values![id]).await
    }

    /// The tenant's operations that match, newest first if no order is asked for.
    pub async fn list_operations(
        &mut self,
        tenant: TenantId,
        filter: &Filter<OperationField>,
        sort: &[Sort<OperationField>],
        page: &Page,
    ) -> Result<Paged<Operation>> {
        let mut conditions = Conditions::of_tenant(self, tenant);
        conditions.filter(filter)?;
        self.page_of(conditions, filter::order(sort), page).await
    }

    /// The tenant's operations about something, newest first.
    pub async fn operations_about(
        &mut self,
        tenant: TenantId,
        subject: Subject,
    ) -> Result<Vec<Operation>> {
        let rest = "WHERE tenant_id = $1 AND subject_id = $2 ORDER BY created_at DESC, id DESC";
        let (_, id) = subject_parts(Some(subject));
        self.find_all(rest, values![tenant, id]).await
    }
}

impl Tx {
    /// Adds an operation; `Duplicate` if its id, which a client may choose, is taken.
    pub async fn insert_operation(&mut self, operation: &Operation) -> Result<()> {
        self.insert(operation).await
    }

    /// Writes an operation; `Conflict` if it is gone.
    pub async fn update_operation(&mut self, operation: &Operation) -> Result<()> {
        self.update(operation).await
    }
}
