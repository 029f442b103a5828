//! The query language over the catalog: a table of queries, and random ones compared with a naive
//! evaluator that sees only the rows as JSON.

use jiff::{SignedDuration, civil::DateTime};
use proptest::{prelude::*, sample::select, test_runner::Config};
use rstest::rstest;
use serde_json::{Value, json};
use strongroom_domain::{
    Backup, BackupId, BackupState, Face, RepositoryId,
    repository::{Repository, RepositoryState},
};
use strongroom_service::backups::DeleteBackup;
use strongroom_testkit::{Database, Engine, TestApp, TestParts};
use uuid::Uuid;

use super::client::{Client, database};

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
            id: BackupId::from_uuid(Uuid::from_u128(0xabcd_4000_8000 << 64 | at as u128)),
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
            id: RepositoryId::from_uuid(Uuid::from_u128(0xcdef_4000_9000 << 64 | at as u128)),
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
            &["gamma,delta", "数据库", "' or 1=1 --"],
        ),
        (
            "backupStorageRefs.installPath~=zstore://zsbak/%1",
            &["Beta"],
        ),
        ("backupStorageRefs.exportUrl not null", &[]),
        ("backupStorageRefs.backupStorage.name=nothing", &[]),
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

/// Values that rows have, nearly have, or never have. None contains an operator.
pub(crate) fn values(rows: &Value) -> Vec<String> {
    let mut values: Vec<String> = [
        "a",
        "BETA",
        "beta  ",
        "%a%",
        "_____",
        "%\\%%",
        "%",
        "x",
        "0",
        "13107",
        "13107.0",
        "5.5",
        "1e4",
        "abc",
        "99999999999999999999",
        "-1",
        "2026",
        "2026-01-01",
        "Ready",
        "creating",
        "zstore://zsbak/",
        "zstore://zsbak/%",
        "%bak/0%3",
        "ENABLED",
        "null",
        "\\",
        "a\\",
        "alpha,beta,5",
        ",",
        "' or ''",
        "\u{1F600}",
        "%数%",
    ]
    .map(str::to_owned)
    .to_vec();
    for row in rows.as_array().unwrap() {
        for cell in [
            row,
            row.pointer("/backupStorageRefs/0").unwrap_or(&Value::Null),
        ] {
            for value in cell.as_object().into_iter().flat_map(|it| it.values()) {
                if let Some(text) = shown(value).filter(|it| !it.is_empty() && !it.contains('=')) {
                    values.push(text.to_uppercase());
                    values.push(text.chars().take(7).collect::<String>() + "%");
                    if let Some(at) = printed(&text) {
                        values.push(at.to_string().replace('T', " "));
                        values.push(at.to_string() + ".5");
                    }
                    values.push(text);
                }
            }
        }
    }
    values
}

pub(crate) fn shown(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_u64().map(|it| it.to_string()))
}

fn printed(text: &str) -> Option<DateTime> {
    DateTime::strptime("%b %d, %Y %I:%M:%S %p", text).ok()
}

/// Whether the field of the row, as a client sees it, passes; of several, some one must.
pub(crate) fn some(row: &Value, field: &str, test: &dyn Fn(Option<&Value>) -> bool) -> bool {
    if let Some((list, field)) = field.split_once('.') {
        let children = row[list].as_array().unwrap();
        return children.iter().any(|it| some(it, field, test));
    }
    match row.get(field).and_then(Value::as_array) {
        Some(list) => list.iter().any(|it| test(Some(it))),
        None => test(row.get(field)),
    }
}

/// Whether a cell meets the condition.
fn naive(cell: Option<&Value>, operator: &str, value: &str) -> bool {
    match (operator, value) {
        (" is null", _) | ("=", "null") => return cell.is_none(),
        (" not null", _) | ("!=", "null") => return cell.is_some(),
        _ => {}
    }
    // Empty items at the end do not count, so a value of commas alone is an empty list.
    let kept = value.trim_end_matches(',');
    let items: Vec<_> = kept.split(',').filter(|_| !kept.is_empty()).collect();
    match operator {
        "?=" => naive_in(cell, &items, true),
        "!?=" => naive_in(cell, &items, false),
        other => naive_compare(cell, other, value),
    }
}

/// Whether a cell is one of the items, or is not; NULL is neither.
pub(crate) fn naive_in(cell: Option<&Value>, items: &[&str], expected: bool) -> bool {
    cell.is_some_and(|cell| items.iter().any(|it| order(cell, it).is_eq()) == expected)
}

