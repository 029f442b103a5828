//! What each parameter of a query does.

use rstest::rstest;
use serde_json::json;
use strongroom_domain::BackupId;
use strongroom_testkit::Engine;
use uuid::Uuid;

use crate::{
    catalog::{ROWS, backup_id, catalog, names},
    client::Client,
};

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_parameter_changes_the_rows_as_its_rule_says(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    let all: Vec<_> = ROWS.iter().map(|it| it.0).collect();
    let table: &[(&str, &str, &[&str])] = &[
        ("every q must hold", "q=name=beta&q=status=Ready", &["Beta"]),
        (
            "a q that is repeated counts once",
            "q=size=0&q=size=0&sort=createDate",
            &["alpha", "gamma,delta"],
        ),
        ("limit", "sort=createDate&limit=2", &["alpha", "Beta"]),
        ("no row by limit", "limit=0", &[]),
        (
            "start",
            "sort=createDate&start=5",
            &["数据库", "' or 1=1 --"],
        ),
        (
            "start and limit",
            "sort=createDate&limit=2&start=1",
            &["Beta", "beta "],
        ),
        ("start beyond the end", "start=7", &[]),
        ("the greatest start", "start=2147483647", &[]),
        (
            "blanks around a value",
            "sort=createDate&limit=%201%20",
            &["alpha"],
        ),
        ("only the first limit counts", "limit=0&limit=5", &[]),
        (
            "a sort with an encoded plus ascends",
            "sort=%2BcreateDate&limit=1",
            &["alpha"],
        ),
        (
            "a sort with a plus that became a blank ascends",
            "sort=+createDate&limit=1",
            &["alpha"],
        ),
        (
            "a sort without sign ascends",
            "sort=createDate&limit=1",
            &["alpha"],
        ),
        (
            "a sort with a minus descends",
            "sort=-createDate&limit=1",
            &["' or 1=1 --"],
        ),
        (
            "a sort by number is by value",
            "sort=-size&limit=1",
            &["100%_done"],
        ),
        (
            "groupBy changes nothing",
            "sort=createDate&groupBy=name",
            &all,
        ),
        (
            "other parameters are ignored",
            "sort=createDate&deleteMode=&x=limit",
            &all,
        ),
        (
            "names of parameters have their case",
            "sort=createDate&Limit=1&START=3&Q=size=0",
            &all,
        ),
        (
            "count is false unless it says true",
            "sort=createDate&count=yes",
            &all,
        ),
        (
            "an empty filterName is none",
            "sort=createDate&filterName=",
            &all,
        ),
    ];
    for (rule, query, expected) in table {
        assert_eq!(names(&client, query).await, *expected, "{rule}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn counts_and_members_are_as_asked(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    for (rule, query, expected) in [
        (
            "count is the number of all matches and no rows",
            "q=size%3E=13107&q=status=Ready&count=true&limit=1",
            json!({"total": 2, "schema": {}}),
        ),
        (
            "count may be written in any case",
            "count=TRUE",
            json!({"total": 7, "schema": {}}),
        ),
        (
            "count comes before replyWithCount",
            "count=true&replyWithCount=true",
            json!({"total": 7, "schema": {}}),
        ),
        (
            "replyWithCount is the number of all matches beside the page",
            "q=size%3E=13107&start=9&limit=1&replyWithCount=True",
            json!({"inventories": [], "total": 3, "schema": {}}),
        ),
    ] {
        assert_eq!(client.query(query).await, expected, "{rule}");
    }
    let alpha = json!([{"name": "alpha", "size": 0}]);
    for (rule, fields) in [
        ("fields in one parameter", "fields=name,size"),
        ("fields with blanks between", "fields=name,%20size"),
        ("fields in several parameters", "fields=name&fields=size"),
    ] {
        let query = format!("q=name=alpha&{fields}");
        assert_eq!(client.query(&query).await["inventories"], alpha, "{rule}");
    }
}

#[tokio::test]
async fn a_query_without_limit_has_1000_rows_at_most() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let id = backup_id(0);
    let one = app.service.backup(&app.owner, id).await.unwrap();
    let mut tx = app.store.begin().await.unwrap();
    for at in 0..1000 {
        let backup = strongroom_domain::Backup {
            id: BackupId::from_uuid(Uuid::from_u128(0xef01_4000_8000 << 64 | at)),
            ..one.clone()
        };
        tx.insert_backup(&backup).await.unwrap();
    }
    tx.commit().await.unwrap();
    let answer = client.query("replyWithCount=true&fields=uuid").await;
    assert_eq!(answer["total"], 1007);
    assert_eq!(answer["inventories"].as_array().unwrap().len(), 1000);
    let answer = client.query("limit=1005&fields=uuid").await;
    assert_eq!(answer["inventories"].as_array().unwrap().len(), 1005);
}

#[tokio::test]
async fn one_row_is_asked_for_by_its_uuid_whatever_the_parameters() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    let of = async |uuid: &str, query: &str| {
        let path = format!("/zstack/v1/database-backups/{uuid}?{query}");
        client.get(&path).await.expect(200).json()
    };
    let uuid = backup_id(1).simple();
    let found = of(&uuid, "").await;
    assert_eq!(found["inventories"][0]["name"], "Beta");
    for query in [
        "limit=0",
        "limit=abc",
        "q=name=x",
        "count=true",
        "fields=foo",
        "q=x",
    ] {
        assert_eq!(of(&uuid, query).await, found, "{query}");
    }
    let none = json!({"inventories": [], "schema": {}});
    for missing in ["742a7c7d4a4f3a01b206632a40ac414f", "not-a-uuid"] {
        assert_eq!(of(missing, "").await, none, "{missing}");
    }
}
