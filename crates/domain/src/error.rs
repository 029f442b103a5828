//! The two errors that pure rules can give.

use std::fmt;

/// A value that a caller gave is not acceptable. Faces print it in their vendor's shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {reason}")]
pub struct FieldError {
    /// The field as the core names it, e.g. `name` or `settings.path`.
    pub field: String,
    /// What is wrong with it, lower case, no full stop.
    pub reason: String,
}

impl FieldError {
    /// Names the field and what is wrong with it.
    pub fn new(field: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self {
            field: field.into(),
            reason: reason.to_string(),
        }
    }
}

/// A state machine was asked for a step that its present state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {noun} that is `{state}` cannot become `{wanted}`")]
pub struct InvalidTransition {
    /// What kind of thing it is: `backup`, `restore`, …
    pub noun: &'static str,
    /// The state it is in.
    pub state: &'static str,
    /// The state that was asked for.
    pub wanted: &'static str,
}
