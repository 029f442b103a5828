//! What ZQL texts are read as, and what is refused.

use rstest::rstest;
use strongroom_domain::query::Direction;

use super::{
    ast::{Cond, Fold, Operand, Statement, Verb},
    parse::parse,
};

/// A condition as text, with parentheses around everything that is joined.
fn written(condition: &Cond) -> String {
    let joined = |all: &[Cond], with: &str| {
        let mut all: Vec<_> = all.iter().map(written).collect();
        all.sort_unstable();
        format!("({})", all.join(with))
    };
    match condition {
        Cond::All(all) => joined(all, " and "),
        Cond::Any(any) => joined(any, " or "),
        Cond::Columns(left, operator, right) => format!(
            "{}.{} {operator:?} {}.{}",
            left.entity, left.field, right.entity, right.field
        ),
        Cond::Test {
            field,
            operator,
            operand,
        } => match operand {
            Operand::Values(values) => format!("{field} {operator:?} {values:?}"),
            Operand::SubQuery(query) => {
                let inner: Vec<_> = query.conditions.iter().map(written).collect();
                let inner = inner.join(" ");
                format!(
                    "{field} {operator:?} {}.{} {inner}",
                    query.entity, query.field
                )
            }
        },
    }
}

fn one(text: &str) -> Statement {
    let mut statements = parse(text).unwrap();
    assert_eq!(statements.len(), 1);
    statements.remove(0)
}

#[rstest]
#[case("a = '1'", r#"a Compare(Eq) ["1"]"#)]
#[case("a!=-5", r#"a Compare(Ne) ["-5"]"#)]
#[case("a >= 1.5", r#"a Compare(Ge) ["1.5"]"#)]
#[case("a.b.c<true", r#"a.b.c Compare(Lt) ["true"]"#)]
#[case("a is null", "a IsNull []")]
#[case("a is  not\nnull", "a NotNull []")]
#[case(r#"a in ('x', "y z", 3)"#, r#"a In ["x", "y z", "3"]"#)]
#[case("a not in 'x'", r#"a NotIn ["x"]"#)]
#[case("a in list('x', ('y'))", r#"a In ["x", "y"]"#)]
#[case("a like '%x_'", r#"a Like ["%x_"]"#)]
#[case("a not like '%'", r#"a NotLike ["%"]"#)]
#[case("a has ('x','y')", r#"a Has ["x", "y"]"#)]
#[case("a not has ('x')", r#"a NotHas ["x"]"#)]
#[case("a = 'it\"s; drop -- '", r#"a Compare(Eq) ["it\"s; drop -- "]"#)]
#[case(r"a = 'it''s'", r#"a Compare(Eq) ["it's"]"#)]
#[case(r"a = 'x\\y\tz\%'", r#"a Compare(Eq) ["x\\y\tz\\%"]"#)]
#[case(r#"a = "it''s""#, r#"a Compare(Eq) ["it''s"]"#)]
#[case("a.b = c.d.e", "a.b Compare(Eq) c.d")]
#[case(
    "a.b not like c.d and e = 1",
    r#"(a.b NotLike c.d and e Compare(Eq) ["1"])"#
)]
#[case("a='' and b=\"\"", r#"(a Compare(Eq) [""] and b Compare(Eq) [""])"#)]
#[case("limit = 1", r#"limit Compare(Eq) ["1"]"#)]
#[case(
    "a is null and b is null and c is null",
    "(a IsNull [] and b IsNull [] and c IsNull [])"
)]
// Neither binds tighter; the right side is everything that follows.
#[case(
    "a is null and b is null or c is null",
    "((b IsNull [] or c IsNull []) and a IsNull [])"
)]
#[case(
    "a is null or b is null and c is null",
    "((b IsNull [] and c IsNull []) or a IsNull [])"
)]
#[case(
    "(a is null or b is null) and ((c is null))",
    "((a IsNull [] or b IsNull []) and c IsNull [])"
)]
#[case(
    "a in (query host.uuid where b = 'x' and c has (query d.e))",
    r#"a In host.uuid (b Compare(Eq) ["x"] and c Has d.e )"#
)]
fn a_condition_is_read(#[case] text: &str, #[case] expected: &str) {
    let statement = one(&format!("query databasebackup where {text}"));
    let conditions: Vec<_> = statement.conditions.iter().map(written).collect();
    assert_eq!(conditions.join(" "), expected);
}

#[test]
fn every_clause_is_read_in_its_order() {
    let statement = one("query distinct(databasebackup.name,size) where size > 0 \
         restrict by (databasebackup.state = 'Enabled', name like '%') return with (total) \
         group by name, size order by name asc, size desc limit 10 offset 5 named as 'mine';");
    assert_eq!(statement.verb, Verb::Distinct);
    assert_eq!(statement.entity, "databasebackup");
    assert_eq!(statement.fields, ["name", "size"]);
    let conditions: Vec<_> = statement.conditions.iter().map(written).collect();
    assert_eq!(
        conditions.join("; "),
        r#"size Compare(Gt) ["0"]; state Compare(Eq) ["Enabled"]; name Like ["%"]"#
    );
    assert!(statement.total);
    assert_eq!(statement.group_by, ["name", "size"]);
    let order = [
        ("name".to_owned(), Direction::Ascending),
        ("size".to_owned(), Direction::Descending),
    ];
    assert_eq!(statement.order_by, order);
    assert_eq!((statement.limit, statement.offset), (Some(10), 5));
    assert_eq!(statement.name.as_deref(), Some("mine"));
}

