//! What each condition selects.

use jiff::civil::DateTime;
use rstest::rstest;
use strongroom_testkit::Engine;

use crate::{
    catalog::{ROWS, backup_id, catalog, encoded, names, storage_id},
    client::Client,
    neighbours::list,
};

/// A rule, a condition that shows it, and the names of the rows that meet this.
type Rule = (&'static str, &'static str, &'static [&'static str]);

const ALL: &[&str] = &[
    "alpha",
    "Beta",
    "beta ",
    "100%_done",
    "gamma,delta",
    "数据库",
    "' or 1=1 --",
];

const OPERATORS: &[Rule] = &[
    ("= is equal", "name=alpha", &["alpha"]),
    (
        "!= is not equal",
        "name!=beta",
        &["alpha", "100%_done", "gamma,delta", "数据库", "' or 1=1 --"],
    ),
    ("> is greater", "name>c", &["gamma,delta", "数据库"]),
    (
        ">= is greater or equal",
        "size>=13107",
        &["Beta", "beta ", "100%_done"],
    ),
    ("< is less", "name<alpha", &["100%_done", "' or 1=1 --"]),
    (
        "<= is less or equal",
        "name<=alpha",
        &["alpha", "100%_done", "' or 1=1 --"],
    ),
    (
        "?= is one of a list",
        "name?=alpha,数据库,nothing",
        &["alpha", "数据库"],
    ),
    (
        "!?= is none of a list",
        "name!?=alpha,beta,数据库,100%_done",
        &["gamma,delta", "' or 1=1 --"],
    ),
    ("items of a list are not trimmed", "name?=x, alpha", &[]),
    (
        "a comma in a list cannot be escaped",
        "name?=gamma\\,delta",
        &[],
    ),
    ("an empty item is an item", "description?=x,", &["beta "]),
    ("~= is like", "name~=%eta%", &["Beta", "beta "]),
    (
        "!~= is not like",
        "name!~=%a%",
        &["100%_done", "数据库", "' or 1=1 --"],
    ),
    (
        "% is any run, an empty one too",
        "name~=%alpha%",
        &["alpha"],
    ),
    ("_ is one character", "name~=数__", &["数据库"]),
    ("like has no wildcards of its own", "name~=eta", &[]),
    (
        "a backslash takes what follows as it is",
        "name~=100\\%%",
        &["100%_done"],
    ),
    ("is null", "description is null", &["Beta", "gamma,delta"]),
    (
        "not null",
        "description not null",
        &["alpha", "beta ", "100%_done", "数据库", "' or 1=1 --"],
    ),
    ("=null", "description=null", &["Beta", "gamma,delta"]),
    (
        "!=null",
        "description!=null",
        &["alpha", "beta ", "100%_done", "数据库", "' or 1=1 --"],
    ),
    (
        "NULL is not unequal either",
        "description!=first one",
        &["beta ", "100%_done", "数据库", "' or 1=1 --"],
    ),
];

const READING: &[Rule] = &[
    ("the name is trimmed", " name =alpha", &["alpha"]),
    ("the value is not trimmed", "name= alpha", &[]),
    (
        "the text is split at its first operator",
        "name=' or 1=1 --",
        &["' or 1=1 --"],
    ),
    ("the rest is the value", "name==alpha", &[]),
    (
        "an operator in the value is none if it is looked for later",
        "description~=%is null%",
        &[],
    ),
    (
        "a quote is a letter like others",
        "description=it's\\quoted",
        &["100%_done"],
    ),
];

const COMPARING: &[Rule] = &[
    ("text is compared without case", "name=ALPHA", &["alpha"]),
    (
        "text is compared without trailing blanks",
        "name=beta",
        &["Beta", "beta "],
    ),
    ("like sees trailing blanks", "name~=b_ta", &["Beta"]),
    ("like is without case", "name~=A%A", &["alpha"]),
    (
        "no letter has a case in =",
        "description=été οδος",
        &["' or 1=1 --"],
    ),
    (
        "nor in !=",
        "description!=été οδος",
        &["alpha", "beta ", "100%_done", "数据库"],
    ),
    ("nor in a list", "description?=x,ÉTé Οδος", &["' or 1=1 --"]),
    ("nor in like", "description~=é_é%ΔΟς", &["' or 1=1 --"]),
    (
        "nor in not like",
        "description!~=%é%",
        &["alpha", "beta ", "100%_done", "数据库"],
    ),
    ("an accent makes another letter", "description~=ete%", &[]),
    (
        "numbers are compared by value",
        "size=13107.0",
        &["Beta", "beta "],
    ),
    (
        "large numbers are exact",
        "size=9007199254740993",
        &["100%_done"],
    ),
    (
        "a fraction lies between two numbers",
        "size<7.5",
        &["alpha", "gamma,delta", "数据库", "' or 1=1 --"],
    ),
    (
        "a text that is no number is 0",
        "size>abc",
        &["Beta", "beta ", "100%_done", "数据库", "' or 1=1 --"],
    ),
    (
        "a size that is not known is 0",
        "size=0",
        &["alpha", "gamma,delta"],
    ),
    (
        "words are compared as they are shown",
        "status=ready",
        &["alpha", "Beta", "100%_done"],
    ),
    (
        "words in a list",
        "status?=Creating,Failed",
        &["beta ", "gamma,delta"],
    ),
    ("a member that is the same everywhere", "state=Enabled", ALL),
    ("and its opposite", "state!=Enabled", &[]),
    ("members that are made up", "metadata~=%command%", ALL),
    ("uuids are texts", "uuid~=%0003", &["100%_done"]),
];

