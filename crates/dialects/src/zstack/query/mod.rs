//! ZStack's query language: conditions, order, page and members of the answer, from the query
//! string to a filter over the catalog.
//!
//! [`params`] decodes the query string, [`condition`] splits a condition, [`plan`] gives it its
//! meaning on a column and [`tags`] on a row's tags. Database backups are found by the catalog, see
//! [`backups`]; the short inventories are rows of a [`table`]. [`zql`] is a second language over both.

pub(crate) mod backups;
pub(crate) mod condition;
pub(crate) mod like;
pub(crate) mod params;
pub(crate) mod plan;
pub(crate) mod storages;
pub(crate) mod table;
pub(crate) mod tags;
pub(crate) mod value;
pub(crate) mod zql;

pub(crate) use self::params::Query;

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

/// Checks that the members asked for are among those that the inventory has.
pub(crate) fn check_members(wanted: Option<&[String]>, known: &[&str]) -> Result<(), Unknown> {
    let unknown = wanted
        .unwrap_or_default()
        .iter()
        .find(|it| !known.contains(&it.as_str()));
    unknown.map_or(Ok(()), |it| Err(Unknown::Member(it.clone())))
}
