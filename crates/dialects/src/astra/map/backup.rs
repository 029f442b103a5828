//! Backups.

use jiff::{Timestamp, ToSpan};
use strongroom_domain::{
    Annotations, Backup, BackupState, Label, RepositoryId, ResourceId,
    backup::FailedEntry,
    query::{BackupField, Direction, Filter, Op, Sort, Value},
};
use strongroom_http::extract::Object;
use strongroom_service::backups::RequestBackup;
use uuid::Uuid;

use super::{bounded, metadata, time};
use crate::astra::{
    error::{Error, Result},
    page::{Clause, Comparison, ListQuery},
    wire,
};

/// Where the version that a backup's creator spoke is kept.
const VERSION: &str = "astra.version";
/// The version that the service itself speaks.
const NEWEST: &str = "1.2";
const MEDIA_TYPE: &str = "application/astra-appBackup";
/// How many reasons `stateUnready` lists at most.
const MAX_REASONS: usize = 100;
/// Longest text of one reason, in characters.
const MAX_REASON: usize = 127;

/// Astra's word for a state. It has none for a backup that lacks entries: such a backup `failed`,
/// and says which.
fn state(state: BackupState) -> &'static str {
    match state {
        BackupState::Pending => "pending",
        BackupState::Discovering => "discovering",
        BackupState::Running => "running",
        BackupState::Completed => "completed",
        BackupState::Partial | BackupState::Failed | BackupState::Cancelled => "failed",
        BackupState::Deleting => "deleting",
        BackupState::Deleted | BackupState::Removed => "removed",
        BackupState::Unknown => "unknown",
    }
}

/// A backup as Astra shows it.
pub(in super::super) fn app_backup(backup: &Backup) -> wire::AppBackup {
    let Backup {
        id,
        tenant_id: _,
        resource_id: _,
        resource_name: _,
        kind: _,
        face: _,
        repository_id,
        vault_id: _,
        checkpoint_id: _,
        policy_id,
        parent_id: _,
        name,
        description: _,
        state: core_state,
        trigger: _,
        scheduled_for: _,
        progress,
        source_bytes,
        stored_bytes: _,
        entries: _,
        snapshot: _,
        reason: _,
        failed_entries: _,
        failed_entry_count: _,
        created_by,
        labels,
        annotations,
        created_at,
        updated_at,
        started_at,
        finished_at: _,
        expires_at: _,
        version: _,
    } = backup;
    let completed = *core_state == BackupState::Completed;
    let total = source_bytes.or(progress.bytes_total);
    let hooks_ran = completed || *core_state == BackupState::Partial;
    wire::AppBackup {
        media_type: MEDIA_TYPE,
        version: annotations.text(VERSION).unwrap_or(NEWEST).to_owned(),
        id: id.to_string(),
        name: name.clone(),
        bucket_id: repository_id.to_string(),
        schedule_id: policy_id.map(|id| id.to_string()),
        state: state(*core_state),
        state_unready: reasons(backup),
        state_details: Vec::new(),
        hook_state: hooks_ran.then_some("success"),
        hook_state_details: hooks_ran.then(Vec::new),
        backup_creation_timestamp: started_at.map(time),
        total_bytes: total,
        bytes_done: if completed {
            total
        } else {
            Some(progress.bytes_done)
        },
        percent_done: if completed {
            Some(100)
        } else {
            progress.percent()
        },
        metadata: metadata(labels, *created_at, *updated_at, *created_by),
    }
}

/// Why a backup is not, or no longer, good: its reason, then the entries it lacks.
fn reasons(backup: &Backup) -> Vec<String> {
    let mut reasons: Vec<String> = backup
        .reason
        .iter()
        .map(|it| bounded(it, MAX_REASON))
        .collect();
    if backup.state == BackupState::Cancelled && reasons.is_empty() {
        reasons.push("cancelled on request".to_owned());
    }
    let named = backup.failed_entries.iter().take(MAX_REASONS - 2);
    reasons.extend(named.map(
        |FailedEntry {
             path,
             phase,
             message,
         }| { bounded(&format!("{path}: {phase}: {message}"), MAX_REASON) },
    ));
    let listed = backup.failed_entries.len().min(MAX_REASONS - 2) as u64;
    let more = backup.failed_entry_count.saturating_sub(listed);
    if more > 0 {
        reasons.push(format!("{more} more entries are missing"));
    }
    // The vendor promises that no reason is given twice.
    let mut seen = std::collections::BTreeSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
    reasons
}