const NESTED: &[Rule] = &[
    (
        "a member of some copy",
        "backupStorageRefs.status=Deleted",
        &["数据库"],
    ),
    (
        "a negative operator asks for some copy that is not so",
        "backupStorageRefs.status!=Ready",
        &["Beta", "gamma,delta", "数据库", "' or 1=1 --"],
    ),
    (
        "a path",
        "backupStorageRefs.installPath~=zstore://zsbak/%1",
        &["Beta"],
    ),
    (
        "a member that no copy has",
        "backupStorageRefs.exportUrl not null",
        &[],
    ),
    (
        "the storage of some copy",
        "backupStorageRefs.backupStorage.name=remote",
        &["alpha", "Beta"],
    ),
    (
        "the storage's name has no case either",
        "backupStorageRefs.backupStorage.name~=ЁЖ%",
        &["Beta"],
    ),
    (
        "no such storage",
        "backupStorageRefs.backupStorage.name=nothing",
        &[],
    ),
    (
        "the default storage",
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
    ("no tag", "__userTag__=x", &[]),
    (
        "a negative operator asks for no such tag",
        "__systemTag__!=x",
        ALL,
    ),
    ("nor a list of them", "__userTag__!?=x,y", ALL),
    ("nor one like it", "__userTag__!~=%", ALL),
    ("no tag of a pattern", "__tagUuid__=x", &[]),
    ("no tag of a pattern, negated", "__tagUuid__!=x", ALL),
];

async fn check(client: &Client<'_>, rules: &[Rule]) {
    for (rule, condition, expected) in rules {
        let query = format!("sort=createDate&q={}", encoded(condition));
        let found = names(client, &query).await;
        assert_eq!(found, *expected, "{rule}: {condition}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_rule_selects_its_rows(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    for rules in [OPERATORS, READING, COMPARING, NESTED] {
        check(&client, rules).await;
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_condition_on_copies_may_be_met_by_another_one(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    // Of `Beta` the copy in the default storage is ready, the one in the second is being made.
    let second = storage_id(1).simple();
    let query =
        format!("q=backupStorageRefs.status=Ready&q=backupStorageRefs.backupStorageUuid={second}");
    assert_eq!(names(&client, &query).await, ["Beta"]);
}

/// A time, in every form in which it may be written, is the one that is shown.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn a_time_may_be_written_as_mysql_this_api_or_iso_8601_does(#[case] engine: Engine) {
    let (app, _database) = catalog(engine).await;
    let client = Client::log_in(&app).await;
    let path = format!("/database-backups/{}", backup_id(0).simple());
    let shown = list(&client, &path).await[0]["createDate"].clone();
    let shown = shown.as_str().unwrap();
    let at = DateTime::strptime("%b %d, %Y %I:%M:%S %p", shown).unwrap();
    let mysql = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    for form in [
        shown.to_owned(),
        at.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string(),
        mysql.clone(),
        at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        format!(
            "{}+08:00",
            at.checked_add(jiff::Span::new().hours(8)).unwrap()
        ),
    ] {
        let of = async |operator: &str| {
            let condition = format!("createDate{operator}{form}");
            names(
                &client,
                &format!("sort=createDate&q={}", encoded(&condition)),
            )
            .await
        };
        assert_eq!(of("=").await, ["alpha"], "{form}");
        assert_eq!(of("<=").await, ["alpha"], "{form}");
        assert_eq!(of("<").await, [""; 0], "{form}");
        assert_eq!(of(">").await, ALL[1..], "{form}");
        assert_eq!(of("!=").await, ALL[1..], "{form}");
    }
    let day = mysql.split(' ').next().unwrap();
    let like = format!("sort=createDate&q=createDate~={day}%25");
    assert!(names(&client, &like).await.contains(&"alpha".to_owned()));
    assert_eq!(ROWS.len(), ALL.len());
}

/// Some clients send what they should encode: `%` before what are no digits, a blank as `+`.
#[tokio::test]
async fn a_query_that_is_not_encoded_is_read_as_it_is_meant() {
    let (app, _database) = catalog(Engine::Sqlite).await;
    let client = Client::log_in(&app).await;
    for (query, expected) in [
        ("q=name~=%eta%&sort=+createDate", vec!["Beta", "beta "]),
        ("q=name~=%et%61%&sort=-createDate", vec!["beta ", "Beta"]),
        ("q=name=alpha", vec!["alpha"]),
        ("q=name~=100%25%25", vec!["100%_done"]),
        ("q=name='+or+1=1+--", vec!["' or 1=1 --"]),
    ] {
        assert_eq!(names(&client, query).await, expected, "{query}");
    }
}
