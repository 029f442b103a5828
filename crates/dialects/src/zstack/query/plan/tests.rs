//! What conditions on shown values become.

use rstest::rstest;

use super::*;
use crate::zstack::query::condition::Condition;

fn holds(column: &Column<()>, cell: Option<Value>, test: &str) -> bool {
    let test = Condition::parse(&format!("f{test}")).unwrap().test;
    column.filter(&test).matches(&|()| cell.clone())
}

#[rstest]
#[case("=DAILY ", true)]
#[case("= daily", false)]
#[case("!=daily", false)]
#[case(">dai", true)]
#[case("<e", true)]
#[case("~=%AIL_", true)]
#[case("~=ail", false)]
#[case("!~=x%", true)]
#[case("?=a,daily", true)]
#[case("!?=a,daily", false)]
#[case("!?=,", true)]
#[case("?=,", false)]
#[case("=' or 1=1 --", false)]
fn text_compares_without_case_and_trailing_blanks(#[case] test: &str, #[case] expected: bool) {
    let cell = Some("Daily".into());
    assert_eq!(holds(&Column::Text(()), cell, test), expected, "{test}");
}

#[test]
fn no_test_but_its_own_holds_for_null() {
    let column = Column::Text(());
    for test in ["=a", "!=a", ">a", "?=a", "!?=a", "~=%", "!~=a", "!=null"] {
        assert!(!holds(&column, None, test), "{test}");
    }
    assert!(holds(&column, None, " is null"));
    assert!(holds(&column, None, "=null"));
}

#[rstest]
#[case("=13107", true)]
#[case("=13107.0", true)]
#[case("=13107.5", false)]
#[case("!=13107.5", true)]
#[case("<13107.5", true)]
#[case(">13106.5", true)]
#[case(">=13107.5", false)]
#[case(">9", true)]
#[case(">abc", true)]
#[case("=abc", false)]
#[case("<99999999999999999999", true)]
#[case("?=1,13107", true)]
#[case("!?=1,13107", false)]
#[case("~=131%", true)]
#[case(" is null", false)]
fn a_number_compares_by_value(#[case] test: &str, #[case] expected: bool) {
    assert_eq!(
        holds(&Column::Size(()), Some(Value::Int(13107)), test),
        expected,
        "{test}"
    );
}

#[test]
fn a_size_that_is_not_known_counts_as_the_0_it_is_shown_as() {
    for test in ["=0", "<1", ">=0", "!=5", "?=0,1", "!~=1%", " not null"] {
        assert!(holds(&Column::Size(()), None, test), "{test}");
    }
    for test in ["!=0", ">0", "=5", " is null"] {
        assert!(!holds(&Column::Size(()), None, test), "{test}");
    }
}

#[rstest]
#[case("=2017-11-14 22:20:57", true)]
#[case("=Nov 14, 2017 10:20:57 PM", true)]
#[case("!=2017-11-14 22:20:57", false)]
#[case(">2017-11-14 22:20:57", false)]
#[case(">=2017-11-14 22:20:57", true)]
#[case("<=2017-11-14 22:20:57", true)]
#[case("<2017-11-14 22:20:57", false)]
#[case("<2017-11-14 22:20:57.3", true)]
#[case(">=2017-11-14 22:20:57.3", false)]
#[case("!=2017-11-14 22:20:57.3", true)]
#[case(">2017-11-14", true)]
#[case("?=2017-11-14,2017-11-14 22:20:57", true)]
#[case("~=2017-11-%", true)]
#[case("=nonsense", false)]
#[case("!=nonsense", true)]
fn a_time_compares_by_its_whole_second(#[case] test: &str, #[case] expected: bool) {
    let at: Timestamp = "2017-11-14T22:20:57.5Z".parse().unwrap();
    assert_eq!(
        holds(&Column::Time(()), Some(Value::Time(at)), test),
        expected,
        "{test}"
    );
}

#[rstest]
#[case("=742A7C7D4A4F3A01B206632A40AC414F", true)]
#[case("=742a7c7d-4a4f-3a01-b206-632a40ac414f", false)]
#[case("!=not an id", true)]
#[case(">742", true)]
#[case("<8", true)]
#[case("~=742%414f", true)]
#[case("?=x,742a7c7d4a4f3a01b206632a40ac414f", true)]
#[case("!?=x,742a7c7d4a4f3a01b206632a40ac414f", false)]
#[case(" not null", true)]
fn an_id_compares_as_its_32_digits(#[case] test: &str, #[case] expected: bool) {
    let id = Value::Id("742a7c7d4a4f3a01b206632a40ac414f".parse().unwrap());
    assert_eq!(
        holds(&Column::Id(()), Some(id.clone()), test),
        expected,
        "{test}"
    );
    // The same behind a fixed text.
    let operator = test.find(char::is_alphanumeric).unwrap_or(0);
    let (operator, value) = test.split_at(operator);
    if operator != " " && !value.contains(',') {
        let test = format!("{operator}zstore://zsbak/{value}");
        let column = Column::Prefixed("zstore://zsbak/", ());
        assert_eq!(holds(&column, Some(id), &test), expected, "{test}");
    }
}

#[test]
fn a_fixed_beginning_decides_where_the_value_does_not_share_it() {
    let column = Column::Prefixed("zstore://zsbak/", ());
    let id = Some(Value::Id(uuid::Uuid::nil()));
    for test in [
        "!=x",
        ">zstore",
        "<zz",
        "~=zstore%",
        "~=%/000%",
        "!~=ftp%",
        " not null",
    ] {
        assert!(holds(&column, id.clone(), test), "{test}");
    }
    for test in [
        "=zstore://zsbak",
        "<zstore",
        "~=zsbak%",
        "?=a,b",
        " is null",
    ] {
        assert!(!holds(&column, id.clone(), test), "{test}");
    }
}

#[test]
fn a_word_is_tested_as_it_is_shown() {
    let column = Column::Word((), &[("completed", "Ready"), ("running", "Creating")]);
    let completed = Some(Value::from("completed"));
    for test in [
        "=ready",
        "~=r%",
        "!=Creating",
        "?=Ready,Deleted",
        ">=Creating",
        " not null",
    ] {
        assert!(holds(&column, completed.clone(), test), "{test}");
    }
    for test in ["=completed", "=Creating", " is null"] {
        assert!(!holds(&column, completed.clone(), test), "{test}");
    }
}
