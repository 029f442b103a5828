//! The query language of lists, rule by rule.

mod answers;
mod conditions;
mod errors;
mod parameters;
pub(crate) mod random;
