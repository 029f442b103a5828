//! Comparing a repository with the catalog: its snapshots that the catalog does not know are taken
//! up, backups whose snapshot is gone are marked as removed.
//!
//! A snapshot says in its tags which backup it is of, of which kind, and what backup and resource
//! were called; see [`tags`]. It is taken up if the tenant has a resource
//! of that name and kind, or just one of that kind.

use std::collections::HashSet;

use serde_json::json;
use strongroom_domain::{
    Backup, BackupCopy, BackupId, BackupState, CopyId, Page, RepositoryId, Resource,
    operation::Subject, repository::Repository,
};
use strongroom_engine::Snapshot;
use strongroom_store::{Outcome, ResourceFilter, Tx};

use super::{
    Attempt, Stop,
    transfer::{Tags, tags},
    verify_repository,
};
use crate::backups::request::Origin;

/// What the operation of a scan says when it has ended: `{"new":N,"removed":N,"skipped":N}`.
pub const RESULT: &str = "scan.result";

/// A snapshot of the repository that says which backup it is of.
struct Found {
    snapshot: Snapshot,
    tags: Tags,
}

/// Compares, proves what is new, and writes down what was found.
pub(super) async fn run(attempt: &Attempt, id: RepositoryId) -> Result<(), Stop> {
    let tenant = attempt.job.tenant_id;
    attempt.check_attempts()?;
    let row = attempt.service.read().await?.repository(tenant, id).await?;
    let Some(row) = row else {
        let store = attempt.service.store();
        let (job, fence) = (attempt.job.id, attempt.job.fence);
        return Ok(store.finish(job, fence, &Outcome::Done).await?);
    };
    let mut tx = attempt.begin().await?;
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    let opened = row.clone();
    let snapshots = attempt
        .blocking(move |attempt| {
            let list = attempt.open(&opened)?.snapshots();
            Ok(list
                .map_err(|error| Stop::engine(&opened.name, &error))?
                .snapshots)
        })
        .await?;
    let all: HashSet<String> = snapshots.iter().map(|it| it.id.to_string()).collect();
    let tagged = snapshots.into_iter().filter_map(|snapshot| {
        let tags = tags(&snapshot.tags)?;
        Some(Found { snapshot, tags })
    });
    let mut scan = Scan::new(attempt, &row).await?;
    for found in tagged {
        scan.look_at(found).await?;
    }
    scan.finish(&all).await
}

struct Scan<'a> {
    attempt: &'a Attempt,
    row: &'a Repository,
    resources: Vec<Resource>,
    new: u64,
    skipped: u64,
}

impl<'a> Scan<'a> {
    async fn new(attempt: &'a Attempt, row: &'a Repository) -> Result<Self, Stop> {
        let filter = ResourceFilter::default();
        let mut read = attempt.service.read().await?;
        let resources = read
            .list_resources(row.tenant_id, &filter, &Page::ALL)
            .await?;
        Ok(Self {
            attempt,
            row,
            resources: resources.items,
            new: 0,
            skipped: 0,
        })
    }

    /// Takes a snapshot up unless it is known.
    async fn look_at(&mut self, found: Found) -> Result<(), Stop> {
        let (tenant, backup) = (self.row.tenant_id, found.tags.backup);
        let (known, copy) = {
            let mut read = self.attempt.service.read().await?;
            let known = read.backup_record(tenant, backup).await?;
            (known, read.backup_copy(tenant, backup, self.row.id).await?)
        };
        let taken = match known {
            // Its own snapshot, or one that an attempt at it left.
            Some(known) if known.repository_id == self.row.id || copy.is_some() => return Ok(()),
            Some(known) if known.state.is_restorable() => self.take_copy(&known, &found).await,
            Some(_) => Err(not_taken("its backup was deleted or failed")),
            None => match self.resource(&found.tags) {
                Some(resource) => self.take(&resource, &found).await,
                None => Err(not_taken("no resource fits it")),
            },
        };
        match taken {
            Err(Stop::Fail { reason, .. }) => {
                self.skip(&found, &reason);
                Ok(())
            }
            other => other,
        }
    }

    fn skip(&mut self, found: &Found, reason: &str) {
        tracing::info!(snapshot = %found.snapshot.id, reason, "snapshot not taken up");
        self.skipped += 1;
    }