pub(crate) fn naive_compare(cell: Option<&Value>, operator: &str, value: &str) -> bool {
    let Some(cell) = cell else { return false };
    match operator {
        "~=" => naive_like(cell, value),
        "!~=" => !naive_like(cell, value),
        "=" => order(cell, value).is_eq(),
        "!=" => order(cell, value).is_ne(),
        ">" => order(cell, value).is_gt(),
        ">=" => order(cell, value).is_ge(),
        "<" => order(cell, value).is_lt(),
        "<=" => order(cell, value).is_le(),
        other => panic!("{other}"),
    }
}

/// How a cell compares with a value.
#[expect(
    clippy::cast_precision_loss,
    reason = "only compared with small fractions"
)]
fn order(cell: &Value, value: &str) -> std::cmp::Ordering {
    if let Some(number) = cell.as_u64() {
        if let Ok(value) = value.parse::<i128>() {
            return i128::from(number).cmp(&value);
        }
        let longest = (0..=value.len())
            .rev()
            .filter(|end| value.is_char_boundary(*end));
        let mut parts = longest.filter_map(|end| value[..end].parse::<f64>().ok());
        let value = parts.find(|it| it.is_finite()).unwrap_or(0.0);
        return (number as f64).partial_cmp(&value).unwrap();
    }
    let text = cell.as_str().unwrap();
    let Some(at) = printed(text) else {
        return folded(text).cmp(&folded(value));
    };
    let given = value
        .trim()
        .parse::<DateTime>()
        .ok()
        .or_else(|| printed(value.trim()));
    let date = || {
        value
            .trim()
            .parse::<jiff::civil::Date>()
            .ok()
            .map(DateTime::from)
    };
    match given.or_else(date) {
        Some(given) => at.cmp(&given),
        None => at.to_string().replace('T', " ").cmp(&folded(value)),
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_ascii_lowercase()
}

fn naive_like(cell: &Value, pattern: &str) -> bool {
    let mut text = shown(cell).unwrap();
    if let Some(at) = printed(&text) {
        text = at.to_string().replace('T', " ");
    }
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|from| matches(rest, &text[from..])),
            ['_', rest @ ..] => !text.is_empty() && matches(rest, &text[1..]),
            ['\\', c, rest @ ..] | [c, rest @ ..] => {
                text.first() == Some(c) && matches(rest, &text[1..])
            }
        }
    }
    let chars = |it: &str| it.to_ascii_lowercase().chars().collect::<Vec<_>>();
    matches(&chars(pattern), &chars(&text))
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
fn random_conditions_select_what_a_naive_evaluator_selects(#[case] engine: Engine) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, _database) = runtime.block_on(catalog(engine));
    let client = runtime.block_on(Client::log_in(&app));
    let ask = |path: &str, query: &str| {
        let path = format!("/zstack/v1/{path}?sort=uuid&{query}");
        runtime.block_on(async { client.get(&path).await.expect(200).json() })
    };
    // In the catalog, and in memory.
    for (path, fields, cases, rows) in [
        ("database-backups", FIELDS, 2000, ROWS.len()),
        ("backup-storage", STORAGE_FIELDS, 500, STORAGES.len() + 1),
    ] {
        let all = ask(path, "")["inventories"].take();
        assert_eq!(all.as_array().unwrap().len(), rows);
        let condition = (select(fields), select(OPERATORS), select(values(&all)));
        let query = proptest::collection::vec(condition, 1..4);
        let config = Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        };
        proptest!(config, |(conditions in query)| {
            let text = |(field, operator, value): &(&str, &str, String)| {
                let value = if operator.starts_with(' ') { "" } else { value };
                format!("q={}", encoded(&format!("{field}{operator}{value}")))
            };
            let texts: Vec<_> = conditions.iter().map(text).collect();
            let answer = ask(path, &format!("replyWithCount=true&{}", texts.join("&")));
            let expected: Vec<&Value> = all.as_array().unwrap().iter().filter(|row| {
                conditions.iter().all(|(field, operator, value)| {
                    some(row, field, &|cell| naive(cell, operator, value))
                })
            }).collect();
            prop_assert_eq!(&answer["total"], &json!(expected.len()));
            prop_assert_eq!(&answer["inventories"], &json!(expected));
        });
    }
}
