//! Operations and events.

use strongroom_domain::{
    Annotations, Backup, BackupCopy, Export, OperationId, Page, Paged,
    event::Event,
    operation::{Operation, OperationError, OperationKind, OperationState, Subject},
    principal::Permission,
    query::{Filter, OperationField, Sort},
    repository::Repository,
    restore::Restore,
};

use crate::{Caller, Error, Result, Service, error::taken};

/// An operation, and the backup that it is about as it is now.
#[derive(Debug)]
pub struct OperationResult {
    /// The operation.
    pub operation: Operation,
    /// What it is about, also if that was deleted since.
    pub backup: Option<Backup>,
    /// The backup's copies.
    pub copies: Vec<BackupCopy>,
    /// The backup's exports.
    pub exports: Vec<Export>,
    /// The restore that it is about, if it is one.
    pub restore: Option<Restore>,
    /// The repository that it is about, if it is one that there still is.
    pub repository: Option<Repository>,
}

/// What a client chooses of the operation that it starts.
#[derive(Debug, Clone, Default)]
pub struct NewOperation {
    /// Its id, if the client chose it (ZStack's job UUID).
    pub id: Option<OperationId>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

impl Service {
    /// One operation. `None` as caller is for the faces whose poll path takes no credential
    /// (ZStack's api-jobs); the id alone is the secret then.
    pub async fn operation(&self, caller: Option<&Caller>, id: OperationId) -> Result<Operation> {
        let mut read = self.read().await?;
        let found = match caller {
            Some(caller) => {
                caller.require(Permission::Read)?;
                read.operation(caller.tenant_id, id).await?
            }
            None => read.operation_of_any_tenant(id).await?,
        };
        found.ok_or_else(|| Error::not_found("operation", id))
    }

    /// One operation and the backup it is about, even if that was deleted since: what a face
    /// prints as the durable result of a job that is polled without a credential.
    pub async fn operation_result(&self, id: OperationId) -> Result<OperationResult> {
        let mut read = self.read().await?;
        let found = read.operation_of_any_tenant(id).await?;
        let operation = found.ok_or_else(|| Error::not_found("operation", id))?;
        let backup = match operation.subject {
            Some(Subject::Backup(id)) => read.backup_record(operation.tenant_id, id).await?,
            _ => None,
        };
        let (tenant, ids) = (operation.tenant_id, backup.as_ref().map(|it| it.id));
        let copies = read.copies_of(tenant, ids.as_slice()).await?;
        let exports = read.exports_of(tenant, ids.as_slice()).await?;
        let restore = match operation.subject {
            Some(Subject::Restore(id)) => read.restore(tenant, id).await?,
            _ => None,
        };
        let repository = match operation.subject {
            Some(Subject::Repository(id)) => read.repository(tenant, id).await?,
            _ => None,
        };
        Ok(OperationResult {
            operation,
            backup,
            copies,
            exports,
            restore,
            repository,
        })
    }

    /// The tenant's operations that match, in the order asked for (newest first if none).
    pub async fn list_operations(
        &self,
        caller: &Caller,
        filter: &Filter<OperationField>,
        sort: &[Sort<OperationField>],
        page: &Page,
    ) -> Result<Paged<Operation>> {
        caller.require(Permission::Read)?;
        Ok(self
            .read()
            .await?
            .list_operations(caller.tenant_id, filter, sort, page)
            .await?)
    }

    /// Records an operation that ended at once: badly with `error`, for faces that report a bad
    /// request in the job, or well without, for those that answer everything through a job.
    pub async fn record_operation(
        &self,
        caller: &Caller,
        id: Option<OperationId>,
        annotations: Annotations,
        error: Option<OperationError>,
    ) -> Result<Operation> {
        caller.require(Permission::Read)?;
        let mut operation =
            self.operation_of(caller, OperationKind::Request, None, id, annotations);
        operation.state = match error {
            Some(_) => OperationState::Failed,
            None => OperationState::Succeeded,
        };
        operation.percent = 100;
        operation.error = error;
        operation.started_at = Some(operation.created_at);
        operation.finished_at = Some(operation.created_at);
        let mut tx = self.begin().await?;
        let named = operation.id.to_string();
        tx.insert_operation(&operation)
            .await
            .map_err(taken("operation", &named))?;
        tx.commit().await?;
        self.changed();
        Ok(operation)
    }

    /// The tenant's events, newest first.
    pub async fn list_events(&self, caller: &Caller, page: &Page) -> Result<Paged<Event>> {
        caller.require(Permission::Read)?;
        Ok(self
            .read()
            .await?
            .list_events(caller.tenant_id, page)
            .await?)
    }
}
