//! Operations and events.

use strongroom_domain::{
    Annotations, Backup, OperationId, Page, Paged,
    event::Event,
    operation::{Operation, OperationError},
    query::{Filter, OperationField, Sort},
};

use crate::{Caller, Result, Service};

impl Service {
    /// One operation. `None` as caller is for the faces whose poll path takes no credential
    /// (ZStack's api-jobs); the id alone is the secret then.
    pub async fn operation(&self, caller: Option<&Caller>, id: OperationId) -> Result<Operation> {
        todo!()
    }

    /// One operation and the backup it is about, even if that was deleted since: what a face
    /// prints as the durable result of a job that is polled without a credential.
    pub async fn operation_result(&self, id: OperationId) -> Result<(Operation, Option<Backup>)> {
        todo!()
    }

    /// The tenant's operations that match, in the order asked for (newest first if none).
    pub async fn list_operations(
        &self,
        caller: &Caller,
        filter: &Filter<OperationField>,
        sort: &[Sort<OperationField>],
        page: &Page,
    ) -> Result<Paged<Operation>> {
        todo!()
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
        todo!()
    }

    /// The tenant's events, newest first.
    pub async fn list_events(&self, caller: &Caller, page: &Page) -> Result<Paged<Event>> {
        todo!()
    }

    /// A receiver that hears whenever something of the tenant changed (a level, not an edge: on
    /// waking, read the state again).
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        todo!()
    }
}