#[test]
fn joins_and_filters_are_read() {
    let statement = one(
        "count distinct(a inner join b.x on a.c = b.d left join e on a.c = e.f or \
         a.c = b.d and g = 1) right join h on a.c > h.i where j = 1",
    );
    assert!(statement.distinct && statement.verb == Verb::Count);
    let joins = statement.joins.iter();
    let joins: Vec<_> = joins
        .map(|it| format!("{:?} {} {}", it.kind, it.entity, written(&it.on)))
        .collect();
    assert_eq!(
        joins,
        [
            "Inner b a.c Compare(Eq) b.d",
            r#"Left e ((a.c Compare(Eq) b.d and g Compare(Eq) ["1"]) or a.c Compare(Eq) e.f)"#,
            "Right h a.c Compare(Gt) h.i",
        ]
    );
    assert_eq!(statement.conditions.len(), 1);
    let statement = one("query a filter by k{l{m}'}'}, n{} named as 'o'");
    assert_eq!(statement.name.as_deref(), Some("o"));
}

#[test]
fn statements_are_separated_by_semicolons() {
    let statements = parse(
        "query backupstorage; count databasebackup where name='a;b' ; \
         sum databasebackup.size,size by name; query max(databasebackup.size)",
    )
    .unwrap();
    let verbs: Vec<_> = statements.iter().map(|it| it.verb.clone()).collect();
    let sum = Verb::Sum("name".to_owned());
    assert_eq!(
        verbs,
        [Verb::Query, Verb::Count, sum, Verb::Fold(Fold::Max)]
    );
}

#[rstest]
#[case(
    "",
    "error mismatched input '<EOF>' expecting {'query', 'count', 'sum', 'search'} at line 1:0, "
)]
#[case(
    "select name from x",
    "error mismatched input 'select' expecting {'query', 'count', 'sum', 'search'} at line 1:0, select nam"
)]
#[case(
    "query databasebackup where\nname = ",
    "error mismatched input '<EOF>' expecting {'(', BOOLEAN, INT, FLOAT, STRING} at line 2:6, name "
)]
#[case(
    "query databasebackup limit x",
    "error mismatched input 'x' expecting INT at line 1:27, kup limit "
)]
#[case(
    "query databasebackup where name = 'a' drop table",
    "error mismatched input 'drop' expecting <EOF> at line 1:38, ame = 'a' drop tabl"
)]
#[case(
    "query databasebackup where name = 'a",
    "error token recognition error at: ''a' at line 1:34, re name = '"
)]
#[case(
    "query 数",
    "error token recognition error at: '数' at line 1:6, query "
)]
#[case(
    "query a where b like ('x','y')",
    "error mismatched input '<EOF>' expecting value at line 1:30,  ('x','y'"
)]
#[case(
    "sum databasebackup by name",
    "error mismatched input 'by' expecting '.' at line 1:19, asebackup by nam"
)]
#[case(
    "query a return with (zwatch)",
    "cannot find any ReturnWithExtensionPoint dealing with zwatch"
)]
#[case(
    "query a where b = getapi(api='Get', output='x')",
    "org.zstack.sdk.GetAction"
)]
#[case(
    "query a where b = getapi(api=x)",
    "error mismatched input 'x' expecting {'(', BOOLEAN, INT, FLOAT, STRING} at line 1:29, etapi(api=x"
)]
#[case("query count(a)", "query grammar can't support, count")]
// What is read first is told first.
#[case(
    "query a where 数 ! 1",
    "error token recognition error at: '数' at line 1:14, y a where 数 ! "
)]
#[case(
    "select 数",
    "error mismatched input 'select' expecting {'query', 'count', 'sum', 'search'} at line 1:0, select "
)]
#[case("search 'x' from a", "search module disabled")]
fn what_is_no_statement_is_refused(#[case] text: &str, #[case] error: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), error);
}

#[test]
fn nesting_is_bounded_and_length_is_not() {
    let nested = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        parse(&format!("query a where {open}b = 1{close}"))
    };
    assert!(nested(100).is_ok());
    let refused = "the statement is nested more than 100 deep";
    assert_eq!(nested(101).unwrap_err().to_string(), refused);
    assert_eq!(nested(100_000).unwrap_err().to_string(), refused);
    let values = parse(&format!("query a where b in {}1", "(".repeat(100_000)));
    assert_eq!(values.unwrap_err().to_string(), refused);
    let zigzag = parse(&format!(
        "query a where b = 1{}",
        " and b = 1 or b = 2".repeat(60)
    ));
    assert_eq!(zigzag.unwrap_err().to_string(), refused);
    let many = parse(&"count a;".repeat(101)).unwrap_err();
    assert_eq!(many.to_string(), "there are more than 100 queries");
    let long = parse(&format!(
        "query a where b = 1{}",
        " or b = 2".repeat(20_000)
    ));
    assert!(long.is_ok());
}

#[test]
fn no_text_makes_the_reader_panic() {
    let pieces = [
        "query ",
        "count ",
        "sum ",
        "a",
        ".",
        ",",
        "(",
        ")",
        "'",
        "\"",
        "where ",
        "=",
        "in ",
        "-",
        "1",
        ";",
        "é",
        " limit ",
        "by ",
        "{",
        "}",
        "\n",
        "\\",
        "inner join ",
        "on ",
        "filter by ",
        "getapi(",
    ];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let text = format!("query a {first}{second}{third}");
                let read = [parse(&text), parse(&format!("{first}{second}{third}"))];
                for error in read.into_iter().filter_map(Result::err) {
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
