//! Freeing what no snapshot of a repository needs.

use serde_json::json;
use strongroom_domain::{RepositoryId, operation::Subject};
use strongroom_engine::PruneOptions;

use super::{Attempt, Stop};

/// Prunes the repository; its job holds the repository alone.
pub(super) async fn run(attempt: &Attempt, id: RepositoryId) -> Result<(), Stop> {
    let tenant = attempt.job.tenant_id;
    let found = attempt.service.read().await?.repository(tenant, id).await?;
    let mut details = json!(null);
    let mut stored = None;
    if let Some(row) = found {
        let (report, stats) = attempt
            .blocking(move |attempt| {
                let failed = |error| Stop::engine(&row.name, &error);
                let repository = attempt.open(&row)?;
                let context = attempt.context();
                let plan = repository.plan_prune(&PruneOptions::default(), &context);
                let report = plan
                    .and_then(|plan| plan.execute(&context))
                    .map_err(failed)?;
                Ok((report, repository.stats().map_err(failed)?))
            })
            .await?;
        details = json!({
            "packs_removed": report.packs_removed,
            "packs_repacked": report.packs_repacked,
            "bytes_freed": report.bytes_freed,
        });
        stored = Some(stats.bytes);
    }
    let mut tx = attempt.begin().await?;
    if let Some(bytes) = stored
        && let Some(mut repository) = tx.repository(tenant, id).await?
    {
        repository.stored_bytes = bytes;
        repository.updated_at = attempt.service.now();
        tx.update_repository(&repository).await?;
        let subject = Subject::Repository(id);
        let event = attempt
            .service
            .system_event(tenant, "repository.pruned", subject, details);
        tx.insert_event(&event).await?;
    }
    attempt.complete(tx).await
}
