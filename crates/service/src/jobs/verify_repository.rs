//! Checking a repository: its structure, a part of its data, and whether the backups that the
//! catalog names are still in it.

use std::collections::HashSet;

use serde_json::json;
use strongroom_domain::{
    Backup, BackupState, Page, RepositoryId,
    operation::{OperationError, OperationState, Subject},
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
    // A repository that stays out of reach is looked at often, and said to be so once.
    let is_known = repository.state == RepositoryState::Unavailable
        && matches!(found, Found::Unreachable { .. })
        && attempt.job.operation_id.is_none();
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
    let snapshots = match &found {
        Found::Readable { snapshots, .. } => Ok(snapshots),
        Found::Unreachable { reason } => Err(reason.as_str()),
    };
    correct_all(attempt, &mut tx, &repository, snapshots).await?;
    let unreachable = snapshots.err().map(str::to_owned);
    if !is_known {
        let event = service.system_event(tenant, name, Subject::Repository(id), details);
        tx.insert_event(&event).await?;
    }
    let Some(message) = unreachable else {
        return attempt.complete(tx).await;
    };
    let code = "unavailable".to_owned();
    let error = OperationError { code, message };
    attempt
        .end_operation(&mut tx, OperationState::Failed, Some(error))
        .await?;
    attempt.leave(tx).await
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

/// The backups that the catalog says are, were, or may be in the repository.
async fn stored_backups(conn: &mut Conn, repository: &Repository) -> Result<Vec<Backup>, Stop> {
    let states = [
        BackupState::Completed,
        BackupState::Partial,
        BackupState::Unknown,
        BackupState::Removed,
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

/// Says of all backups and copies in a repository whether they are there: it has these snapshots,
/// or cannot be reached for a reason. Gives how many have gone.
pub(super) async fn correct_all(
    attempt: &Attempt,
    tx: &mut Tx,
    repository: &Repository,
    snapshots: Result<&HashSet<String>, &str>,
) -> Result<u64, Stop> {
    let now = attempt.service.now();
    let mut removed = 0;
    for mut backup in stored_backups(tx, repository).await? {
        let partial = backup.failed_entry_count > 0;
        let there = judge(backup.state, backup.snapshot.as_deref(), partial, snapshots);
        let Some((wanted, reason)) = there else {
            continue;
        };
        backup.state = backup.state.to(wanted).map_err(Error::from)?;
        backup.reason.clone_from(&reason);
        backup.updated_at = now;
        tx.update_backup(&backup).await?;
        removed += u64::from(wanted == BackupState::Removed);
        let details = json!({ "name": backup.name, "reason": reason });
        note(attempt, tx, &backup, &format!("backup.{wanted}"), details).await?;
    }
    for mut copy in tx.copies_in(repository.tenant_id, repository.id).await? {
        let there = judge(copy.state, copy.snapshot.as_deref(), false, snapshots);
        let Some((wanted, reason)) = there else {
            continue;
        };
        copy.state = copy.state.to(wanted).map_err(Error::from)?;
        copy.reason = reason;
        copy.updated_at = now;
        tx.update_copy(&copy).await?;
        removed += u64::from(wanted == BackupState::Removed);
    }
    Ok(removed)
}

/// The state that a backup or copy gets, and why, if it is not in the right one.
fn judge(
    state: BackupState,
    snapshot: Option<&str>,
    partial: bool,
    snapshots: Result<&HashSet<String>, &str>,
) -> Option<(BackupState, Option<String>)> {
    let gone = state == BackupState::Removed;
    if !state.is_restorable() && state != BackupState::Unknown && !gone {
        return None;
    }
    let (wanted, reason) = match snapshots {
        Err(_) if gone => return None,
        Err(reason) => {
            let reason = format!("its repository cannot be reached: {reason}");
            (BackupState::Unknown, Some(reason))
        }
        Ok(snapshots) if !snapshots.contains(snapshot.unwrap_or_default()) => {
            let reason = "its repository no longer has it".to_owned();
            (BackupState::Removed, Some(reason))
        }
        Ok(_) if state.is_restorable() => return None,
        Ok(_) if partial => (BackupState::Partial, None),
        Ok(_) => (BackupState::Completed, None),
    };
    (wanted != state).then_some((wanted, reason))
}

async fn note(
    attempt: &Attempt,
    tx: &mut Tx,
    backup: &Backup,
    name: &str,
    details: serde_json::Value,
) -> Result<(), Stop> {
    let subject = Subject::Backup(backup.id);
    let event = attempt
        .service
        .system_event(backup.tenant_id, name, subject, details);
    Ok(tx.insert_event(&event).await?)
}
