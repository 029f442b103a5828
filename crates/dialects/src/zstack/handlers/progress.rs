//! How far a job is, as its worker last wrote it down.

use axum::extract::State;
use strongroom_domain::{
    Face, OperationId,
    operation::{Operation, OperationKind, OperationState},
};
use strongroom_service::{Caller, Error as ServiceError, Service};

use super::{Answer, PathParams, ok};
use crate::zstack::{
    auth::Auth,
    call::Call,
    error::{Code, Error},
    map,
    wire::{
        progress::{TaskProgress, TaskProgresses},
        reply::{Failed, Schema},
    },
};

/// Says how far a job is; nothing of one that has not begun, or that is not known.
#[utoipa::path(
    get,
    path = "/zstack/v1/task-progresses/{apiId}",
    operation_id = "GetTaskProgress",
    params(("apiId" = String, Path)),
    responses((status = 200, body = TaskProgresses), (status = 503, body = Failed)),
)]
pub(crate) async fn show(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    id: PathParams<String>,
) -> Answer<TaskProgresses> {
    let row = find(&service, &caller, &id.0).await?.as_ref().and_then(row);
    let schema = row.as_ref().filter(|_| call.schema);
    Ok(ok(TaskProgresses {
        schema: schema.map(|it| Schema::of(it, "inventories[0]")),
        inventories: row.into_iter().collect(),
    }))
}

async fn find(service: &Service, caller: &Caller, id: &str) -> Result<Option<Operation>, Error> {
    let uuid = map::uuid(id).ok_or_else(|| {
        let details = format!("parameter apiId[{id}] is not a valid uuid.");
        Error::api(Code::InvalidArgument, details)
    })?;
    let found = service.operation(Some(caller), OperationId::from_uuid(uuid));
    match found.await {
        Ok(operation) => Ok(Some(operation).filter(|it| it.face == Some(Face::Zstack))),
        Err(ServiceError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn row(operation: &Operation) -> Option<TaskProgress> {
    let message = match operation.kind {
        OperationKind::Backup => "APICreateDatabaseBackupMsg",
        OperationKind::Restore => "APIRecoverDatabaseFromBackupMsg",
        OperationKind::CopyBackup => "APISyncDatabaseBackupFromImageStoreBackupStorageMsg",
        OperationKind::DeleteBackup | OperationKind::DeleteCopies => "APIDeleteDatabaseBackupMsg",
        OperationKind::Scan => "APISyncDatabaseBackupMsg",
        OperationKind::DeleteVault
        | OperationKind::RemoveResources
        | OperationKind::Verify
        | OperationKind::Request => return None,
    };
    (operation.state != OperationState::Pending).then(|| TaskProgress {
        task_uuid: operation.id.simple(),
        task_name: format!("org.zstack.header.storage.database.backup.{message}"),
        task_type: "Progress",
        content: operation.percent.to_string(),
        time: operation.updated_at.as_millisecond(),
    })
}
