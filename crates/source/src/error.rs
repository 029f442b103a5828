//! Why a source could not do its work.

use strongroom_domain::FieldError;

/// Why a source could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The settings or the target are not acceptable; trying again will not help.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
    /// What is protected cannot be reached now; trying again may help.
    #[error("{what} cannot be reached: {message}")]
    Unavailable {
        /// What cannot be reached, e.g. "directory `/srv`".
        what: String,
        /// Why.
        message: String,
    },
    /// It was tried and went wrong; trying again will most likely not help.
    #[error("{what} failed: {message}")]
    Failed {
        /// What was tried, e.g. "command `dump-catalog`".
        what: String,
        /// What went wrong, including what the tool said.
        message: String,
    },
    /// Somebody asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl SourceError {
    /// One unacceptable field.
    pub fn invalid(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldError::new(field, reason)])
    }

    /// Something could not be reached.
    pub fn unavailable(what: impl Into<String>, message: impl ToString) -> Self {
        Self::Unavailable {
            what: what.into(),
            message: message.to_string(),
        }
    }

    /// A path could not be read: for good if it is not there or not for us, else for now.
    pub(crate) fn path(what: String, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => {
                Self::failed(format!("reading {what}"), error)
            }
            _ => Self::unavailable(what, error),
        }
    }

    /// Something went wrong.
    pub fn failed(what: impl Into<String>, message: impl ToString) -> Self {
        Self::Failed {
            what: what.into(),
            message: message.to_string(),
        }
    }
}

impl From<strongroom_domain::tree::TreeError> for SourceError {
    fn from(error: strongroom_domain::tree::TreeError) -> Self {
        use strongroom_domain::tree::TreeError;
        match error {
            TreeError::Cancelled => Self::Cancelled,
            TreeError::Storage(source) => {
                Self::unavailable("the snapshot's storage", chain(source.as_ref()))
            }
            other @ (TreeError::NotFound(_) | TreeError::NotAFile(_)) => {
                Self::failed("reading the snapshot", other)
            }
        }
    }
}

/// An error with all its causes, `a: b: c`.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn join(errors: &[FieldError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
