//! Fills a catalog with backups as years of a policy would.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    Annotations, Backup, BackupId, BackupState, Face, Page, Trigger, backup::BackupProgress,
    query::Filter,
};

use super::server::Subject;

/// Rows per transaction.
const BATCH: u64 = 5000;

/// Inserts `count` completed backups, a minute and a half apart, the newest a day old; `vary` may
/// change what is not the same in all.
pub(super) async fn fill(
    subject: &Subject,
    count: u64,
    vary: impl Fn(u64, &mut Backup),
) -> Result<()> {
    let newest: Timestamp = "2026-11-20T00:00:00Z".parse()?;
    let mut number = 0;
    while number < count {
        let mut tx = subject.store.begin().await?;
        for number in number..count.min(number + BATCH) {
            let age = SignedDuration::from_secs(90 * i64::try_from(count - number)?);
            let mut backup = backup(subject, number, newest.checked_sub(age)?);
            vary(number, &mut backup);
            tx.insert_backup(&backup).await?;
        }
        tx.commit().await?;
        number += BATCH;
    }
    Ok(())
}

/// Paths of `count` backups spread over the catalog, as the native API names them.
pub(super) async fn some_paths(subject: &Subject, count: u64) -> Result<Vec<String>> {
    let found = some(subject, count).await?;
    let paths: Vec<_> = found
        .iter()
        .map(|it| format!("/api/v1/backups/{}", it.id))
        .collect();
    paths.first().context("the catalog is empty")?;
    Ok(paths)
}

/// The newest `count` backups.
pub(super) async fn some(subject: &Subject, count: u64) -> Result<Vec<Backup>> {
    let (filter, page) = (Filter::default(), Page::offset(count, 0));
    let mut read = subject.store.read().await?;
    let found = read.list_backups(subject.tenant, &filter, &[], &page);
    Ok(found.await?.items)
}

fn backup(subject: &Subject, number: u64, at: Timestamp) -> Backup {
    // Spread like random ids, but the same in every run.
    let id = BackupId::from_uuid(
        uuid::Builder::from_random_bytes(
            (u128::from(number) + 1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
                .to_be_bytes(),
        )
        .into_uuid(),
    );
    let bytes = (1 << 20) + number % 100_000;
    Backup {
        id,
        tenant_id: subject.tenant,
        resource_id: subject.resource.id,
        resource_name: subject.resource.name.clone(),
        kind: subject.resource.kind,
        face: Some(Face::Cbr),
        repository_id: subject.repository,
        vault_id: None,
        checkpoint_id: None,
        policy_id: None,
        parent_id: None,
        name: format!("files-{number:07}"),
        description: None,
        state: BackupState::Completed,
        trigger: Trigger::Manual,
        scheduled_for: None,
        progress: BackupProgress {
            bytes_done: bytes,
            bytes_total: Some(bytes),
            entries_done: 10,
        },
        source_bytes: Some(bytes),
        stored_bytes: Some(bytes / 3),
        entries: Some(10),
        snapshot: Some(format!("{:064x}", id.uuid().as_u128())),
        reason: None,
        failed_entries: Vec::new(),
        failed_entry_count: 0,
        created_by: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
        created_at: at,
        updated_at: at,
        started_at: Some(at),
        finished_at: Some(at),
        expires_at: None,
        version: 1,
    }
}
