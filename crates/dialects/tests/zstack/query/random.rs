//! Random queries, over the catalog and in memory, compared with a naive evaluator that sees only the
//! rows as JSON.

use std::{collections::HashMap, fmt::Write as _};

use axum::http::Method;
use proptest::{prelude::*, sample::select, test_runner::Config};
use rstest::rstest;
use serde_json::{Value, json};
use strongroom_testkit::Engine;

use crate::{
    catalog::{ROWS, STORAGES, backup_id, catalog, encoded, storage_id},
    client::Client,
    naive::{naive, naive_order, naive_tagged, reads_as, some, values},
};

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
        (backup, backup_id(4).simple(), "user-tags", "été"),
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
