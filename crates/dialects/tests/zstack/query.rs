//! The query language over the catalog: a table of queries, and random ones compared with a naive
//! evaluator that sees only the rows as JSON.

use std::{collections::HashMap, fmt::Write as _};

use axum::http::Method;
use jiff::SignedDuration;
use proptest::{prelude::*, sample::select, test_runner::Config};
use rstest::rstest;
use serde_json::{Value, json};
use strongroom_domain::{
    Backup, BackupCopy, BackupId, BackupState, CopyId, Face, RepositoryId,
    repository::{Repository, RepositoryState},
};
use strongroom_service::backups::DeleteBackup;
use strongroom_testkit::{Database, Engine, TestApp, TestParts};
use uuid::Uuid;

use super::{
    client::{Client, database},
    naive::{naive, naive_order, naive_tagged, reads_as, some, values},
};

/// Name, description, size, state, and the seconds after the first one's creation.
type Row = (
    &'static str,
    Option<&'static str>,
    Option<u64>,
    BackupState,
    i64,
);

const ROWS: &[Row] = &[
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
        Some("x' union select"),
        Some(7),
        BackupState::Unknown,
        90_000,
    ),
];

/// Name, capacity, state, and the seconds after the first one's creation.
const STORAGES: &[(&str, Option<u64>, RepositoryState, i64)] = &[
    ("Remote", Some(1 << 40), RepositoryState::Ready, 1),
    ("remote ", Some(13107), RepositoryState::Unavailable, 61),
    ("远程%_x", None, RepositoryState::Ready, 86_400),
];

/// Further copies: of which row, in which of the storages above, and their state.
const COPIES: &[(u128, u128, BackupState)] = &[
    (0, 0, BackupState::Completed),
    (1, 1, BackupState::Running),
    (1, 2, BackupState::Unknown),
    (4, 0, BackupState::Failed),
];

fn backup_id(row: u128) -> BackupId {
    BackupId::from_uuid(Uuid::from_u128(0xabcd_4000_8000 << 64 | row))
}