    fn resource(&self, tags: &Tags) -> Option<Resource> {
        let of_kind = || {
            let fits = |it: &&Resource| Some(it.kind.as_str()) == tags.kind.as_deref();
            self.resources.iter().filter(fits)
        };
        let named = of_kind().find(|it| Some(it.name.as_str()) == tags.resource.as_deref());
        let mut all = of_kind();
        let only = all.next().filter(|_| all.next().is_none());
        named.or(only).cloned()
    }

    async fn prove(&self, found: &Found) -> Result<u64, Stop> {
        let bytes = found
            .snapshot
            .summary
            .as_ref()
            .map_or(0, |it| it.total_bytes_processed);
        let (row, id) = (self.row.clone(), found.snapshot.id.to_string());
        self.attempt
            .blocking(move |attempt| attempt.prove_snapshot(&row, &id, bytes, None))
            .await?;
        Ok(bytes)
    }

    async fn take(&mut self, resource: &Resource, found: &Found) -> Result<(), Stop> {
        let bytes = self.prove(found).await?;
        let (row, kind) = (self.row.clone(), resource.kind);
        let snapshot = found.snapshot.id.to_string();
        let about = self
            .attempt
            .blocking(move |attempt| attempt.about(&row, kind, &snapshot))
            .await?;
        let service = &self.attempt.service;
        let origin = Origin {
            id: Some(found.tags.backup),
            name: found.tags.name.clone(),
            ..Origin::default()
        };
        let at = found.snapshot.time;
        let mut backup = service.new_backup(resource, self.row, origin);
        backup.state = BackupState::Completed;
        backup.snapshot = Some(found.snapshot.id.to_string());
        backup.source_bytes = Some(bytes);
        backup.annotations.0.extend(about.0);
        backup.created_at = at;
        backup.started_at = Some(at);
        backup.finished_at = Some(at);
        let mut tx = self.attempt.begin().await?;
        match tx.insert_backup(&backup).await {
            // Another tenant of this catalog knows it.
            Err(strongroom_store::Error::Duplicate { .. }) => {
                return Err(not_taken("it is another tenant's"));
            }
            inserted => inserted?,
        };
        self.taken_up(&mut tx, backup.id).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn take_copy(&mut self, backup: &Backup, found: &Found) -> Result<(), Stop> {
        self.prove(found).await?;
        let service = &self.attempt.service;
        let now = service.now();
        let copy = BackupCopy {
            id: CopyId::from_uuid(service.uuid()),
            tenant_id: backup.tenant_id,
            backup_id: backup.id,
            repository_id: self.row.id,
            state: backup.state,
            snapshot: Some(found.snapshot.id.to_string()),
            reason: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut tx = self.attempt.begin().await?;
        tx.insert_copy(&copy).await?;
        self.taken_up(&mut tx, backup.id).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn taken_up(&mut self, tx: &mut Tx, backup: BackupId) -> Result<(), Stop> {
        self.new += 1;
        let details = json!({ "repository": self.row.id });
        let event = self.attempt.service.system_event(
            self.row.tenant_id,
            "backup.taken_up",
            Subject::Backup(backup),
            details,
        );
        Ok(tx.insert_event(&event).await?)
    }

    /// Marks what is gone, and ends the operation with the numbers.
    async fn finish(self, snapshots: &HashSet<String>) -> Result<(), Stop> {
        let Self {
            attempt,
            row,
            new,
            skipped,
            ..
        } = self;
        let mut tx = attempt.begin().await?;
        let removed = verify_repository::correct_all(attempt, &mut tx, row, Ok(snapshots)).await?;
        let result = json!({ "new": new, "removed": removed, "skipped": skipped });
        let subject = Subject::Repository(row.id);
        let event = attempt.service.system_event(
            row.tenant_id,
            "repository.scanned",
            subject,
            result.clone(),
        );
        tx.insert_event(&event).await?;
        if let Some(mut operation) = attempt.operation(&mut tx).await? {
            operation.annotations.set(RESULT, result);
            tx.update_operation(&operation).await?;
        }
        attempt.complete(tx).await
    }
}

/// Why a snapshot is skipped.
fn not_taken(reason: &str) -> Stop {
    Stop::fail("skipped", reason)
}
