//! The blocking half of a backup: the engine pulls from the source, then proves what it wrote.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, Backup, BackupId, ResourceKind,
    backup::{FailedEntry, MAX_FAILED_ENTRIES},
    repository::Repository,
    tree::EntryFailure,
};
use strongroom_engine::{
    BackupOptions, Chunker, Error as EngineError, Expected, IndexedRepository, Parent,
    Repository as EngineRepository, Summary,
};
use strongroom_source::{Prepared, Source};

use super::{Attempt, Stop};
use crate::paths;

/// Data that is read back after a backup, in bytes: small backups are proven as a whole, large
/// ones by a sample (and, like all, by their trees, index and the length of their packs).
const READ_BACK: u64 = 64 << 20;

/// Bytes of a disk that are stored together: as few as content makes, so that a page that changes
/// costs no more.
const VOLUME_PIECE: u32 = 512 << 10;

/// What a transfer wrote; kept with the job, so that the next attempt need not do it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) snapshot: String,
    pub(crate) source_bytes: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) entries: u64,
    pub(crate) failed_entries: Vec<FailedEntry>,
    pub(crate) failed_entry_count: u64,
}

impl Attempt {
    /// The open repository of a row.
    pub(crate) fn open(&self, row: &Repository) -> Result<EngineRepository, Stop> {
        let engines = &self.service.inner().engines;
        engines
            .get(row)
            .map_err(|error| Stop::engine(&row.name, &error))
    }

    /// Reads the source into a snapshot. Leaves none if it fails.
    pub(crate) fn transfer(
        &self,
        source: &dyn Source,
        prepared: &Prepared,
        backup: &Backup,
        row: &Repository,
        parent: Option<&str>,
    ) -> Result<Written, Stop> {
        let failed = |error: EngineError| Stop::engine(&row.name, &error);
        let context = self.context();
        let opened = self.open_for(backup, row);
        let (repository, indexed) = opened.map_err(Stop::while_opening)?;
        let entries = source.entries(prepared, &context)?;
        self.meter.expect(prepared.size_bytes);
        let options = BackupOptions {
            hostname: self.service.inner().config.host.clone(),
            username: "strongroom".to_owned(),
            paths: entries.roots,
            tags: print_tags(backup),
            parent: find_parent(&repository, parent).map_err(failed)?,
            time: backup.started_at,
            whole: entries.whole,
            chunker: chunker(backup.kind),
            cache: self.cache_directory(backup),
            ..BackupOptions::default()
        };
        let outcome = indexed
            .backup(entries.stream, &options, &context)
            .map_err(failed)?;
        let mut failures = outcome.failures;
        failures.extend(entries.warnings.take());
        let written = written(
            outcome.snapshot_id.to_string(),
            &outcome.summary,
            outcome.entries,
            &failures,
        );
        let worthless = (entries.whole && !failures.is_empty())
            || (outcome.entries == 0 && !failures.is_empty());
        if let Some(first) = failures.first().filter(|_| worthless) {
            drop(indexed);
            repository
                .forget_shared(&[outcome.snapshot_id])
                .map_err(failed)?;
            return Err(Stop::fail("source_failed", first.to_string()));
        }
        Ok(written)
    }

    /// The repository of a backup and its index, without what earlier attempts left there.
    fn open_for(
        &self,
        backup: &Backup,
        row: &Repository,
    ) -> Result<(EngineRepository, IndexedRepository), Stop> {
        let failed = |error: EngineError| Stop::engine(&row.name, &error);
        let repository = self.open(row)?;
        // Rises with every lease, unlike the attempts, which leave out those that only waited.
        if self.job.fence > 1 {
            forget_leftovers(&repository, backup.id, None).map_err(failed)?;
        }
        let indexed = repository.clone().into_indexed(&self.context());
        Ok((repository, indexed.map_err(failed)?))
    }

    /// Where what the last backup of the same resource to the same repository stored is kept.
    fn cache_directory(&self, backup: &Backup) -> Option<PathBuf> {
        let caches = self.service.inner().config.cache.as_ref()?;
        let (repository, resource) = (backup.repository_id, backup.resource_id);
        Some(
            caches
                .join(repository.to_string())
                .join(resource.to_string()),
        )
    }

    /// Proves from storage that what was written is all there.
    pub(crate) fn prove(&self, row: &Repository, written: &Written) -> Result<(), Stop> {
        let expected = Expected {
            entries: written.entries,
            bytes: written.source_bytes,
        };
        self.prove_snapshot(row, &written.snapshot, written.source_bytes, Some(expected))
    }

