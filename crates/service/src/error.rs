//! The one error of the core, by meaning. Each face maps it to its vendor's shape in one place.

use strongroom_domain::{FieldError, principal::Permission, text_enum};

/// Shorthand for what verbs return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or belongs to another tenant, which is the same to the caller.
    #[error("{noun} `{id}` not found")]
    NotFound {
        /// `backup`, `resource`, …
        noun: &'static str,
        /// The id or name that was asked for.
        id: String,
    },
    /// What was given is not acceptable; all fields found wrong at once, never empty.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
    /// It cannot be done in the present state of things.
    #[error("{message}")]
    Conflict {
        /// What kind of conflict.
        kind: ConflictKind,
        /// `backup`, `vault`, …
        noun: &'static str,
        /// A sentence for people, lower case, no full stop.
        message: String,
    },
    /// No valid credential.
    #[error("{0}")]
    Unauthenticated(AuthFailure),
    /// A valid credential without the needed permission.
    #[error("the caller's role does not include this operation")]
    Forbidden {
        /// What it would have taken.
        needed: Permission,
    },
    /// Something outside that is needed cannot be used now: a repository, a source, the database.
    #[error("{what} is unavailable: {message}")]
    Unavailable {
        /// What cannot be used, e.g. "repository `default`".
        what: String,
        /// Why.
        message: String,
    },
    /// A defect or a broken invariant; logged where it is handled, shown without detail.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

text_enum! {
    /// What kind of conflict it is.
    pub enum ConflictKind {
        /// The name is taken.
        DuplicateName = "duplicate_name",
        /// It is in a state that does not allow this.
        WrongState = "wrong_state",
        /// Something else depends on it.
        InUse = "in_use",
        /// It changed since the caller read it.
        VersionMismatch = "version_mismatch",
        /// The idempotency key was used with another request.
        KeyReused = "key_reused",
        /// A quota would be exceeded.
        QuotaExceeded = "quota_exceeded",
        /// It is write-once.
        Locked = "locked",
        /// It already belongs to another one.
        AlreadyMember = "already_member",
        /// Its kind does not fit.
        WrongKind = "wrong_kind",
    }
}

/// Why a credential was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// There was none.
    #[error("no credential was given")]
    Missing,
    /// It cannot be read.
    #[error("the credential is malformed")]
    Malformed,
    /// It is unknown, revoked, or the password or signature is wrong.
    #[error("the credential is not valid")]
    Invalid,
    /// It was valid once.
    #[error("the credential has expired")]
    Expired,
}

impl Error {
    /// One unacceptable field.
    pub fn invalid(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldError::new(field, reason)])
    }

    /// Something the caller named does not exist.
    pub fn not_found(noun: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            noun,
            id: id.to_string(),
        }
    }

    /// It cannot be done in the present state of things.
    pub fn conflict(
        kind: ConflictKind,
        noun: &'static str,
        message: impl std::fmt::Display,
    ) -> Self {
        Self::Conflict {
            kind,
            noun,
            message: message.to_string(),
        }
    }

    /// Wraps a defect.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// A word for programs, used by the native API and in failed operations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Conflict { kind, .. } => kind.as_str(),
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal(_) => "internal",
        }
    }
}

impl From<strongroom_store::Error> for Error {
    fn from(error: strongroom_store::Error) -> Self {
        use strongroom_store::Error as Store;
        match error {
            Store::Duplicate { what } => Self::conflict(ConflictKind::DuplicateName, what, &error),
            Store::Conflict { table, .. } => {
                Self::conflict(ConflictKind::VersionMismatch, table, &error)
            }
            Store::Reference { table } => Self::conflict(ConflictKind::InUse, table, &error),
            Store::InvalidCursor => Self::invalid("cursor", "is not one that this list gave"),
            Store::WrongType { field } => Self::invalid(field, &error),
            Store::TooComplex { .. } => Self::invalid("filter", &error),
            Store::Unstorable { .. } => Self::invalid("request", &error),
            error if error.is_transient() => Self::Unavailable {
                what: "the database".to_owned(),
                message: chain(&error),
            },
            error => Self::internal(error),
        }
    }
}

impl From<strongroom_domain::InvalidTransition> for Error {
    fn from(error: strongroom_domain::InvalidTransition) -> Self {
        Self::conflict(ConflictKind::WrongState, error.noun, error)
    }
}

/// Names what is taken in the error of a write that found a duplicate.
pub(crate) fn taken(
    noun: &'static str,
    name: &str,
) -> impl FnOnce(strongroom_store::Error) -> Error {
    move |error| match error {
        strongroom_store::Error::Duplicate { .. } => {
            let message = format!("a {noun} `{name}` exists already");
            Error::conflict(ConflictKind::DuplicateName, noun, message)
        }
        other => other.into(),
    }
}

/// An error with all its causes, `a: b: c`.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
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
