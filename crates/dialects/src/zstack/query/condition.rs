//! One condition of a query: `<name><operator><value>`, split as ZStack's REST layer splits it.

use std::collections::HashSet;

use strongroom_domain::query::Op;

/// A condition: the name of a field, `a.b.c` for one of a related row, and what it is tested for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) name: String,
    pub(crate) test: Test,
}

/// Conditions put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Where {
    /// Every one holds; no condition at all holds always.
    All(Vec<Self>),
    /// At least one holds; no condition at all never holds.
    Any(Vec<Self>),
    /// It does not hold. The conditions in it must be false for NULL and not unknown, so those on
    /// a field that may be NULL go together with one that it is not.
    Not(Box<Self>),
    Test(Condition),
}

impl Where {
    /// All of the conditions hold.
    pub(crate) fn all(conditions: &[Condition]) -> Self {
        Self::All(conditions.iter().cloned().map(Self::Test).collect())
    }

    /// Whether some condition is on this field.
    pub(crate) fn names(&self, field: &str) -> bool {
        match self {
            Self::All(of) | Self::Any(of) => of.iter().any(|it| it.names(field)),
            Self::Not(one) => one.names(field),
            Self::Test(one) => one.name == field,
        }
    }
}

/// What a field is tested for. Values are text whatever the field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Compare(Op, String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Like(String),
    NotLike(String),
    IsNull,
    NotNull,
}

/// A text that is no condition. `Display` is the vendor's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error(
        "Invalid query parameter. The '{0}' in the parameter[q] doesn't contain any query \
         operator. Valid query operators are [{list}]",
        list = written().join(", ")
    )]
    NoOperator(String),
    #[error(
        "Invalid query parameter. The '{text}' in parameter[q] is not a key-value pair split by \
         {operator}"
    )]
    NotAPair {
        text: String,
        operator: &'static str,
    },
}

/// How an operator is written, what it is called, and what it makes of a value.
type Operator = (&'static str, &'static str, fn(&str) -> Test);

/// The operators, in the order they are looked for: the first one that
/// occurs anywhere in the text, value included, is the condition's.
const OPERATORS: [Operator; 12] = [
    ("!=", "!=", |value| match value {
        "null" => Test::NotNull,
        other => Test::Compare(Op::Ne, other.to_owned()),
    }),
    (">=", ">=", |value| Test::Compare(Op::Ge, value.to_owned())),
    ("<=", "<=", |value| Test::Compare(Op::Le, value.to_owned())),
    ("!?=", "not in", |value| Test::NotIn(items(value))),
    ("!~=", "not like", |value| Test::NotLike(value.to_owned())),
    ("~=", "like", |value| Test::Like(value.to_owned())),
    ("?=", "in", |value| Test::In(items(value))),
    ("=", "=", |value| match value {
        "null" => Test::IsNull,
        other => Test::Compare(Op::Eq, other.to_owned()),
    }),
    (">", ">", |value| Test::Compare(Op::Gt, value.to_owned())),
    ("<", "<", |value| Test::Compare(Op::Lt, value.to_owned())),
    ("is null", "is null", |_| Test::IsNull),
    ("not null", "is not null", |_| Test::NotNull),
];

fn written() -> [&'static str; OPERATORS.len()] {
    OPERATORS.map(|(written, ..)| written)
}

impl Condition {
    /// Reads the value of one `q` parameter.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let found = OPERATORS.iter().find_map(|(written, operator, test)| {
            let (name, value) = text.split_once(written)?;
            Some((name.trim(), value, *operator, test(value)))
        });
        let Some((name, value, operator, test)) = found else {
            return Err(Malformed::NoOperator(text.to_owned()));
        };
        let needs_value = !matches!(test, Test::IsNull | Test::NotNull);
        if name.is_empty() || needs_value && value.is_empty() {
            let text = text.to_owned();
            return Err(Malformed::NotAPair { text, operator });
        }
        let name = name.to_owned();
        Ok(Self { name, test })
    }
}

