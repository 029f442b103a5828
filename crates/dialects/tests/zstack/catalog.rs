//! A server whose catalog has rows of every kind, for the query languages.

use jiff::SignedDuration;
use strongroom_domain::{
    Backup, BackupCopy, BackupId, BackupState, CopyId, Face, RepositoryId,
    repository::{Repository, RepositoryState},
};
use strongroom_service::backups::DeleteBackup;
use strongroom_testkit::{Database, Engine, TestApp, TestParts};
use uuid::Uuid;

use super::client::{Client, database};

/// Name, description, size, state, and the seconds after the first one's creation.
pub(crate) type Row = (
    &'static str,
    Option<&'static str>,
    Option<u64>,
    BackupState,
    i64,
);

pub(crate) const ROWS: &[Row] = &[
    (
        "alpha",
        Some("first one"),
        Some(0),
        BackupState::Completed,
        0,
    ),
    ("Beta", None, Some(13107), BackupState::Completed, 1),
    ("beta ", Some(""), Some(13107), BackupState::Failed, 61),
    (
        "100%_done",
        Some("it's\\quoted"),
        Some(9_007_199_254_740_993),
        BackupState::Completed,
        3600,
    ),
    ("gamma,delta", None, None, BackupState::Running, 86_400),
    (
        "数据库",
        Some("NULL"),
        Some(5),
        BackupState::Deleting,
        86_401,
    ),
    (
        "' or 1=1 --",
        Some("ÉTÉ ΟΔΟΣ"),
        Some(7),
        BackupState::Unknown,
        90_000,
    ),
];

/// Name, capacity, state, and the seconds after the first one's creation.
pub(crate) const STORAGES: &[(&str, Option<u64>, RepositoryState, i64)] = &[
    ("Remote", Some(1 << 40), RepositoryState::Ready, 1),
    ("remote ", Some(13107), RepositoryState::Unavailable, 61),
    ("Ёж%_x", None, RepositoryState::Ready, 86_400),
];

/// Further copies: of which row, in which of the storages above, and their state.
const COPIES: &[(u128, u128, BackupState)] = &[
    (0, 0, BackupState::Completed),
    (1, 1, BackupState::Running),
    (1, 2, BackupState::Unknown),
    (4, 0, BackupState::Failed),
];

pub(crate) fn backup_id(row: u128) -> BackupId {
    BackupId::from_uuid(Uuid::from_u128(0xabcd_4000_8000 << 64 | row))
}

pub(crate) fn storage_id(row: u128) -> RepositoryId {
    RepositoryId::from_uuid(Uuid::from_u128(0xcdef_4000_9000 << 64 | row))
}

/// A server whose catalog has the rows above, and no others but the default storage.
pub(crate) async fn catalog(engine: Engine) -> (TestApp, Database) {
    let database_of_app = Database::new(engine).await;
    let parts = TestParts {
        database_url: Some(database_of_app.url().to_owned()),
        ..TestParts::with_command("dump", &["true"], Face::Zstack)
    };
    let app = TestApp::with(parts).await;
    let orders = database(&app, "orders", true).await;
    let (template, _) = app.request(&orders).await;
    let mut tx = app.store.begin().await.unwrap();
    for (at, (name, description, size, state, seconds)) in ROWS.iter().enumerate() {
        // Half a second, which no client sees.
        let created_at = template.created_at
            + SignedDuration::from_secs(*seconds)
            + SignedDuration::from_millis(500);
        let backup = Backup {
            id: backup_id(at as u128),
            name: (*name).to_owned(),
            description: description.map(str::to_owned),
            source_bytes: *size,
            state: *state,
            created_at,
            updated_at: created_at + SignedDuration::from_secs(30),
            ..template.clone()
        };
        tx.insert_backup(&backup).await.unwrap();
    }
    for (at, (name, capacity_bytes, state, seconds)) in STORAGES.iter().enumerate() {
        let created_at = template.created_at + SignedDuration::from_secs(*seconds);
        let storage = Repository {
            id: storage_id(at as u128),
            name: (*name).to_owned(),
            url: format!("/srv/{at}"),
            is_default: false,
            capacity_bytes: *capacity_bytes,
            state: *state,
            created_at,
            updated_at: created_at + SignedDuration::from_secs(30),
            ..app.repository.clone()
        };
        tx.insert_repository(&storage).await.unwrap();
    }
    for (at, (backup, storage, state)) in (100..).zip(COPIES) {
        let created_at = template.created_at + SignedDuration::from_secs(at);
        let copy = BackupCopy {
            id: CopyId::from_uuid(Uuid::from_u128(at.unsigned_abs().into())),
            tenant_id: template.tenant_id,
            backup_id: backup_id(*backup),
            repository_id: storage_id(*storage),
            state: *state,
            snapshot: None,
            reason: None,
            created_at,
            updated_at: created_at + SignedDuration::from_secs(30),
            version: 1,
        };
        tx.insert_copy(&copy).await.unwrap();
    }
    tx.commit().await.unwrap();
    let service = &app.service;
    service
        .cancel_backup(&app.owner, template.id)
        .await
        .unwrap();
    service
        .delete_backup(&app.owner, template.id, DeleteBackup::default())
        .await
        .unwrap();
    app.work().await;
    (app, database_of_app)
}

pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The names of the backups that a query finds.
pub(crate) async fn names(client: &Client<'_>, query: &str) -> Vec<String> {
    let rows = client.query(query).await["inventories"].take();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}
