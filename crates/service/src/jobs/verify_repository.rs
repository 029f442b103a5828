//! Checking a repository: its structure, a part of its data, and whether the backups that the
//! catalog names are still in it.

use std::collections::HashSet;

use serde_json::json;
use strongroom_domain::{
    Backup, BackupState, Page, RepositoryId,
    operation::Subject,
    query::{BackupField, Filter, Value},
    repository::{Repository, RepositoryState},
};
use strongroom_engine::{CheckOptions, CheckReport, ReadData};
use strongroom_store::{Conn, Outcome, Tx};

use super::{Attempt, Stop, stop::is_unavailable};
use crate::Error;

/// How many damaged objects an event names.
const MAX_NAMED: usize = 20;

/// What a look at the repository found.
enum Found {
    /// It could be read: its snapshots, their size, and what the check says.
    Readable {
        snapshots: HashSet<String>,
        bytes: u64,
        report: Box<CheckReport>,
    },
    /// It could not be reached.
    Unreachable { reason: String },
}

/// Checks the repository and corrects what the catalog says of its backups.
pub(super) async fn run(attempt: &Attempt, id: RepositoryId) -> Result<(), Stop> {
    let tenant = attempt.job.tenant_id;
    let row = attempt.service.read().await?.repository(tenant, id).await?;
    let Some(row) = row else {
        let store = attempt.service.store();
        return Ok(store
            .finish(attempt.job.id, attempt.job.fence, &Outcome::Done)
            .await?);
    };
    let mut tx = attempt.begin().await?;
    attempt.start_operation(&mut tx).await?;
    tx.commit().await?;
    let found = attempt.blocking(move |attempt| look(attempt, &row)).await?;
    commit(attempt, id, found).await
}

fn look(attempt: &Attempt, row: &Repository) -> Result<Found, Stop> {
    let engines = &attempt.service.inner().engines;
    let context = attempt.context();
    let options = CheckOptions {
        read_data: part_to_read(attempt),
    };
    let looked = engines.get(row).and_then(|repository| {
        let list = repository.snapshots()?;
        let snapshots = list.snapshots.iter().map(|it| it.id.to_string()).collect();
        let report = Box::new(repository.check(&options, &context)?);
        Ok(Found::Readable {
            snapshots,
            bytes: repository.stats()?.bytes,
            report,
        })
    });
    match looked {
        Err(error) if is_unavailable(&error) => {
            engines.forget(row.id);
            Ok(Found::Unreachable {
                reason: error.chain(),
            })
        }
        looked => looked.map_err(|error| Stop::engine(&row.name, &error)),
    }
}

/// The part of the data whose turn it is: one after another, so that all is read in time.
fn part_to_read(attempt: &Attempt) -> ReadData {
    let config = &attempt.service.inner().config;
    match config.verify_percent {
        0 => ReadData::None,
        100.. => ReadData::All,
        percent => {
            let of = (100 / u32::from(percent)).clamp(1, 256);
            let round = attempt.service.now().as_second()
                / i64::try_from(config.verify_every.as_secs().max(1)).unwrap_or(i64::MAX);
            let part = u32::try_from(round.rem_euclid(i64::from(of))).unwrap_or(0) + 1;
            ReadData::Subset { part, of }
        }
    }
}

async fn commit(attempt: &Attempt, id: RepositoryId, found: Found) -> Result<(), Stop> {
    let (service, tenant) = (&attempt.service, attempt.job.tenant_id);
    let now = service.now();
    let mut tx = attempt.begin().await?;
    let Some(mut repository) = tx.repository(tenant, id).await? else {
        return Err(Stop::fail("not_found", "the repository is gone"));
    };
    let (name, details) = match &found {
        Found::Readable { bytes, report, .. } => {
            repository.state = RepositoryState::Ready;
            repository.reason = None;
            repository.stored_bytes = *bytes;
            describe(report)
        }
        Found::Unreachable { reason } => {
            repository.state = RepositoryState::Unavailable;
            repository.reason = Some(reason.clone());
            ("repository.unavailable", json!({ "reason": reason }))
        }
    };
    repository.updated_at = now;
    tx.update_repository(&repository).await?;
    for backup in stored_backups(&mut tx, &repository).await? {
        correct(attempt, &mut tx, backup, &found).await?;
    }
    let event = service.system_event(tenant, name, Subject::Repository(id), details);
    tx.insert_event(&event).await?;
    attempt.complete(tx).await
}

fn describe(report: &CheckReport) -> (&'static str, serde_json::Value) {
    let errors: Vec<_> = report
        .errors
        .iter()
        .take(MAX_NAMED)
        .map(strongroom_engine::Error::chain)
        .collect();
    let details = json!({
        "snapshots": report.snapshots,
        "packs": report.packs,
        "packs_read": report.packs_read,
        "error_count": report.errors.len(),
        "errors": errors,
    });
    let name = if report.is_ok() {
        "repository.verified"
    } else {
        "repository.damaged"
    };
    (name, details)
}

/// The backups that the catalog says are, or may be, in the repository.
async fn stored_backups(conn: &mut Conn, repository: &Repository) -> Result<Vec<Backup>, Stop> {
    let states = [
        BackupState::Completed,
        BackupState::Partial,
        BackupState::Unknown,
    ];
    let states = states
        .iter()
        .map(|state| Value::from(state.as_str()))
        .collect();
    let filter = Filter::eq(BackupField::RepositoryId, repository.id.uuid())
        .and(Filter::In(BackupField::State, states));
    Ok(conn
        .list_backups(repository.tenant_id, &filter, &[], &Page::ALL)
        .await?
        .items)
}

/// Says of a backup what was found: that it is there, gone, or out of reach.
async fn correct(
    attempt: &Attempt,
    tx: &mut Tx,
    mut backup: Backup,
    found: &Found,
) -> Result<(), Stop> {
    let (wanted, reason) = match found {
        Found::Unreachable { reason } => (
            BackupState::Unknown,
            Some(format!("its repository cannot be reached: {reason}")),
        ),
        Found::Readable { snapshots, .. } => {
            let id = backup.snapshot.as_deref().unwrap_or_default();
            match snapshots.contains(id) {
                false => {
                    let reason = "its repository no longer has it".to_owned();
                    (BackupState::Removed, Some(reason))
                }
                true if backup.state != BackupState::Unknown => return Ok(()),
                true if backup.failed_entry_count > 0 => (BackupState::Partial, None),
                true => (BackupState::Completed, None),
            }
        }
    };
    if backup.state == wanted {
        return Ok(());
    }
    backup.state = backup.state.to(wanted).map_err(Error::from)?;
    backup.reason = reason.clone();
    backup.updated_at = attempt.service.now();
    tx.update_backup(&backup).await?;
    let name = format!("backup.{wanted}");
    let details = json!({ "name": backup.name, "reason": reason });
    let subject = Subject::Backup(backup.id);
    let event = attempt
        .service
        .system_event(backup.tenant_id, &name, subject, details);
    Ok(tx.insert_event(&event).await?)
}
