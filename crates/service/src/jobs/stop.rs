//! Why an attempt at a job ended early, and what follows from it.

use std::time::Duration;

use strongroom_engine::ErrorKind;
use strongroom_source::SourceError;

use super::running::Why;
use crate::{ConflictKind, Error, error::chain};

/// How long a job waits for a repository that somebody else has locked.
const LOCKED_WAIT: Duration = Duration::from_secs(15);

/// Why an attempt ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody asked for it.
    Cancelled,
    /// Somebody else has the job; nothing may be written any more.
    Lost,
    /// The process ends; the job goes back to the queue as if it had not been taken.
    HandBack,
    /// Something is in use; to be tried again without counting as an attempt.
    Wait { after: Duration, reason: String },
    /// It may go better later.
    Retry { reason: String },
    /// The repository could not be opened: another one may do, or the same one later.
    Unopened { reason: String },
    /// It will not.
    Fail { code: &'static str, reason: String },
}

impl Stop {
    /// It will not go better later.
    pub(crate) fn fail(code: &'static str, reason: impl Into<String>) -> Self {
        Self::Fail {
            code,
            reason: reason.into(),
        }
    }

    /// What it means if it came before anything was written.
    pub(crate) fn while_opening(self) -> Self {
        match self {
            Self::Retry { reason } => Self::Unopened { reason },
            other => other,
        }
    }

    /// What an error of the engine on the repository of that name means.
    pub(crate) fn engine(repository: &str, error: &strongroom_engine::Error) -> Self {
        let reason = format!("repository `{repository}`: {}", error.chain());
        match error.kind() {
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Locked => Self::Wait {
                after: LOCKED_WAIT,
                reason,
            },
            _ if is_unavailable(error) => Self::Retry { reason },
            ErrorKind::NoSpace => {
                let reason = format!("repository `{repository}` has no room: {}", error.chain());
                Self::fail("no_space", reason)
            }
            // The source's own words; the repository is not to blame.
            ErrorKind::Source => Self::fail("source_failed", error.chain()),
            ErrorKind::Damaged => Self::fail("repository_damaged", reason),
            _ => Self::fail("engine_failed", reason),
        }
    }
}

/// Whether the repository could not be used at all.
pub(crate) fn is_unavailable(error: &strongroom_engine::Error) -> bool {
    use ErrorKind::{NotARepository, Storage, WrongPassword};
    matches!(error.kind(), Storage | NotARepository | WrongPassword)
}

impl From<Why> for Stop {
    fn from(why: Why) -> Self {
        match why {
            Why::Requested => Self::Cancelled,
            Why::LeaseLost => Self::Lost,
            Why::Shutdown => Self::HandBack,
        }
    }
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Cancelled => Self::Cancelled,
            SourceError::Unavailable { .. } => Self::Retry {
                reason: error.to_string(),
            },
            SourceError::Invalid(_) | SourceError::Failed { .. } => {
                Self::fail("source_failed", error.to_string())
            }
        }
    }
}

impl From<strongroom_store::Error> for Stop {
    fn from(error: strongroom_store::Error) -> Self {
        match error {
            strongroom_store::Error::FenceLost { .. } => Self::Lost,
            // A client changed the row at the same moment.
            strongroom_store::Error::Conflict { .. } => Self::Retry {
                reason: error.to_string(),
            },
            error if error.is_transient() => Self::Retry {
                reason: chain(&error),
            },
            error => Self::fail("internal", chain(&error)),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match &error {
            Error::Unavailable { .. }
            | Error::Conflict {
                kind: ConflictKind::VersionMismatch,
                ..
            } => Self::Retry {
                reason: error.to_string(),
            },
            Error::Internal(cause) => Self::fail(error.code(), chain(cause.as_ref())),
            _ => Self::fail(error.code(), error.to_string()),
        }
    }
}
