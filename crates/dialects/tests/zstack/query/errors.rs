//! What is wrong with a query is said in the vendor's words, and the next one works.

use serde_json::Value;

use crate::{
    bad_input::error,
    catalog::encoded,
    client::{Client, server},
};

const BACKUPS: &str = "/zstack/v1/database-backups";
const OPERATORS: &str =
    "Valid query operators are [!=, >=, <=, !?=, !~=, ~=, ?=, =, >, <, is null, not null]";

#[tokio::test]
async fn what_cannot_be_read_is_refused_as_text() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let not_integer = |name| format!("Invalid query parameter. '{name}' must be an integer");
    let no_pair = |text, operator| {
        format!(
            "Invalid query parameter. The '{text}' in parameter[q] is not a key-value pair split \
             by {operator}"
        )
    };
    let no_operator = |text| {
        format!(
            "Invalid query parameter. The '{text}' in the parameter[q] doesn't contain any query \
             operator. {OPERATORS}"
        )
    };
    for (query, text) in [
        ("limit=abc", not_integer("limit")),
        ("limit=", not_integer("limit")),
        ("limit=1.0", not_integer("limit")),
        ("limit=99999999999", not_integer("limit")),
        ("start=", not_integer("start")),
        ("start=x", not_integer("start")),
        ("q=name=", no_pair("name=", "=")),
        ("q=name!=", no_pair("name!=", "!=")),
        ("q=name~=", no_pair("name~=", "like")),
        ("q=name!~=", no_pair("name!~=", "not like")),
        ("q=name?=", no_pair("name?=", "in")),
        ("q=name!?=", no_pair("name!?=", "not in")),
        ("q=size%3E", no_pair("size>", ">")),
        ("q=size%3E=", no_pair("size>=", ">=")),
        ("q=%20=1", no_pair(" =1", "=")),
        ("q=is%20null", no_pair("is null", "is null")),
        ("q==x", no_pair("=x", "=")),
        ("q=!=x", no_pair("!=x", "!=")),
        ("q=~=x", no_pair("~=x", "like")),
        ("q=!~=x", no_pair("!~=x", "not like")),
        ("q=?=x", no_pair("?=x", "in")),
        ("q=!?=x", no_pair("!?=x", "not in")),
        ("q=name", no_operator("name")),
        ("q=", no_operator("")),
        ("q=name%20like%20a", no_operator("name like a")),
    ] {
        let answer = client.get(&format!("{BACKUPS}?{query}")).await.expect(400);
        assert_eq!(answer.text(), text);
        assert_eq!(answer.header("content-type"), "text/plain;charset=utf-8");
    }
    client.get(BACKUPS).await.expect(200);
}

#[tokio::test]
async fn what_there_is_not_is_refused_with_a_code() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let backup = "org.zstack.header.storage.database.backup.DatabaseBackupInventory";
    let copy = "org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory";
    let storage = "org.zstack.header.storage.backup.BackupStorageInventory";
    let no_field = |class, name| format!("inventory class[class {class}] not having field[{name}]");
    let no_expansion = |condition, target, name| {
        format!(
            "invalid nested query condition[{condition}] on class {backup},the expanded \
             target[class {target}] have no expanded query[{name}]"
        )
    };
    let internal = "SYS.1000";
    for (query, code, details) in [
        ("q=foo=1", internal, no_field(backup, "foo")),
        ("q=Name=1", internal, no_field(backup, "Name")),
        ("q=name' or 1=1", internal, no_field(backup, "name' or 1")),
        ("q=backupStorageRefs.id=1", internal, no_field(copy, "id")),
        (
            "q=backupStorageRefs.backupStorage.foo=1",
            internal,
            no_field(storage, "foo"),
        ),
        ("q=a.b=1", internal, no_expansion("a.b", backup, "a")),
        (
            "q=backupStorageRefs.zone.uuid=1",
            internal,
            no_expansion("backupStorageRefs.zone.uuid", copy, "zone"),
        ),
        (
            "sort=foo",
            internal,
            "invalid order by clause, inventory[DatabaseBackupInventory] doesn't have field[foo]"
                .to_owned(),
        ),
        (
            "sort=-backupStorageRefs",
            internal,
            "invalid order by clause, inventory[DatabaseBackupInventory] doesn't have \
             field[backupStorageRefs]"
                .to_owned(),
        ),
        (
            "fields=name,foo",
            internal,
            "inventory[${selfInventoryClass}] has no field[foo]".to_owned(),
        ),
        (
            "limit=-1",
            internal,
            "max-results cannot be negative: -1".to_owned(),
        ),
        (
            "start=-1",
            internal,
            "first-result cannot be negative: -1".to_owned(),
        ),
        (
            "filterName=x",
            "SYS.1007",
            "filterName must be formatted as [filterType:condition(s)]".to_owned(),
        ),
        (
            "filterName=x:y",
            internal,
            "unable to find QueryBelongFilter with type[x]".to_owned(),
        ),
    ] {
        let (name, value) = query.split_once('=').unwrap();
        let path = format!("{BACKUPS}?{name}={}", encoded(value));
        let answer = client.get(&path).await.expect(503);
        assert_eq!(error(&answer.json()), (code.to_owned(), details), "{query}");
        let kind = answer.header("content-type");
        assert_eq!(kind, "application/json;charset=utf-8");
    }
    let listed: Value = client.get(BACKUPS).await.expect(200).json();
    assert_eq!(listed["inventories"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn queries_that_are_too_much_do_no_harm() {
    let app = server("x").await;
    let client = Client::log_in(&app).await;
    let many = |one: &str, times: usize| one.repeat(times);
    for query in [
        (0..3000)
            .map(|at| format!("q=size%3E{at}"))
            .collect::<Vec<_>>()
            .join("&"),
        format!("q=name?={}", many("a,b,", 10_000)),
        format!("q=name~={}", many("%25a", 8_000)),
        format!("q=name~={}", many("%25", 10_000)),
        format!("q=name~={}b", many("%25a%25_", 2_000)),
        format!("q=backupStorageRefs.installPath~={}", many("%25z_", 4_000)),
        format!("q=name={}", many("x", 60_000)),
    ] {
        let query: String = query;
        let answer = client.get(&format!("{BACKUPS}?{query}&count=true")).await;
        let start: String = query.chars().take(40).collect();
        assert_eq!(answer.status, 200, "{start}: {answer:?}");
    }
    // More values than a database takes are refused.
    let list: Vec<_> = (0..6000).map(|at| at.to_string()).collect();
    let path = format!("{BACKUPS}?q=name?={}", list.join(","));
    let answer = client.get(&path).await.expect(503).json();
    assert_eq!(error(&answer).0, "SYS.1007");
}
