//! ZStack's query language: conditions, order, page and members of the answer, from the query
//! string to a filter over the catalog.
//!
//! [`params`] decodes the query string, [`condition`] splits a condition, [`plan`] gives it its
//! meaning on a column; [`backups`] and [`storages`] name the columns of each inventory.

pub(crate) mod backups;
pub(crate) mod condition;
pub(crate) mod like;
pub(crate) mod params;
pub(crate) mod plan;
pub(crate) mod storages;
pub(crate) mod value;

pub(crate) use self::params::Query;

use self::condition::Test;

/// A query that was read but asks for what there is not. `Display` is the vendor's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("inventory class[class {class}] not having field[{field}]")]
    Field { class: &'static str, field: String },
    #[error(
        "invalid nested query condition[{condition}] on class {class},the expanded \
         target[class {target}] have no expanded query[{expanded}]"
    )]
    Expansion {
        condition: String,
        class: &'static str,
        target: &'static str,
        expanded: String,
    },
    #[error("invalid order by clause, inventory[{inventory}] doesn't have field[{field}]")]
    Sort {
        inventory: &'static str,
        field: String,
    },
    /// The vendor's server never fills in the class.
    #[error("inventory[${{selfInventoryClass}}] has no field[{0}]")]
    Member(String),
}

/// The tests on tags, which nothing has here: those that are negative hold for every row, because
/// they ask that no tag of the row matches.
fn on_tags(name: &str, test: &Test) -> Option<bool> {
    if !matches!(name, "__systemTag__" | "__userTag__" | "__tagUuid__") {
        return None;
    }
    Some(match test {
        Test::NotIn(_) | Test::NotLike(_) | Test::IsNull => true,
        Test::Compare(op, _) => *op == strongroom_domain::query::Op::Ne,
        Test::In(_) | Test::Like(_) | Test::NotNull => false,
    })
}

/// Checks that the members asked for are among those that the inventory has.
pub(crate) fn check_members(wanted: Option<&[String]>, known: &[&str]) -> Result<(), Unknown> {
    let unknown = wanted
        .unwrap_or_default()
        .iter()
        .find(|it| !known.contains(&it.as_str()));
    unknown.map_or(Ok(()), |it| Err(Unknown::Member(it.clone())))
}
