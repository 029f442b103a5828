//! ZQL over the catalog and in memory: a table of statements, bad ones, and random conditions
//! compared with a naive evaluator that sees only the rows as JSON.

use std::fmt::Write as _;

use proptest::{prelude::*, sample::select, test_runner::Config};
use rstest::rstest;
use serde_json::{Value, json};
use strongroom_testkit::Engine;

use super::{
    client::Client,
    naive::{naive_compare, naive_in, shown, some, values},
    query::{FIELDS, STORAGE_FIELDS, catalog, encoded},
};

async fn ask(client: &Client<'_>, zql: &str) -> Value {
    let path = format!("/zstack/v1/zql?zql={}", encoded(zql));
    client.get(&path).await.expect(200).json()
}

/// The answer to one statement, without its schema.
async fn result(client: &Client<'_>, zql: &str) -> Value {
    let mut answer = ask(client, zql).await;
    assert_eq!(answer["results"].as_array().unwrap().len(), 1, "{zql}");
    answer["results"][0].take()
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_statement_selects_its_rows(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    let table: &[(&str, &[&str])] = &[
        ("query databasebackup where name = 'ALPHA'", &["alpha"]),
        (
            "query DatabaseBackup where name in ('alpha', 'beta') order by createDate asc",
            &["alpha", "Beta", "beta "],
        ),
        (
            "query databasebackup where size >= 13107 and status = 'Ready' order by size desc",
            &["100%_done", "Beta"],
        ),
        (
            "query databasebackup where (name = 'alpha' or name = 'beta') and status = 'Ready' order by name desc",
            &["Beta", "alpha"],
        ),
        // The right side of `and` is everything that follows.
        (
            "query databasebackup where status = 'Failed' and name = 'alpha' or name = 'beta'",
            &["beta "],
        ),
        (
            "query databasebackup where description is null order by createDate desc",
            &["gamma,delta", "Beta"],
        ),
        (
            "query databasebackup where description is not null and name not like '%a%' order by createDate asc",
            &["100%_done", "数据库", "' or 1=1 --"],
        ),
        (
            "query databasebackup where name = \"' or 1=1 --\"",
            &["' or 1=1 --"],
        ),
        (
            "query databasebackup where backupStorageRefs.backupStorage.name = 'default' and size = 5",
            &["数据库"],
        ),
        (
            "query databasebackup where backupStorageRefs.backupStorageUuid in (query backupstorage.uuid where name = 'nothing')",
            &[],
        ),
        (
            "query databasebackup where uuid not in (query databasebackup.backupStorageRefs.databaseBackupUuid)",
            &["beta "],
        ),
        (
            "query databasebackup where name = (query databasebackup.name where size = 7)",
            &["' or 1=1 --"],
        ),
        (
            "query databasebackup where name has ('alpha') or name has ('alpha','beta')",
            &["alpha"],
        ),
        (
            "query databasebackup where description not has ('first one') and size < 6 order by createDate asc",
            &["gamma,delta", "数据库"],
        ),
        (
            "query databasebackup where __userTag__ != 'x' and size = 5",
            &["数据库"],
        ),
        (
            "query databasebackup restrict by (databasebackup.size > 6, name like '%1=1%')",
            &["' or 1=1 --"],
        ),
        // Neither case nor trailing blanks count, on either side of the catalog.
        (
            "query databasebackup order by name asc, createDate desc",
            &[
                "' or 1=1 --",
                "100%_done",
                "alpha",
                "beta ",
                "Beta",
                "gamma,delta",
                "数据库",
            ],
        ),
        (
            "query databasebackup order by status desc, size desc",
            &[
                "' or 1=1 --",
                "100%_done",
                "Beta",
                "alpha",
                "beta ",
                "数据库",
                "gamma,delta",
            ],
        ),
        (
            "query databasebackup order by createDate asc limit 2 offset 1",
            &["Beta", "beta "],
        ),
        (
            "query databasebackup order by size asc, createDate desc limit 3 offset 5",
            &["Beta", "100%_done"],
        ),
        ("query databasebackup order by createDate asc limit 0", &[]),
        (
            "query backupstorage where totalCapacity > 13107",
            &["Remote"],
        ),
        (
            "query backupstorage where name like 'remote%' order by createDate desc",
            &["remote ", "Remote"],
        ),
        (
            "query imagestorebackupstorage where status = 'Disconnected'",
            &["remote "],
        ),
        (
            "query backupstorage where uuid in (query databasebackup.backupStorageRefs.backupStorageUuid) order by name asc",
            &["default", "Remote", "remote ", "远程%_x"],
        ),
        (
            "query backupstorage.name where name = 'Remote' order by name asc limit 1",
            &["Remote"],
        ),
    ];
    for (zql, expected) in table {
        let found = result(&client, zql).await;
        let rows = found["inventories"].as_array().unwrap();
        let names: Vec<_> = rows.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, *expected, "{zql}");
        assert_eq!(found["total"], Value::Null, "{zql}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn counts_groups_and_sums_have_the_vendors_shapes(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    for (zql, expected) in [
        ("count databasebackup", json!({"total": 7})),
        (
            "count databasebackup where size > 5 named as 'n'",
            json!({"total": 4, "name": "n"}),
        ),
        ("count backupstorage", json!({"total": 4})),
        (
            "count databasebackup where status != 'Unknown' group by status order by groupCount desc limit 2",
            json!({"total": 6, "inventoryCounts": [[{"status": "Ready"}, 3], [{"status": "Deleted"}, 1]]}),
        ),
        (
            "count databasebackup where name = 'beta' group by name,size",
            json!({"total": 2, "inventoryCounts": [[{"name": "beta ", "size": 13107}, 2]]}),
        ),
        (
            "count databasebackup where size < 0 group by name",
            json!({"total": 0}),
        ),
        (
            "sum databasebackup.size by status where size < 20000 order by size desc",
            json!({"inventories": [["Failed", 13107], ["Ready", 13107], ["Unknown", 7], ["Deleted", 5], ["Creating", 0]]}),
        ),
        (
            "sum backupstorage.totalCapacity,availableCapacity by status order by status asc limit 1 offset 1",
            json!({"inventories": [["Disconnected", 13107, 13107]]}),
        ),
        (
            "query databasebackup.name,size where size = 13107 return with (total) order by createDate asc limit 1 named as 'page'",
            json!({"inventories": [{"name": "Beta", "size": 13107}], "total": 2, "name": "page"}),
        ),
        (
            "query distinct(databasebackup.size) order by size desc limit 2 offset 1",
            json!({"inventories": [{"size": 13107}, {"size": 7}]}),
        ),
        (
            "query databasebackup.name where name like 'beta%' group by name order by createDate asc",
            json!({"inventories": [{"name": "Beta"}]}),
        ),
        // Not by the bytes of the letters, by which `Remote` would be the least.
        (
            "query min(backupstorage.name)",
            json!({"inventoryAggregateFunctions": [[{}, {"name": "default"}]]}),
        ),
        (
            "query max(backupstorage.name) where totalCapacity is not null",
            json!({"inventoryAggregateFunctions": [[{}, {"name": "remote "}]]}),
        ),
        (
            "query max(databasebackup.size) where size < 20000",
            json!({"inventoryAggregateFunctions": [[{}, {"size": 13107}]]}),
        ),
        (
            "query avg(backupstorage.totalCapacity) where name = 'remote ' or name = 'default' group by type",
            json!({"inventoryAggregateFunctions": [[{"type": "ImageStoreBackupStorage"}, {"totalCapacity": 549_755_820_441.5}]]}),
        ),
    ] {
        assert_eq!(result(&client, zql).await, expected, "{zql}");
    }
}

#[tokio::test]
async fn the_schema_names_every_row_of_every_statement() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let zql = "query databasebackup where size = 5; count backupstorage; \
               query backupstorage.uuid where name = 'default';";
    let answer = ask(&client, zql).await;
    let backups = "org.zstack.header.storage.database.backup";
    assert_eq!(
        answer["schema"],
        json!({
            "results[0]": "org.zstack.zql.ZQLQueryReturn",
            "results[0].inventories[0]": format!("{backups}.DatabaseBackupInventory"),
            "results[0].inventories[0].backupStorageRefs[0]":
                format!("{backups}.DatabaseBackupStorageRefInventory"),
            "results[1]": "org.zstack.zql.ZQLQueryReturn",
            "results[2]": "org.zstack.zql.ZQLQueryReturn",
            "results[2].inventories[0]": "org.zstack.header.storage.backup.BackupStorageInventory",
        })
    );
    let listed = client.query("q=size=5").await;
    assert_eq!(answer["results"][0]["inventories"], listed["inventories"]);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn bad_statements_are_refused_and_change_nothing(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    let class = "org.zstack.header.storage.database.backup.DatabaseBackupInventory";
    for (zql, code, details) in [
        ("", "SYS.1007", "field[zql] cannot be an empty string".to_owned()),
        ("query vminstance", "SYS.1000", "cannot find inventory with name[vminstance]".to_owned()),
        (
            "query databasebackup where",
            "SYS.1000",
            "error mismatched input '<EOF>' expecting ID at line 1:26, ckup where".to_owned(),
        ),
        (
            "query databasebackup; drop table backups",
            "SYS.1000",
            "error mismatched input 'drop' expecting {'query', 'count', 'sum', 'search'} at line 1:22, sebackup; drop table".to_owned(),
        ),
        (
            "query databasebackup where backups = '1'",
            "SYS.1000",
            format!("inventory class[class {class}] not having field[backups]"),
        ),
        (
            "query databasebackup.id",
            "SYS.1000",
            "inventory[${selfInventoryClass}] has no field[id]".to_owned(),
        ),
        (
            "query backupstorage order by id asc",
            "SYS.1000",
            "invalid order by clause, inventory[BackupStorageInventory] doesn't have field[id]".to_owned(),
        ),
        (
            "count databasebackup group by tenant_id",
            "SYS.1000",
            format!("inventory class[class {class}] not having field[tenant_id]"),
        ),
        (
            "query databasebackup where zone.uuid = '1'",
            "SYS.1000",
            format!("invalid nested query condition[zone.uuid] on class {class},the expanded target[class {class}] have no expanded query[zone]"),
        ),
        (
            "query databasebackup where uuid = (query databasebackup.uuid)",
            "SYS.1000",
            "Subquery returns more than 1 row".to_owned(),
        ),
        (
            "query databasebackup where uuid in (query databasebackup.nothing)",
            "SYS.1000",
            format!("inventory class[class {class}] not having field[nothing]"),
        ),
        ("search 'x'", "SEARCH.1000", "search module disabled".to_owned()),
    ] {
        let path = format!("/v1/zql?zql={}", encoded(zql));
        let error = client.get(&path).await.expect(503).json()["error"].take();
        assert_eq!(error["code"], code, "{zql}");
        assert_eq!(error["details"], json!(details), "{zql}");
    }
    for value in [
        "' or '1'='1",
        "x'); delete from backups; --",
        "\\' or 1=1 #",
        "%' --",
    ] {
        for operator in ["=", "in", "like", "has"] {
            for field in [
                "uuid",
                "name",
                "metadata",
                "size",
                "createDate",
                "backupStorageRefs.installPath",
            ] {
                let zql = format!("count databasebackup where {field} {operator} \"{value}\"");
                let found = result(&client, &zql).await["total"].as_u64().unwrap();
                // As a number, text is 0.
                let zeros = if field == "size" && matches!(operator, "=" | "in" | "has") {
                    2
                } else {
                    0
                };
                assert_eq!(found, zeros, "{zql}");
            }
        }
    }
    assert_eq!(
        result(&client, "count databasebackup").await,
        json!({"total": 7})
    );
}

#[tokio::test]
async fn a_session_is_needed() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let headers = [("authorization", "OAuth 742a7c7d4a4f3a01b206632a40ac414f")];
    let path = "/zstack/v1/zql?zql=query%20backupstorage";
    let answer = app.call(axum::http::Method::GET, path, &headers, "").await;
    assert_eq!(answer.expect(503).json()["error"]["code"], "ID.1001");
}

