//! Astra's problems: which one an error is, and its JSON.

mod body;

pub(super) use self::body::{Invalid, ProblemBody, Problems};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use strongroom_domain::FieldError;
use strongroom_http::{
    dialect::{Fallback, FallbackReason},
    extract::Rejection,
};
use strongroom_service::{ConflictKind, Error as Core, error::AuthFailure};

/// Shorthand for what handlers return.
pub(super) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not answered as wished.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The core refused.
    #[error("{source}")]
    Common {
        /// Why.
        source: Core,
        /// While this was done.
        during: Doing,
    },
    /// A part of the request cannot be read.
    #[error("{0}")]
    Rejected(Rejection),
    /// The credential is good, but not for the account in the path.
    #[error("the token does not belong to account `{0}`")]
    ForeignAccount(String),
    /// Query parameters have unacceptable values.
    #[error("{}", join(.0))]
    BadParameters(Vec<FieldError>),
    /// The resource takes no such query parameters.
    #[error("{}", join(.0))]
    UnknownParameters(Vec<FieldError>),
    /// The body breaks the resource's schema.
    #[error("{0}")]
    Schema(FieldError),
    /// None of the media types in `Accept` can be produced.
    #[error("no media type in `{0}` can be produced")]
    NotAcceptable(String),
    /// The snapshot that the body names does not exist.
    #[error("snapshot `{0}` not found")]
    NoSuchSnapshot(String),
    /// A backup that no worker has taken up cannot be cancelled.
    #[error("backup `{0}` is pending and cannot be cancelled yet")]
    Pending(String),
    /// The request reached no handler.
    #[error("{}", fallback_text(.0))]
    Fallback(FallbackReason),
}

/// What was being done when the core refused: several problems differ in nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Finding out who asks.
    Authenticating,
    /// Making a backup.
    CreatingBackup,
    /// Looking at one backup.
    GettingBackup,
    /// Listing backups.
    ListingBackups,
    /// Deleting a backup.
    DeletingBackup,
    /// Looking at one application.
    GettingApp,
    /// Listing applications.
    ListingApps,
    /// Looking at one resource of another kind.
    GettingResource,
    /// Listing resources of another kind.
    ListingResources,
}

