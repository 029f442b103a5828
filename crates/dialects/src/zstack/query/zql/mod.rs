//! ZQL, the query language of `GET /zql`: statements with conditions joined by `and` and `or`,
//! sub-queries, joins, groups and sums, over the same inventories and columns as the lists.
//!
//! [`lex`] splits the text, [`parse`] makes statements of it (see [`ast`]) and [`run`] carries them
//! out: [`conditions`] answers sub-queries, [`rows`] finds rows, [`join`] puts rows of several
//! inventories beside each other, [`grouped`] and [`aggregate`] count and sum them. No part of a
//! statement is ever text of another language: names are looked up, values are bound.

pub(crate) mod aggregate;
pub(crate) mod ast;
mod conditions;
mod grouped;
mod join;
pub(crate) mod lex;
pub(crate) mod parse;
mod rows;
pub(crate) mod run;

use crate::zstack::error::{Code, Error};

/// A statement that cannot be carried out. `Display` is the vendor's wording where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadZql {
    /// `line` counts from 1, `column` from 0; `around` is the text there.
    #[error("error {what} at line {line}:{column}, {around}")]
    Syntax {
        what: String,
        line: usize,
        column: usize,
        around: String,
    },
    #[error("cannot find inventory with name[{0}]")]
    Entity(String),
    #[error("query grammar can't support, {0}")]
    Function(String),
    /// Nothing can be returned but rows and their number.
    #[error("cannot find any ReturnWithExtensionPoint dealing with {0}")]
    ReturnWith(String),
    /// A call that cannot be made for its result: told as one that there is not.
    #[error("org.zstack.sdk.{0}Action")]
    Api(String),
    #[error("the statement is nested more than {0} deep")]
    TooDeep(usize),
    #[error("there are more than {0} queries")]
    TooManyQueries(usize),
    #[error("there are more than {0} joins")]
    TooManyJoins(usize),
    #[error("more than {0} rows match; narrow the statement or give it a limit")]
    TooManyRows(usize),
    #[error("Subquery returns more than 1 row")]
    SeveralRows,
    /// This server has no search module.
    #[error("search module disabled")]
    NoSearch,
}

impl From<BadZql> for Error {
    fn from(error: BadZql) -> Self {
        let code = match error {
            BadZql::NoSearch => Code::SearchDisabled,
            BadZql::Api(_) => Code::Failed,
            _ => Code::Internal,
        };
        Self::api(code, error.to_string())
    }
}

#[cfg(test)]
mod tests;