fn storage_id(row: u128) -> RepositoryId {
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

async fn names(client: &Client<'_>, query: &str) -> Vec<String> {
    let rows = client.query(query).await["inventories"].take();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_operator_selects_its_rows(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    let table: &[(&str, &[&str])] = &[
        ("name=ALPHA", &["alpha"]),
        ("name=beta", &["Beta", "beta "]),
        (
            "name!=beta",
            &["alpha", "100%_done", "gamma,delta", "数据库", "' or 1=1 --"],
        ),
        ("name>c", &["gamma,delta", "数据库"]),
        ("name<=alpha", &["alpha", "100%_done", "' or 1=1 --"]),
        ("name~=%eta%", &["Beta", "beta "]),
        ("name~=b_ta", &["Beta"]),
        ("name~=100\\%%", &["100%_done"]),
        ("name~=数__", &["数据库"]),
        ("name!~=%a%", &["100%_done", "数据库", "' or 1=1 --"]),
        ("name?=alpha,数据库,nothing", &["alpha", "数据库"]),
        (
            "name!?=alpha,beta,数据库,100%_done",
            &["gamma,delta", "' or 1=1 --"],
        ),
        ("name=' or 1=1 --", &["' or 1=1 --"]),
        ("description is null", &["Beta", "gamma,delta"]),
        ("description=null", &["Beta", "gamma,delta"]),
        (
            "description not null",
            &["alpha", "beta ", "100%_done", "数据库", "' or 1=1 --"],
        ),
        (
            "description!=first one",
            &["beta ", "100%_done", "数据库", "' or 1=1 --"],
        ),
        ("size>=13107", &["Beta", "beta ", "100%_done"]),
        ("size=9007199254740993", &["100%_done"]),
        ("size=0", &["alpha", "gamma,delta"]),
        (
            "size<7.5",
            &["alpha", "gamma,delta", "数据库", "' or 1=1 --"],
        ),
        ("status=ready", &["alpha", "Beta", "100%_done"]),
        ("status?=Creating,Failed", &["beta ", "gamma,delta"]),
        (
            "state=Enabled",
            &[
                "alpha",
                "Beta",
                "beta ",
                "100%_done",
                "gamma,delta",
                "数据库",
                "' or 1=1 --",
            ],
        ),
        ("state!=Enabled", &[]),
        (
            "metadata~=%command%",
            &[
                "alpha",
                "Beta",
                "beta ",
                "100%_done",
                "gamma,delta",
                "数据库",
                "' or 1=1 --",
            ],
        ),
        ("uuid~=%0003", &["100%_done"]),
        ("backupStorageRefs.status=Deleted", &["数据库"]),
        (
            "backupStorageRefs.status!=Ready",
            &["Beta", "gamma,delta", "数据库", "' or 1=1 --"],
        ),
        (
            "backupStorageRefs.installPath~=zstore://zsbak/%1",
            &["Beta"],
        ),
        ("backupStorageRefs.exportUrl not null", &[]),
        ("backupStorageRefs.backupStorage.name=nothing", &[]),
        (
            "backupStorageRefs.backupStorage.name=remote",
            &["alpha", "Beta"],
        ),
        (
            "backupStorageRefs.backupStorage.name=default",
            &[
                "alpha",
                "Beta",
                "100%_done",
                "gamma,delta",
                "数据库",
                "' or 1=1 --",
            ],
        ),
        ("__userTag__=x", &[]),
        (
            "__systemTag__!=x",
            &[
                "alpha",
                "Beta",
                "beta ",
                "100%_done",
                "gamma,delta",
                "数据库",
                "' or 1=1 --",
            ],
        ),
    ];
    for (condition, expected) in table {
        let query = format!("sort=createDate&q={}", encoded(condition));
        assert_eq!(names(&client, &query).await, *expected, "{condition}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn pages_counts_orders_and_members_are_as_asked(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    assert_eq!(
        client
            .query("q=size%3E=13107&q=status=Ready&count=true&limit=1")
            .await,
        json!({"total": 2, "schema": {}})
    );
    let page = client
        .query("sort=createDate&limit=2&start=1&replyWithCount=true")
        .await;
    assert_eq!(page["total"], 7);
    assert_eq!(
        names(&client, "sort=createDate&limit=2&start=1").await,
        ["Beta", "beta "]
    );
    for (query, expected) in [
        ("sort=-size&limit=1", vec!["100%_done"]),
        ("sort=+createDate&limit=1", vec!["alpha"]),
        ("sort=%2BcreateDate&limit=1", vec!["alpha"]),
        ("sort=-createDate&limit=1", vec!["' or 1=1 --"]),
        ("start=7", vec![]),
        ("start=2147483647", vec![]),
        ("limit=0", vec![]),
    ] {
        assert_eq!(names(&client, query).await, expected, "{query}");
    }
    let some = client.query("q=name=alpha&fields=name,size").await;
    assert_eq!(some["inventories"], json!([{"name": "alpha", "size": 0}]));
    // Unknown parameters and groupBy do nothing.
    let all = names(&client, "sort=createDate").await;
    assert_eq!(
        names(&client, "sort=createDate&groupBy=name&Limit=1&deleteMode=").await,
        all
    );
    assert_eq!(client.query("count=TRUE").await["total"], 7);
}

pub(crate) const FIELDS: &[&str] = &[
    "uuid",
    "name",
    "description",
    "state",
    "status",
    "size",
    "metadata",
    "createDate",
    "lastOpDate",
    "backupStorageRefs.databaseBackupUuid",
    "backupStorageRefs.backupStorageUuid",
    "backupStorageRefs.installPath",
    "backupStorageRefs.exportUrl",
    "backupStorageRefs.status",
    "backupStorageRefs.createDate",
    "backupStorageRefs.lastOpDate",
];

pub(crate) const STORAGE_FIELDS: &[&str] = &[
    "uuid",
    "name",
    "url",
    "description",
    "totalCapacity",
    "availableCapacity",
    "type",
    "state",
    "status",
    "createDate",
    "lastOpDate",
    "attachedZoneUuids",
];

const OPERATORS: &[&str] = &[
    "!=",
    ">=",
    "<=",
    "!?=",
    "!~=",
    "~=",
    "?=",
    "=",
    ">",
    "<",
    " is null",
    " not null",
];

/// Tags some backups and storages; gives the tags of each row, by its uuid and the field's name.
async fn tag(client: &Client<'_>) -> HashMap<(String, &'static str), Vec<Value>> {
    let mut tags: HashMap<_, Vec<_>> = HashMap::new();
    let (backup, storage) = ("DatabaseBackupVO", "BackupStorageVO");
    for (kind, uuid, path, tag) in [
        (backup, backup_id(0).simple(), "user-tags", "blue"),
        (backup, backup_id(0).simple(), "user-tags", "red"),
        (backup, backup_id(2).simple(), "user-tags", "Blue "),
        (
            backup,
            backup_id(3).simple(),
            "system-tags",
            "ha::NeverStop",
        ),
        (storage, storage_id(1).simple(), "user-tags", "blue"),
        (storage, storage_id(2).simple(), "system-tags", "a=b"),
    ] {
        let tagged = json!({"params": {"resourceType": kind, "resourceUuid": uuid, "tag": tag}});
        let path_of_tags = format!("/zstack/v1/{path}");
        client
            .call(Method::POST, &path_of_tags, &tagged)
            .await
            .expect(202);
        let field = if path == "user-tags" {
            TAGS[0]
        } else {
            TAGS[1]
        };
        // The server trims what it is given.
        tags.entry((uuid, field))
            .or_default()
            .push(json!(tag.trim()));
    }
    tags
}

const TAGS: [&str; 2] = ["__userTag__", "__systemTag__"];

/// What a random query asks for besides its conditions.
#[derive(Debug, Clone)]
struct Wanted {
    sort: Option<(&'static str, bool)>,
    start: usize,
    limit: Option<usize>,
    members: Vec<&'static str>,
}

fn wanted(fields: &'static [&'static str]) -> impl Strategy<Value = Wanted> {
    let own = fields.iter().copied().filter(|it| !it.contains('.'));
    let own: Vec<_> = own.collect();
    let mut sortable = own.clone();
    // Metadata is sorted by its kind only.
    sortable.retain(|it| !["attachedZoneUuids", "metadata"].contains(it));
    (
        proptest::option::of((select(sortable), any::<bool>())),
        0_usize..4,
        proptest::option::of(0_usize..6),
        proptest::sample::subsequence(own.clone(), 0..=own.len()),
    )
        .prop_map(|(sort, start, limit, members)| Wanted {
            sort,
            start,
            limit,
            members,
        })
}

impl Wanted {
    fn query(&self) -> String {
        let mut query = format!("replyWithCount=true&start={}", self.start);
        if let Some((field, descending)) = self.sort {
            let sign = if descending { "-" } else { "%2B" };
            write!(query, "&sort={sign}{field}").unwrap();
        }
        if let Some(limit) = self.limit {
            write!(query, "&limit={limit}").unwrap();
        }
        if !self.members.is_empty() {
            write!(query, "&fields={}", self.members.join(",")).unwrap();
        }
        query
    }

    /// The page of these rows. Rows that are equal come by uuid, in the catalog in the order's
    /// direction; without an order in the one they are given in.
    fn page(&self, mut rows: Vec<&Value>, in_catalog: bool) -> Vec<Value> {
        // In the catalog, where all backups are enabled, that is no order.
        let sort = self.sort.filter(|it| !in_catalog || it.0 != "state");
        if let Some((field, descending)) = sort {
            let by = |name: &str, a: &Value, b: &Value| naive_order(a.get(name), b.get(name));
            if in_catalog {
                rows.sort_by(|a, b| by("uuid", a, b));
                if descending {
                    rows.reverse();
                }
            }
            rows.sort_by(|a, b| {
                if descending {
                    by(field, b, a)
                } else {
                    by(field, a, b)
                }
            });
        }
        let page = rows.into_iter().skip(self.start);
        let cut = |row: &Value| {
            let mut row = row.clone();
            let members = row.as_object_mut().unwrap();
            members
                .retain(|name, _| self.members.is_empty() || self.members.contains(&name.as_str()));
            row
        };
        page.take(self.limit.unwrap_or(1000)).map(cut).collect()
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
fn random_queries_find_what_a_naive_evaluator_finds(#[case] engine: Engine) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, _database) = runtime.block_on(catalog(engine));
    let client = runtime.block_on(Client::log_in(&app));
    let tags = runtime.block_on(tag(&client));
    let ask = |path: &str, query: &str| {
        let path = format!("/zstack/v1/{path}?{query}");
        runtime.block_on(async { client.get(&path).await.expect(200).json() })
    };
    // In the catalog, and in memory.
    for (path, fields, cases, rows) in [
        ("database-backups", FIELDS, 2000, ROWS.len()),
        ("backup-storage", STORAGE_FIELDS, 500, STORAGES.len() + 1),
    ] {
        let in_catalog = path == "database-backups";
        let all = ask(path, "")["inventories"].take();
        assert_eq!(all.as_array().unwrap().len(), rows);
        let names: Vec<_> = fields.iter().copied().chain(TAGS).collect();
        let condition = (select(names), select(OPERATORS), select(values(&all)));
        let query = (proptest::collection::vec(condition, 0..4), wanted(fields));
        let config = Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        };
        proptest!(config, |((mut conditions, wanted) in query)| {
            let text = |(field, operator, value): &(&str, &str, String)| {
                let value = if operator.starts_with(' ') { "" } else { value };
                format!("{field}{operator}{value}")
            };
            conditions.retain(|it| reads_as(&text(it), it.0, it.1));
            let query = conditions.iter().fold(wanted.query(), |query, it| {
                format!("{query}&q={}", encoded(&text(it)))
            });
            let answer = ask(path, &query);
            let holds = |row: &Value, (field, operator, value): &(&'static str, &str, String)| {
                if !TAGS.contains(field) {
                    return some(row, field, &|cell| naive(cell, operator, value));
                }
                let uuid = row["uuid"].as_str().unwrap().to_owned();
                let tags = tags.get(&(uuid, *field)).map(Vec::as_slice);
                naive_tagged(tags.unwrap_or_default(), operator, value)
            };
            let rows = all.as_array().unwrap().iter();
            let found: Vec<_> = rows.filter(|row| conditions.iter().all(|it| holds(row, it))).collect();
            prop_assert_eq!(&answer["total"], &json!(found.len()));
            let expected = wanted.page(found, in_catalog);
            prop_assert_eq!(&answer["inventories"], &json!(expected), "{}", query);
        });
    }
}