/// The different items of a list: no trimming, no escape.
fn items(value: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let items = value.split(',').filter(|it| seen.insert(*it));
    items.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn compare(op: Op, value: &str) -> Test {
        Test::Compare(op, value.to_owned())
    }

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|it| (*it).to_owned()).collect()
    }

    #[rstest]
    #[case("uuid=a", "uuid", compare(Op::Eq, "a"))]
    #[case("name!=a", "name", compare(Op::Ne, "a"))]
    #[case("size>1", "size", compare(Op::Gt, "1"))]
    #[case("size>=1", "size", compare(Op::Ge, "1"))]
    #[case("size<1", "size", compare(Op::Lt, "1"))]
    #[case("size<=1", "size", compare(Op::Le, "1"))]
    #[case("name~=a%", "name", Test::Like("a%".into()))]
    #[case("name!~=a%", "name", Test::NotLike("a%".into()))]
    #[case("name?=a, b", "name", Test::In(list(&["a", " b"])))]
    #[case("name!?=a,,b,a", "name", Test::NotIn(list(&["a", "", "b"])))]
    #[case("name?=,,", "name", Test::In(list(&[""])))]
    #[case("description is null", "description", Test::IsNull)]
    #[case("description not null", "description", Test::NotNull)]
    #[case("description=null", "description", Test::IsNull)]
    #[case("description!=null", "description", Test::NotNull)]
    // The name is trimmed, the value is not.
    #[case(" name = a ", "name", compare(Op::Eq, " a "))]
    // Split at the first occurrence; the rest is the value.
    #[case("name=a=b", "name", compare(Op::Eq, "a=b"))]
    #[case("name==b", "name", compare(Op::Eq, "=b"))]
    #[case("name= ", "name", compare(Op::Eq, " "))]
    // The operator that is looked for first counts, wherever it stands.
    #[case("name=a!=b", "name=a", compare(Op::Ne, "b"))]
    #[case("name=a>=b", "name=a", compare(Op::Ge, "b"))]
    #[case("size>a=b", "size>a", compare(Op::Eq, "b"))]
    #[case("name=is null", "name", compare(Op::Eq, "is null"))]
    #[case("name~==", "name", Test::Like("=".into()))]
    #[case("a.b.c=1", "a.b.c", compare(Op::Eq, "1"))]
    fn a_condition_is_split_at_its_operator(
        #[case] text: &str,
        #[case] name: &str,
        #[case] test: Test,
    ) {
        let expected = Condition {
            name: name.to_owned(),
            test,
        };
        assert_eq!(Condition::parse(text), Ok(expected));
    }

    #[rstest]
    #[case("name=", "=")]
    #[case("name!=", "!=")]
    #[case("name?=", "in")]
    #[case("name!?=", "not in")]
    #[case("name~=", "like")]
    #[case("name!~=", "not like")]
    #[case("size>", ">")]
    #[case("is null", "is null")]
    #[case(" not null", "is not null")]
    #[case(" =a", "=")]
    #[case("=", "=")]
    #[case("=a", "=")]
    #[case("==", "=")]
    #[case("?=a", "in")]
    #[case("!?=a", "not in")]
    #[case("~=a", "like")]
    #[case("!~=a", "not like")]
    #[case(">1", ">")]
    fn a_text_without_name_or_value_is_no_pair(#[case] text: &str, #[case] operator: &str) {
        assert_eq!(
            Condition::parse(text).unwrap_err().to_string(),
            format!(
                "Invalid query parameter. The '{text}' in parameter[q] is not a key-value pair \
                 split by {operator}"
            )
        );
    }

    #[test]
    fn a_text_without_operator_is_refused_in_the_vendors_words() {
        for text in ["", "name", "name like a", "name is  null"] {
            assert_eq!(
                Condition::parse(text).unwrap_err().to_string(),
                format!(
                    "Invalid query parameter. The '{text}' in the parameter[q] doesn't contain \
                     any query operator. Valid query operators are [!=, >=, <=, !?=, !~=, ~=, ?=, \
                     =, >, <, is null, not null]"
                )
            );
        }
    }
}
