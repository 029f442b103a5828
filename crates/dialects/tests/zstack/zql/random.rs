//! Random conditions, over the catalog and in memory, compared with a naive evaluator that sees only
//! the rows as JSON.

use std::fmt::Write as _;

use proptest::{prelude::*, sample::select, test_runner::Config};
use rstest::rstest;
use serde_json::{Value, json};
use strongroom_testkit::Engine;

use super::result;
use crate::{
    catalog::catalog,
    client::Client,
    naive::{naive_compare, naive_in, shown, some, values},
    query::random::{FIELDS, STORAGE_FIELDS},
};

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
                    let it = it.replace('\\', "\\\\").replace('\'', "''");
                    format!("'{it}'")
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
        let values = values(&all);
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