/// Says what was being done when the core refused.
pub(super) trait During<T> {
    /// The same result with Astra's error.
    fn during(self, doing: Doing) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, Core> {
    fn during(self, during: Doing) -> Result<T> {
        self.map_err(|source| Error::Common { source, during })
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// A kind of problem. Numbers, titles and statuses are the vendor's; numbers never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Problem(u16, &'static str, StatusCode);

impl Error {
    /// An answer that cannot be put into JSON: a defect.
    pub(super) fn unserialisable(error: serde_json::Error) -> Self {
        let (source, during) = (Core::internal(error), Doing::GettingResource);
        Self::Common { source, during }
    }

    fn problem(&self) -> Problem {
        use StatusCode as S;
        match self {
            Self::Common { source, during } => common(source, *during),
            Self::Rejected(Rejection::Syntax { .. }) => {
                Problem(7, "Invalid JSON payload", S::BAD_REQUEST)
            }
            Self::Rejected(Rejection::Json { .. }) | Self::Schema(_) => {
                Problem(8, "Invalid JSON resource", S::BAD_REQUEST)
            }
            Self::Rejected(Rejection::Query { .. }) | Self::BadParameters(_) => {
                Problem(5, "Invalid query parameters", S::BAD_REQUEST)
            }
            Self::UnknownParameters(_) => {
                Problem(6, "Query parameters not supported", S::BAD_REQUEST)
            }
            Self::Rejected(Rejection::Header { .. }) => {
                Problem(12, "Invalid headers", S::BAD_REQUEST)
            }
            Self::Rejected(Rejection::Path { name, .. }) if name == "account_id" => {
                Problem(33, "Invalid account ID", S::BAD_REQUEST)
            }
            Self::Rejected(Rejection::Path { .. }) => {
                Problem(35, "Invalid resource ID", S::BAD_REQUEST)
            }
            Self::ForeignAccount(_) => Problem(11, "Operation not permitted", S::FORBIDDEN),
            Self::NotAcceptable(_) => Problem(32, "Unsupported content type", S::NOT_ACCEPTABLE),
            Self::NoSuchSnapshot(_) => Problem(46, "Snapshot not found", S::BAD_REQUEST),
            Self::Pending(_) => Problem(128, "Backup cancellation not allowed", S::CONFLICT),
            Self::Fallback(reason) => fallback_problem(reason),
        }
    }

    fn invalid_params(&self) -> Vec<Invalid> {
        match self {
            Self::BadParameters(fields) | Self::UnknownParameters(fields) => {
                fields.iter().map(Invalid::from).collect()
            }
            Self::Rejected(
                Rejection::Query { name, reason } | Rejection::Header { name, reason },
            ) => vec![Invalid::new(name, reason)],
            // The toolkit looks for this header's name to tell its user that the account is wrong.
            Self::ForeignAccount(_) => vec![Invalid::new("x-pcloud-accountid", self)],
            _ => Vec::new(),
        }
    }

    fn invalid_fields(&self) -> Vec<Invalid> {
        match self {
            Self::Common {
                source: Core::Invalid(fields),
                ..
            } => fields
                .iter()
                .map(|it| Invalid::new(vendor_field(&it.field), &it.reason))
                .collect(),
            Self::Schema(field) => vec![Invalid::from(field)],
            Self::Rejected(Rejection::Json { path, reason }) => vec![Invalid::new(path, reason)],
            _ => Vec::new(),
        }
    }

    fn schema_validation_failure(&self) -> Option<String> {
        let schema = matches!(
            self,
            Self::Schema(_) | Self::Rejected(Rejection::Json { .. })
        );
        schema.then(|| self.to_string())
    }
}

/// Which problem an error of the core is.
fn common(error: &Core, during: Doing) -> Problem {
    use StatusCode as S;
    match error {
        Core::NotFound { noun, .. } => not_found(noun, during),
        Core::Invalid(_) => Problem(9, "Invalid JSON resource", S::BAD_REQUEST),
        Core::Conflict { kind, noun, .. } => conflict(*kind, noun, during),
        Core::Unauthenticated(AuthFailure::Missing | AuthFailure::Malformed) => {
            Problem(3, "Missing bearer token", S::UNAUTHORIZED)
        }
        Core::Unauthenticated(AuthFailure::Invalid | AuthFailure::Expired) => {
            Problem(4, "Invalid bearer token", S::UNAUTHORIZED)
        }
        Core::Forbidden { .. } => Problem(11, "Operation not permitted", S::FORBIDDEN),
        Core::Unavailable { .. } => Problem(24, "Service unavailable", S::SERVICE_UNAVAILABLE),
        Core::Internal(_) => internal(during),
    }
}

fn not_found(noun: &str, during: Doing) -> Problem {
    match (during, noun) {
        (Doing::CreatingBackup, "repository") => {
            Problem(108, "Bucket not found", StatusCode::BAD_REQUEST)
        }
        (Doing::DeletingBackup, _) => Problem(1, "Resource not found", StatusCode::NOT_FOUND),
        _ => Problem(2, "Collection not found", StatusCode::NOT_FOUND),
    }
}

fn conflict(kind: ConflictKind, noun: &str, during: Doing) -> Problem {
    use ConflictKind as K;
    use StatusCode as S;
    match (during, kind) {
        (Doing::CreatingBackup, K::DuplicateName) => {
            Problem(143, "Backup with the same name exists", S::CONFLICT)
        }
        (Doing::CreatingBackup, K::InUse) => Problem(107, "Backup in progress", S::CONFLICT),
        // The tenant has no default repository, and the request names none.
        (Doing::CreatingBackup, K::WrongState) if noun == "repository" => {
            Problem(170, "Default bucket not assigned", S::BAD_REQUEST)
        }
        (Doing::CreatingBackup, K::WrongState) => {
            Problem(112, "Application not ready", S::CONFLICT)
        }
        (Doing::CreatingBackup, K::QuotaExceeded) => {
            Problem(131, "Backup not supported", S::CONFLICT)
        }
        (Doing::DeletingBackup, K::WrongState) => {
            Problem(174, "Backup deletion in progress", S::CONFLICT)
        }
        (Doing::DeletingBackup, K::InUse | K::Locked) => {
            Problem(142, "Backup or snapshot not deleted", S::CONFLICT)
        }
        (_, K::VersionMismatch) => Problem(38, "Precondition not met", S::PRECONDITION_FAILED),
        (
            _,
            K::DuplicateName
            | K::WrongState
            | K::InUse
            | K::KeyReused
            | K::QuotaExceeded
            | K::Locked
            | K::AlreadyMember
            | K::WrongKind,
        ) => Problem(10, "JSON resource conflict", S::CONFLICT),
    }
}

fn internal(during: Doing) -> Problem {
    let (number, title) = match during {
        Doing::Authenticating => (34, "Internal server error"),
        Doing::CreatingBackup => (94, "Backup not created"),
        Doing::GettingBackup => (95, "Backup not retrieved"),
        Doing::ListingBackups => (96, "Backups not listed"),
        Doing::DeletingBackup => (97, "Backup not deleted"),
        Doing::GettingApp => (86, "Application not retrieved"),
        Doing::ListingApps => (88, "Applications not listed"),
        Doing::GettingResource => (103, "Resource not retrieved"),
        Doing::ListingResources => (101, "Resources not listed"),
    };
    Problem(number, title, StatusCode::INTERNAL_SERVER_ERROR)
}

fn fallback_problem(reason: &FallbackReason) -> Problem {
    use StatusCode as S;
    match reason {
        FallbackReason::NotFound => Problem(2, "Collection not found", S::NOT_FOUND),
        FallbackReason::MethodNotAllowed => {
            Problem(69, "Method not supported", S::METHOD_NOT_ALLOWED)
        }
        FallbackReason::BodyTooLarge { .. } => {
            Problem(85, "Request body too large", S::PAYLOAD_TOO_LARGE)
        }
        FallbackReason::BodyUnreadable => Problem(7, "Invalid JSON payload", S::BAD_REQUEST),
        FallbackReason::TimedOut => Problem(24, "Service unavailable", S::SERVICE_UNAVAILABLE),
        FallbackReason::Panicked => Problem(34, "Internal server error", S::INTERNAL_SERVER_ERROR),
    }
}

fn fallback_text(reason: &FallbackReason) -> String {
    match reason {
        FallbackReason::NotFound => "there is no such path".to_owned(),
        FallbackReason::MethodNotAllowed => "the path does not take this method".to_owned(),
        FallbackReason::BodyTooLarge { limit } => {
            format!("the body is longer than {limit} bytes")
        }
        FallbackReason::BodyUnreadable => "the body could not be received".to_owned(),
        FallbackReason::TimedOut => "the answer took too long".to_owned(),
        FallbackReason::Panicked => "internal error".to_owned(),
    }
}

/// The name that a client knows a field of the core by.
fn vendor_field(field: &str) -> &str {
    match field {
        "repository_id" => "bucketID",
        "resource_id" => "app_id",
        "labels" => "metadata.labels",
        other => other,
    }
}

fn join(fields: &[FieldError]) -> String {
    let texts: Vec<String> = fields.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Problem(number, title, status) = self.problem();
        if let Self::Common {
            source: Core::Internal(cause),
            ..
        } = &self
        {
            tracing::error!(error = cause, problem = number, "{title}");
        }
        let body = serde_json::to_vec(&ProblemBody::from(&self)).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, content_type, body).into_response()
    }
}

/// Answers what no handler of this dialect answers.
pub(super) fn fallback(fallback: Fallback) -> Response {
    Error::Fallback(fallback.reason).into_response()
}

#[cfg(test)]
mod tests;
