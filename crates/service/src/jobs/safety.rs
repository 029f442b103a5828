//! Safety backups: what a restore is about to overwrite is backed up first.
//!
//! Only when the source says that the restore can be carried out: one that is refused leaves nothing
//! behind. The backup is a job of its own, and the restore waits for it.

use std::time::Duration;

use strongroom_domain::{
    Backup, BackupId, BackupState, TenantId,
    operation::{OperationKind, Subject},
    restore::{Restore, RestoreTarget},
};
use strongroom_store::Tx;

use super::{Attempt, Stop};
use crate::{
    Error,
    backups::{find_backup, request::Origin},
    repositories::{check_takes_backups, find_repository},
    resources::living_resource,
};

/// How long a restore waits before it looks at its safety backup again.
const WAIT: Duration = Duration::from_secs(1);

/// Queues the backup of the resource that is restored into. The stop is to wait for it.
pub(super) async fn queue(attempt: &Attempt, restore: &Restore, of: &Backup) -> Result<(), Stop> {
    let id = match &restore.target {
        RestoreTarget::Original => of.resource_id,
        RestoreTarget::Resource { id } => *id,
        RestoreTarget::Directory { .. } => return Ok(()),
    };
    let (service, tenant) = (&attempt.service, restore.tenant_id);
    let mut tx = attempt.begin().await?;
    let resource = living_resource(&mut tx, tenant, id).await?;
    let repository = find_repository(&mut tx, tenant, of.repository_id).await?;
    check_takes_backups(&repository)?;
    let origin = Origin {
        description: Some(format!("before a restore of {}", of.name)),
        created_by: restore.created_by,
        ..Origin::default()
    };
    let safety = service.new_backup(&resource, &repository, origin);
    let subject = Some(Subject::Backup(safety.id));
    let mut operation = service.system_operation(tenant, OperationKind::Backup, subject);
    operation.created_by = restore.created_by;
    operation.face = attempt.operation(&mut tx).await?.and_then(|it| it.face);
    service.queue_backup(&mut tx, &safety, &operation).await?;
    let found = tx.restore(tenant, restore.id).await?;
    let mut restore = found.ok_or_else(|| Stop::from(Error::not_found("restore", restore.id)))?;
    restore.safety_backup_id = Some(safety.id);
    restore.updated_at = service.now();
    tx.update_restore(&restore).await?;
    tx.commit().await?;
    service.nudge();
    Err(wait(&safety))
}

/// Fails until the backup of what is about to be overwritten is complete, and for good if it is
/// not going to be but has to. Gives its name if it is.
pub(super) async fn wait_for(
    tx: &mut Tx,
    tenant: TenantId,
    id: BackupId,
    may_fail: bool,
) -> Result<Option<String>, Stop> {
    let safety = find_backup(tx, tenant, id).await?;
    if safety.state.is_active() {
        return Err(wait(&safety));
    }
    if safety.state == BackupState::Completed {
        return Ok(Some(safety.name));
    }
    if may_fail {
        return Ok(None);
    }
    let (name, state, why) = (safety.name, safety.state, safety.reason.unwrap_or_default());
    let reason = format!("the safety backup `{name}` is {state}, so nothing was restored: {why}");
    Err(Stop::fail("safety_backup_failed", reason))
}

fn wait(safety: &Backup) -> Stop {
    let reason = format!("the safety backup `{}` is {}", safety.name, safety.state);
    Stop::Wait {
        after: WAIT,
        reason,
    }
}
