//! Removing copies of a backup that stays elsewhere.

use serde_json::json;
use strongroom_domain::{BackupId, BackupState, operation::Subject};

use super::{Attempt, Stop};

/// Removes the snapshots of the copies that are marked, and their rows.
pub(super) async fn run(attempt: &Attempt, id: BackupId) -> Result<(), Stop> {
    attempt.check_attempts()?;
    let tenant = attempt.job.tenant_id;
    let mut tx = attempt.begin().await?;
    let copies = tx.copies_of(tenant, &[id]).await?;
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    for copy in copies {
        if copy.state != BackupState::Deleting {
            continue;
        }
        let repository = copy.repository_id;
        attempt.forget_copy(tenant, id, repository).await?;
        let mut tx = attempt.begin().await?;
        tx.delete_copy(&copy).await?;
        tx.delete_exports(id, Some(repository)).await?;
        let details = json!({ "repository": repository });
        let subject = Subject::Backup(id);
        let event = attempt
            .service
            .system_event(tenant, "backup.copy_deleted", subject, details);
        tx.insert_event(&event).await?;
        attempt
            .service
            .queue_prune(&mut tx, tenant, repository)
            .await?;
        tx.commit().await?;
    }
    let tx = attempt.begin().await?;
    attempt.complete(tx).await
}