    /// Proves from storage that a snapshot of about so many bytes is all there.
    pub(crate) fn prove_snapshot(
        &self,
        row: &Repository,
        snapshot: &str,
        bytes: u64,
        expected: Option<Expected>,
    ) -> Result<(), Stop> {
        let failed = |error: EngineError| Stop::engine(&row.name, &error);
        let repository = self.open(row)?;
        // A fresh look at the index, not the one that the writer has in memory.
        let context = self.context();
        let indexed = repository.into_indexed(&context).map_err(failed)?;
        let id = indexed
            .repository()
            .find_snapshot(snapshot)
            .map_err(failed)?
            .id;
        let found = indexed
            .verify_snapshot(id, expected, fraction(bytes), &quiet(&context))
            .map_err(failed)?;
        match found.problems.first() {
            None => Ok(()),
            Some(first) => Err(Stop::fail(
                "verification_failed",
                format!(
                    "what is in repository `{}` cannot be read back: {}",
                    row.name,
                    first.chain()
                ),
            )),
        }
    }

    /// What the source of a backup's kind reads from its snapshot.
    pub(crate) fn about(
        &self,
        row: &Repository,
        kind: ResourceKind,
        snapshot: &str,
    ) -> Result<Annotations, Stop> {
        let failed = |error: EngineError| Stop::engine(&row.name, &error);
        let Some(source) = self.service.sources().get(kind) else {
            return Ok(Annotations::default());
        };
        let repository = self.open(row)?;
        let snapshot = repository.find_snapshot(snapshot).map_err(failed)?;
        let indexed = repository.into_indexed(&self.context()).map_err(failed)?;
        Ok(source.about(&indexed.reader(&snapshot))?)
    }

    /// Removes what attempts at a backup left in the repository, except for one snapshot.
    pub(crate) fn forget_attempts(
        &self,
        row: &Repository,
        backup: BackupId,
        except: Option<&str>,
    ) -> Result<(), Stop> {
        let repository = self.open(row)?;
        forget_leftovers(&repository, backup, except)
            .map_err(|error| Stop::engine(&row.name, &error))
    }
}

/// The same context for work whose progress is not that of the backup.
fn quiet(context: &strongroom_domain::tree::Context) -> strongroom_domain::tree::Context {
    strongroom_domain::tree::Context {
        progress: std::sync::Arc::new(strongroom_domain::tree::NoProgress),
        ..context.clone()
    }
}

/// What a snapshot's tags say of its backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tags {
    pub(crate) backup: BackupId,
    pub(crate) kind: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) name: Option<String>,
}

/// Enough to know the backup again without the catalog.
fn print_tags(backup: &Backup) -> Vec<String> {
    vec![
        tag(backup.id),
        format!("kind={}", backup.kind),
        format!("resource={}", backup.resource_name),
        format!("name={}", backup.name),
    ]
}

/// Reads a snapshot's tags; nothing if they name no backup.
pub(crate) fn tags(tags: &[String]) -> Option<Tags> {
    let value = |name: &str| {
        tags.iter()
            .find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
    };
    Some(Tags {
        backup: value("backup")?.parse().ok()?,
        kind: value("kind").map(str::to_owned),
        resource: value("resource").map(str::to_owned),
        name: value("name").map(str::to_owned),
    })
}

/// How a snapshot says which backup it is of, so that none is ever made twice.
fn tag(backup: BackupId) -> String {
    format!("backup={backup}")
}

/// Removes the snapshots of a backup, except for one.
pub(crate) fn forget_leftovers(
    repository: &EngineRepository,
    backup: BackupId,
    except: Option<&str>,
) -> strongroom_engine::Result<()> {
    let tag = tag(backup);
    let all = repository.snapshots()?.snapshots;
    let left: Vec<_> = all
        .iter()
        .filter(|it| it.tags.contains(&tag) && except.is_none_or(|id| it.id.to_string() != id))
        .map(|it| it.id)
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        repository.forget_shared(&left)
    }
}

fn find_parent(
    repository: &EngineRepository,
    wanted: Option<&str>,
) -> strongroom_engine::Result<Parent> {
    let id = wanted.and_then(|id| id.parse().ok());
    match id {
        Some(id) if repository.has_snapshot(id)? => Ok(Parent::Snapshot(id)),
        _ => Ok(Parent::None),
    }
}

fn written(
    snapshot: String,
    summary: &Summary,
    entries: u64,
    failures: &[EntryFailure],
) -> Written {
    Written {
        snapshot,
        source_bytes: summary.total_bytes_processed,
        stored_bytes: summary.data_added_packed,
        entries,
        failed_entries: failures
            .iter()
            .take(MAX_FAILED_ENTRIES)
            .map(failed_entry)
            .collect(),
        failed_entry_count: failures.len() as u64,
    }
}

/// A failure as backups and restores keep it.
pub(crate) fn failed_entry(failure: &EntryFailure) -> FailedEntry {
    FailedEntry {
        path: paths::print(&failure.path),
        phase: failure.phase.to_string(),
        message: failure.message.clone(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rough fraction is all that is wanted"
)]
fn fraction(bytes: u64) -> f64 {
    (READ_BACK as f64 / bytes.max(1) as f64).min(1.0)
}

/// A disk changes in place, so that its pieces need not be looked for; everything else, dumps of
/// databases too, has insertions that shift what follows.
fn chunker(kind: ResourceKind) -> Chunker {
    match kind {
        ResourceKind::Volume => Chunker::Fixed(VOLUME_PIECE),
        _ => Chunker::Content,
    }
}
