//! Restores.

use strongroom_domain::{
    Annotations, BackupId, OperationId, Page, Paged, RestoreId,
    operation::Operation,
    restore::{ConflictPolicy, Restore, RestoreTarget},
};

use crate::{Caller, Result, Service};

/// A restore to carry out.
#[derive(Debug, Clone)]
pub struct RequestRestore {
    /// What is restored.
    pub backup_id: BackupId,
    /// Where it goes.
    pub target: RestoreTarget,
    /// The paths to restore; empty means all.
    pub include: Vec<String>,
    /// What happens to what is in the way.
    pub conflict: ConflictPolicy,
    /// Vendor attributes.
    pub annotations: Annotations,
    /// The operation's id, if the client chose it.
    pub operation_id: Option<OperationId>,
    /// Vendor attributes of the operation.
    pub operation_annotations: Annotations,
    /// A repeated request with the same key gives the first one's answer.
    pub idempotency_key: Option<String>,
}

impl Service {
    /// Starts a restore after the source accepted the target.
    pub async fn request_restore(
        &self,
        caller: &Caller,
        request: RequestRestore,
    ) -> Result<(Restore, Operation)> {
        todo!()
    }

    /// One restore.
    pub async fn restore(&self, caller: &Caller, id: RestoreId) -> Result<Restore> {
        todo!()
    }

    /// The tenant's restores, newest first.
    pub async fn list_restores(&self, caller: &Caller, page: &Page) -> Result<Paged<Restore>> {
        todo!()
    }

    /// Asks an active restore to stop; it becomes `cancelled`.
    pub async fn cancel_restore(&self, caller: &Caller, id: RestoreId) -> Result<Restore> {
        todo!()
    }
}
