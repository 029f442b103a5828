//! Queries over rows in memory.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::zstack::query::tags::{Tag, TagKind};

static JOBS: Table = Table {
    class: "org.zstack.JobInventory",
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("limit", Kind::Number),
        ("enabled", Kind::Text),
        ("createDate", Kind::Time),
        ("triggersUuid", Kind::List),
    ],
    children: &[("runs", &RUNS)],
};

static RUNS: Table = Table {
    class: "org.zstack.RunInventory",
    columns: &[("result", Kind::Text), ("took", Kind::Number)],
    children: &[("steps", &STEPS)],
};

static STEPS: Table = Table {
    class: "org.zstack.StepInventory",
    columns: &[("name", Kind::Text)],
    children: &[],
};

fn rows() -> Vec<serde_json::Value> {
    vec![
        json!({
            "uuid": "a", "name": "nightly", "limit": 10, "enabled": true,
            "createDate": "Nov 14, 2017 10:20:57 PM", "triggersUuid": ["t1", "t2"],
            "runs": [{"result": "ok", "took": 5, "steps": [{"name": "dump"}]}, {"result": "bad"}],
        }),
        json!({
            "uuid": "b", "name": "Weekly", "limit": 9, "enabled": false,
            "createDate": "Nov 14, 2017 9:20:57 PM", "triggersUuid": ["t2"],
            "runs": [{"result": "ok", "took": 7, "steps": []}],
        }),
        json!({
            "uuid": "c", "name": "once", "enabled": true,
            "createDate": "Dec 1, 2016 1:00:00 AM", "triggersUuid": [], "runs": [],
        }),
    ]
}

fn ask(raw: &str) -> Result<(String, u64), String> {
    let tag = Tag {
        kind: TagKind::User,
        text: "prod".into(),
        pattern: Some("1".into()),
    };
    let tags = [("b".to_owned(), tag)].into_iter().collect();
    let (found, total) = answer(&Query::parse(raw).unwrap(), &JOBS, rows(), &tags)
        .map_err(|it| it.code().unwrap().details)?;
    let uuids: Vec<_> = found
        .iter()
        .map(|it| it["uuid"].as_str().unwrap())
        .collect();
    Ok((uuids.join(" "), total))
}

#[rstest]
#[case("", "a b c", 3)]
#[case("q=name=NIGHTLY", "a", 1)]
#[case("q=limit>9", "a", 1)]
#[case("q=limit is null", "c", 1)]
#[case("q=limit!=10", "b", 1)]
#[case("q=enabled=true", "a c", 2)]
#[case("q=createDate>2017-11-14 21:30:00", "a", 1)]
#[case("q=createDate=Nov 14, 2017 9:20:57 PM", "b", 1)]
#[case("q=triggersUuid=t2", "a b", 2)]
#[case("q=triggersUuid!=t2", "a", 1)]
#[case("q=triggersUuid?=t1,t3", "a", 1)]
#[case("q=triggersUuid is null", "", 0)]
#[case("q=triggersUuid not null", "a b", 2)]
#[case("q=runs.result!=ok", "a", 1)]
#[case("q=runs.took>5", "b", 1)]
#[case("q=runs.took=5&q=runs.result=bad", "a", 1)]
#[case("q=runs.steps.name~=d%", "a", 1)]
#[case("q=__userTag__=prod", "b", 1)]
#[case("q=__userTag__!=prod", "a c", 2)]
#[case("q=runs.__userTag__!=prod", "a b", 2)]
#[case("sort=createDate", "c b a", 3)]
#[case("sort=-limit", "a b c", 3)]
#[case("sort=limit&limit=2", "c b", 3)]
#[case("sort=%2Bname&start=1&limit=1", "c", 3)]
#[case("sort=-name", "b c a", 3)]
#[case("start=9", "", 3)]
#[case("limit=0", "", 3)]
fn rows_are_selected_ordered_and_paged(#[case] raw: &str, #[case] uuids: &str, #[case] total: u64) {
    assert_eq!(ask(raw), Ok((uuids.to_owned(), total)), "{raw}");
}

#[rstest]
#[case(
    "q=foo=1",
    "inventory class[class org.zstack.JobInventory] not having field[foo]"
)]
#[case(
    "q=runs=1",
    "inventory class[class org.zstack.JobInventory] not having field[runs]"
)]
#[case(
    "q=runs.foo=1",
    "inventory class[class org.zstack.RunInventory] not having field[foo]"
)]
#[case(
    "q=runs.host.uuid=1",
    "invalid nested query condition[runs.host.uuid] on class org.zstack.JobInventory,the expanded target[class org.zstack.RunInventory] have no expanded query[host]"
)]
#[case(
    "sort=triggersUuid",
    "invalid order by clause, inventory[JobInventory] doesn't have field[triggersUuid]"
)]
#[case(
    "fields=uuid,foo",
    "inventory[${selfInventoryClass}] has no field[foo]"
)]
fn what_there_is_not_is_refused_in_the_vendors_words(#[case] raw: &str, #[case] text: &str) {
    assert_eq!(ask(raw), Err(text.to_owned()));
}

#[test]
fn a_negation_holds_for_every_row_for_which_its_conditions_do_not() {
    let ten = Where::Test(Condition::parse("limit=10").unwrap());
    let not_ten = Where::Not(Box::new(Where::Any(vec![ten])));
    let selection = JOBS.select(&not_ten, &Tags::default()).unwrap();
    let holding: Vec<_> = rows()
        .iter()
        .map(|it| selection.holds(it.as_object().unwrap()))
        .collect();
    assert_eq!(holding, [false, true, true]);
}