/// The core's request for a backup of `app`. `deny_unknown_fields` and types were checked before;
/// here the values are.
pub(in super::super) fn create_backup(
    app: ResourceId,
    body: wire::CreateAppBackup,
) -> Result<RequestBackup> {
    let wire::CreateAppBackup {
        media_type,
        version,
        name,
        bucket_id,
        snapshot_id,
        metadata,
    } = body;
    if media_type != MEDIA_TYPE {
        return Err(schema("type", format!("is not `{MEDIA_TYPE}`")));
    }
    if !matches!(version.as_str(), "1.0" | "1.1" | "1.2") {
        return Err(schema("version", "is none of `1.0`, `1.1`, `1.2`"));
    }
    if name.as_deref().is_some_and(|name| !is_dns_label(name)) {
        return Err(schema(
            "name",
            "is not a DNS-1123 label of 1 to 63 characters",
        ));
    }
    let repository_id = bucket_id
        .map(|id| identifier("bucketID", &id))
        .transpose()?;
    if let Some(id) = snapshot_id {
        return Err(Error::NoSuchSnapshot(
            identifier("snapshotID", &id)?.to_string(),
        ));
    }
    let mut annotations = Annotations::default();
    annotations.set(VERSION, version);
    Ok(RequestBackup {
        repository_id: repository_id.map(RepositoryId::from_uuid),
        name,
        unique_name: true,
        labels: core_labels(metadata.unwrap_or_default().0),
        annotations,
        ..RequestBackup::of(app)
    })
}

fn core_labels(metadata: wire::CreateMetadata) -> Vec<Label> {
    let one = |Object(wire::Label { name, value })| Label { name, value };
    metadata.labels.into_iter().map(one).collect()
}

fn schema(field: &str, reason: impl std::fmt::Display) -> Error {
    Error::Schema(strongroom_domain::FieldError::new(field, reason))
}

fn identifier(field: &str, text: &str) -> Result<Uuid> {
    let dashed = text.len() == 36;
    text.parse()
        .ok()
        .filter(|_| dashed)
        .ok_or_else(|| schema(field, "is not a UUID"))
}

fn is_dns_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (first, last) = (name.bytes().next(), name.bytes().last());
    (1..=63).contains(&name.len())
        && name.bytes().all(|b| inner(b) || b == b'-')
        && first.is_some_and(inner)
        && last.is_some_and(inner)
}

/// What the store can answer by itself of a list's query: its filter and order, if all of them
/// are about columns that it has.
pub(in super::super) fn backup_filter(
    query: &ListQuery,
) -> Option<(Filter<BackupField>, Vec<Sort<BackupField>>)> {
    let clauses: Option<Vec<_>> = query.filter.iter().map(clause).collect();
    let order = match &query.order_by {
        None => BackupField::CreatedAt,
        Some(order) => match order.field.as_str() {
            "id" => BackupField::Id,
            "name" => BackupField::Name,
            "metadata.creationTimestamp" => BackupField::CreatedAt,
            "metadata.modificationTimestamp" => BackupField::UpdatedAt,
            _ => return None,
        },
    };
    let descending = query
        .order_by
        .as_ref()
        .is_some_and(|order| order.descending);
    let direction = if descending {
        Direction::Descending
    } else {
        Direction::Ascending
    };
    Some((Filter::All(clauses?), vec![Sort::new(order, direction)]))
}

fn clause(Clause { path, op, value }: &Clause) -> Option<Filter<BackupField>> {
    let path = path.dotted();
    match (path.as_str(), op) {
        ("name", Comparison::Eq) => Some(Filter::eq(BackupField::Name, value.as_str())),
        ("name", Comparison::In) => Some(Filter::contains(BackupField::Name, value)),
        ("id", Comparison::Eq) => Some(id(BackupField::Id, value)),
        ("bucketID", Comparison::Eq) => Some(id(BackupField::RepositoryId, value)),
        ("scheduleID", Comparison::Eq) => Some(id(BackupField::PolicyId, value)),
        ("state", Comparison::Eq) => {
            let same = BackupState::ALL.iter().filter(|it| state(**it) == value);
            let words = same.map(|it| Value::Text(it.as_str().to_owned()));
            Some(Filter::In(BackupField::State, words.collect()))
        }
        ("metadata.creationTimestamp", op) => instant(BackupField::CreatedAt, *op, value),
        ("metadata.modificationTimestamp", op) => instant(BackupField::UpdatedAt, *op, value),
        ("backupCreationTimestamp", op) => instant(BackupField::StartedAt, *op, value),
        _ => None,
    }
}

/// An id column equals the id; a text that is no id equals none.
fn id(field: BackupField, text: &str) -> Filter<BackupField> {
    let none = Filter::Any(Vec::new());
    // Ids are compared as they are printed, so another spelling of the same id is another text.
    let id = text
        .parse::<Uuid>()
        .ok()
        .filter(|id| id.to_string() == text);
    id.map_or(none, |id| Filter::eq(field, id))
}

/// Compares a column of microseconds as if it held whole seconds, which is what clients see.
fn instant(field: BackupField, op: Comparison, text: &str) -> Option<Filter<BackupField>> {
    let at: Timestamp = text
        .parse()
        .ok()
        .filter(|at: &Timestamp| at.subsec_nanosecond() == 0)?;
    let next = at.checked_add(1.second()).ok()?;
    let compare = |op, at: Timestamp| Filter::Compare(field, op, Value::Time(at));
    Some(match op {
        Comparison::Eq => compare(Op::Ge, at).and(compare(Op::Lt, next)),
        Comparison::Lt => compare(Op::Lt, at),
        Comparison::Gte => compare(Op::Ge, at),
        Comparison::Lte => compare(Op::Lt, next),
        Comparison::Gt => compare(Op::Ge, next),
        Comparison::In => return None,
    })
}

#[cfg(test)]
mod tests;
