//! Conditions on the tags of a row: `__systemTag__`, `__userTag__` and `__tagUuid__`.

use std::collections::{HashMap, HashSet};

use strongroom_domain::query::Op;

use super::{condition::Test, plan::passes};

/// The tags of a tenant's rows, by the uuid of the row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tags(HashMap<String, Vec<Tag>>);

/// A tag of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) kind: TagKind,
    /// What the tag says.
    pub(crate) text: String,
    /// The uuid of the pattern that it was made of.
    pub(crate) pattern: Option<String>,
}

/// Who a tag is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagKind {
    System,
    User,
}

/// The rows that meet a condition on tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tagged {
    /// Those with these uuids.
    These(HashSet<String>),
    /// All others.
    AllBut(HashSet<String>),
}

impl FromIterator<(String, Tag)> for Tags {
    /// Each tag with the uuid of its row.
    fn from_iter<I: IntoIterator<Item = (String, Tag)>>(tags: I) -> Self {
        let mut all = Self::default();
        for (row, tag) in tags {
            all.0.entry(row).or_default().push(tag);
        }
        all
    }
}

impl Tags {
    /// The rows that pass the test; nothing if the name is not one for tags. A negative test asks
    /// that no tag of the row meets the positive one.
    pub(crate) fn rows(&self, name: &str, test: &Test) -> Option<Tagged> {
        let text: fn(&Tag) -> Option<&str> = match name {
            "__systemTag__" => |tag| (tag.kind == TagKind::System).then_some(&tag.text),
            "__userTag__" => |tag| (tag.kind == TagKind::User).then_some(&tag.text),
            "__tagUuid__" => |tag| tag.pattern.as_deref(),
            _ => return None,
        };
        let some = |test: &Test| {
            let meets = |tag: &Tag| text(tag).is_some_and(|it| passes(it, test));
            let rows = self.0.iter().filter(|(_, tags)| tags.iter().any(meets));
            rows.map(|(uuid, _)| uuid.clone()).collect()
        };
        Some(match test {
            Test::Compare(Op::Ne, value) => {
                Tagged::AllBut(some(&Test::Compare(Op::Eq, value.clone())))
            }
            Test::NotIn(items) => Tagged::AllBut(some(&Test::In(items.clone()))),
            Test::NotLike(pattern) => Tagged::AllBut(some(&Test::Like(pattern.clone()))),
            Test::IsNull => Tagged::AllBut(some(&Test::NotNull)),
            Test::Compare(..) | Test::In(_) | Test::Like(_) | Test::NotNull => {
                Tagged::These(some(test))
            }
        })
    }
}

impl Tagged {
    /// Whether the row with that uuid is among them; one without a uuid has no tags.
    pub(crate) fn contains(&self, uuid: Option<&str>) -> bool {
        let listed = |uuids: &HashSet<String>| uuid.is_some_and(|it| uuids.contains(it));
        match self {
            Self::These(uuids) => listed(uuids),
            Self::AllBut(uuids) => !listed(uuids),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::zstack::query::condition::Condition;

    #[rstest]
    #[case("__userTag__=BLUE", "a")]
    #[case("__userTag__!=blue", "b c")]
    #[case("__userTag__~=%e%", "a b")]
    #[case("__userTag__!~=%e%", "c")]
    #[case("__userTag__?=blue,green", "a b")]
    #[case("__userTag__!?=blue,green", "c")]
    #[case("__userTag__ is null", "c")]
    #[case("__systemTag__ not null", "c")]
    #[case("__systemTag__=blue", "")]
    #[case("__tagUuid__=2", "a")]
    #[case("__tagUuid__!=2", "b c")]
    fn a_negative_test_asks_that_no_tag_passes(#[case] condition: &str, #[case] rows: &str) {
        let tag = |row: &str, pattern: &str, kind, text: &str| {
            let (pattern, text) = (Some(pattern.to_owned()), text.to_owned());
            let tag = Tag {
                kind,
                text,
                pattern,
            };
            (row.to_owned(), tag)
        };
        let tags: Tags = [
            tag("a", "1", TagKind::User, "blue"),
            tag("a", "2", TagKind::User, "red"),
            tag("b", "3", TagKind::User, "green"),
            tag("c", "4", TagKind::System, "ha::NeverStop"),
        ]
        .into_iter()
        .collect();
        let Condition { name, test } = Condition::parse(condition).unwrap();
        let found = tags.rows(&name, &test).unwrap();
        let passing: Vec<_> = ["a", "b", "c"]
            .into_iter()
            .filter(|it| found.contains(Some(it)))
            .collect();
        assert_eq!(passing.join(" "), rows);
        assert_eq!(tags.rows("name", &test), None);
    }
}