/// A condition as it is made up.
#[derive(Debug, Clone)]
enum Tree {
    Test(&'static str, &'static str, Vec<String>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    /// The field's value is among, or not among, those of a field in the selected rows.
    Among(&'static str, bool, Box<Tree>),
}

/// Fields whose values are taken from a field of the same rows in sub-queries.
const TAKEN: [&str; 3] = ["uuid", "name", "status"];

fn trees(fields: &'static [&'static str], values: Vec<String>) -> impl Strategy<Value = Tree> {
    let operators = &[
        "=",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "like",
        "not like",
        "in",
        "not in",
        "has",
        "not has",
        "is null",
        "is not null",
    ];
    let values = proptest::collection::vec(select(values), 1..4);
    let test = (select(fields), select(operators), values)
        .prop_map(|(field, operator, values)| Tree::Test(field, operator, values));
    test.prop_recursive(4, 12, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Tree::All),
            several.prop_map(Tree::Any),
            (select(&TAKEN), any::<bool>(), inner).prop_map(|(field, not, it)| Tree::Among(
                field,
                not,
                Box::new(it)
            )),
        ]
    })
}

impl Tree {
    fn text(&self, entity: &str) -> String {
        let joined = |all: &[Self], with: &str| {
            let all: Vec<_> = all.iter().map(|it| it.text(entity)).collect();
            format!("({})", all.join(with))
        };
        match self {
            Self::All(all) => joined(all, " and "),
            Self::Any(any) => joined(any, " or "),
            Self::Among(field, not, inner) => {
                let not = if *not { "not " } else { "" };
                let inner = inner.text(entity);
                format!("{field} {not}in (query {entity}.{field} where {inner})")
            }
            Self::Test(field, operator, values) => {
                let quoted = |it: &String| {
                    let quote = if it.contains('\'') { '"' } else { '\'' };
                    format!("{quote}{it}{quote}")
                };
                let mut text = format!("{field} {operator}");
                match *operator {
                    "is null" | "is not null" => {}
                    "in" | "not in" | "has" | "not has" => {
                        let values: Vec<_> = values.iter().map(quoted).collect();
                        write!(text, " ({})", values.join(",")).unwrap();
                    }
                    _ => write!(text, " {}", quoted(&values[0])).unwrap(),
                }
                text
            }
        }
    }

    fn holds(&self, row: &Value, all: &[Value]) -> bool {
        match self {
            Self::All(trees) => trees.iter().all(|it| it.holds(row, all)),
            Self::Any(trees) => trees.iter().any(|it| it.holds(row, all)),
            Self::Among(field, not, inner) => {
                let rows = all.iter().filter(|it| inner.holds(it, all));
                let taken: Vec<_> = rows.filter_map(|it| shown(&it[*field])).collect();
                let taken: Vec<_> = taken.iter().map(String::as_str).collect();
                some(row, field, &|cell| naive_in(cell, &taken, !*not))
            }
            Self::Test(field, operator, values) => {
                let items: Vec<_> = values.iter().map(String::as_str).collect();
                let has = |value: &str| some(row, field, &|cell| naive_compare(cell, "=", value));
                match *operator {
                    "has" => items.iter().all(|it| has(it)),
                    "not has" => !items.iter().all(|it| has(it)),
                    other => some(row, field, &|cell| match other {
                        "is null" => cell.is_none(),
                        "is not null" => cell.is_some(),
                        "in" => naive_in(cell, &items, true),
                        "not in" => naive_in(cell, &items, false),
                        "like" => naive_compare(cell, "~=", items[0]),
                        "not like" => naive_compare(cell, "!~=", items[0]),
                        compare => naive_compare(cell, compare, items[0]),
                    }),
                }
            }
        }
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
fn random_conditions_select_what_a_naive_evaluator_selects(#[case] engine: Engine) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, _database) = runtime.block_on(catalog(engine));
    let client = runtime.block_on(Client::log_in(&app));
    for (entity, fields, cases) in [
        ("databasebackup", FIELDS, 1000),
        ("backupstorage", STORAGE_FIELDS, 300),
    ] {
        let ask = |rest: &str| {
            let zql = format!("query {entity} {rest} order by uuid asc");
            runtime.block_on(result(&client, &zql))["inventories"].take()
        };
        let all = ask("");
        let rows = all.as_array().unwrap();
        let mut values = values(&all);
        values.retain(|it| !(it.contains('\'') && it.contains('"')));
        let config = Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        };
        proptest!(config, |(tree in trees(fields, values))| {
            let text = tree.text(entity);
            let expected: Vec<_> = rows.iter().filter(|row| tree.holds(row, rows)).collect();
            prop_assert_eq!(ask(&format!("where {text}")), json!(expected), "{}", text);
        });
    }
}
