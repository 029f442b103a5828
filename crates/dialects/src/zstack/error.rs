//! What a call can fail with, in ZStack's words. Failures of the API itself are 503 with a JSON
//! error code; what is wrong with the HTTP request is plain text.

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use strongroom_domain::operation::{OperationError, OperationKind};
use strongroom_http::{
    dialect::{Fallback, FallbackReason},
    extract::Rejection,
};
use strongroom_service::{ConflictKind, Error as ServiceError};

use super::{
    query::{Unknown, params::BadQuery},
    wire::reply::{Accepted, ErrorCode, Failed, Json},
};

/// The paths that jobs are polled at.
pub(crate) const JOBS: &str = "/v1/api-jobs/";

/// Longer details are cut by the vendor's server too.
const MAX_DETAILS: usize = 4096;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// The core refused.
    Common(ServiceError),
    /// A failure that only this API knows.
    Api { code: Code, details: String },
    /// The HTTP request is not acceptable.
    Transport { status: StatusCode, text: String },
    /// It is told by a job.
    Deferred(Accepted),
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $description:literal;)*) => {
        /// The vendor's error codes that are used here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as clients compare it.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The text that goes with the code.
            pub(crate) const fn description(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }
        }
    };
}

codes! {
    Internal = "SYS.1000", "An internal error happened in system";
    Timeout = "SYS.1001", "A message or a operation timeout";
    NotFound = "SYS.1003", "A resource can not be found";
    CannotDelete = "SYS.1004", "Unable to delete a resource";
    Failed = "SYS.1006", "An operation failed";
    InvalidArgument = "SYS.1007", "One or more API argument is invalid";
    UnknownMessage = "SYS.1008", "Unknown message, no service can deal with the message";
    Cancelled = "SYS.1017", "A message or a operation cancelled";
    WrongPassword = "ID.1000", "Unable to authenticate a user";
    InvalidSession = "ID.1001", "The session is invalid, either wrong session id or the session has been expired";
    Forbidden = "ID.1002", "The user doesn't have permission to perform the operation";
    QuotaExceeded = "ID.1003", "quota exceeded";
    TooManySessions = "ID.1006", "Max number of active sessions exceeded";
    NotConnected = "BS.1500", "Unable to connect a backup storage";
    SearchDisabled = "SEARCH.1000", "Search module disabled";
}

impl Error {
    /// A failure of the API.
    pub(crate) fn api(code: Code, details: impl Into<String>) -> Self {
        Self::Api {
            code,
            details: details.into(),
        }
    }

    /// A request that is refused before any API looks at it.
    pub(crate) fn transport(status: StatusCode, text: impl Into<String>) -> Self {
        Self::Transport {
            status,
            text: text.into(),
        }
    }

    /// There is no such path.
    pub(crate) fn no_mapping(path: &str) -> Self {
        let path = without_context(path);
        Self::transport(StatusCode::NOT_FOUND, format!("no api mapping to {path}"))
    }

    /// The session is unknown or has ended.
    pub(crate) fn session_expired() -> Self {
        Self::api(Code::InvalidSession, "Session expired")
    }

    /// Whether the session is what is wrong.
    pub(crate) fn is_of_session(&self) -> bool {
        self.code()
            .is_some_and(|it| it.code == Code::InvalidSession.as_str())
    }

    /// The error as a client sees it; nothing if it is plain text.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        let (code, details) = match self {
            Self::Common(error) => of_core(error),
            Self::Api { code, details } => (*code, details.clone()),
            Self::Transport { .. } | Self::Deferred(_) => return None,
        };
        Some(error_code(code, details))
    }

    /// The error as a failed job keeps it; nothing if it cannot be reported by a job.
    pub(crate) fn for_job(&self) -> Option<OperationError> {
        let ErrorCode { code, details, .. } = self.code()?;
        Some(OperationError {
            code: code.to_owned(),
            message: details,
        })
    }
}

fn error_code(code: Code, mut details: String) -> ErrorCode {
    if let Some((end, _)) = details.char_indices().nth(MAX_DETAILS) {
        details.truncate(end);
    }
    ErrorCode {
        code: code.as_str(),
        description: code.description(),
        details,
        causes: Vec::new(),
    }
}

/// What a failed job of that kind says, whatever it comes from.
pub(crate) fn of_job(kind: OperationKind, error: &OperationError) -> ErrorCode {
    let own = Code::ALL
        .iter()
        .copied()
        .find(|it| it.as_str() == error.code);
    let code = own.unwrap_or(match error.code.as_str() {
        "not_found" => Code::NotFound,
        "invalid" => Code::InvalidArgument,
        "forbidden" => Code::Forbidden,
        "unauthenticated" => Code::InvalidSession,
        "quota_exceeded" => Code::QuotaExceeded,
        "cancelled" => Code::Cancelled,
        "internal" => Code::Internal,
        "unavailable" if kind == OperationKind::Verify => Code::NotConnected,
        _ => Code::Failed,
    });
    let details = match (own, kind) {
        (None, OperationKind::Backup) => format!("fail to backup database: {}", error.message),
        _ => error.message.clone(),
    };
    error_code(code, details)
}

fn of_core(error: &ServiceError) -> (Code, String) {
    let details = error.to_string();
    let code = match error {
        ServiceError::NotFound { .. } => Code::NotFound,
        ServiceError::Invalid(_) => Code::InvalidArgument,
        ServiceError::Conflict { kind, .. } => match kind {
            ConflictKind::DuplicateName | ConflictKind::WrongKind => Code::InvalidArgument,
            ConflictKind::QuotaExceeded => Code::QuotaExceeded,
            ConflictKind::WrongState
            | ConflictKind::InUse
            | ConflictKind::VersionMismatch
            | ConflictKind::KeyReused
            | ConflictKind::Locked
            | ConflictKind::AlreadyMember => Code::Failed,
        },
        ServiceError::Unauthenticated(_) => {
            return (Code::InvalidSession, "Session expired".to_owned());
        }
        ServiceError::Forbidden { .. } => Code::Forbidden,
        ServiceError::Unavailable { .. } => Code::Failed,
        ServiceError::Internal(_) => Code::Internal,
    };
    (code, details)
}

impl From<ServiceError> for Error {
    fn from(error: ServiceError) -> Self {
        Self::Common(error)
    }
}

impl From<BadQuery> for Error {
    fn from(error: BadQuery) -> Self {
        let text = error.to_string();
        match error {
            BadQuery::Condition(_)
            | BadQuery::NotAnInteger(_)
            | BadQuery::Repeated(_)
            | BadQuery::NotANumber { .. }
            | BadQuery::NotABoolean { .. } => Self::transport(StatusCode::BAD_REQUEST, text),
            BadQuery::FilterForm => Self::api(Code::InvalidArgument, text),
            BadQuery::FilterType(_) | BadQuery::Negative { .. } => Self::api(Code::Internal, text),
        }
    }
}

impl From<Unknown> for Error {
    fn from(error: Unknown) -> Self {
        Self::api(Code::Internal, error.to_string())
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection {
            Rejection::Syntax { .. } | Rejection::Json { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Rejection::Query { .. } | Rejection::Path { .. } | Rejection::Header { .. } => {
                StatusCode::BAD_REQUEST
            }
        };
        Self::transport(status, rejection.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Common(ServiceError::internal(error))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Transport { status, text } => plain(status, text),
            Self::Deferred(accepted) => Json(StatusCode::ACCEPTED, accepted).into_response(),
            Self::Api { code, details } => failed(error_code(code, details)),
            Self::Common(error) => {
                if let ServiceError::Internal(cause) = &error {
                    tracing::error!(error = &**cause as &dyn std::error::Error, "a call failed");
                }
                let (code, details) = of_core(&error);
                failed(error_code(code, details))
            }
        }
    }
}

fn failed(error: ErrorCode) -> Response {
    Json(StatusCode::SERVICE_UNAVAILABLE, Failed { error }).into_response()
}

fn plain(status: StatusCode, text: String) -> Response {
    let kind = HeaderValue::from_static("text/plain;charset=utf-8");
    (status, [(CONTENT_TYPE, kind)], text).into_response()
}

/// Answers what reaches no handler.
pub(crate) fn fallback(fallback: Fallback) -> Response {
    let path = without_context(fallback.uri.path());
    let (status, text) = match fallback.reason {
        FallbackReason::NotFound => return Error::no_mapping(path).into_response(),
        FallbackReason::MethodNotAllowed => wrong_method(fallback.method.as_str(), path),
        FallbackReason::BodyTooLarge { limit } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is longer than {limit} bytes"),
        ),
        FallbackReason::BodyUnreadable => (
            StatusCode::BAD_REQUEST,
            "the body could not be read".to_owned(),
        ),
        FallbackReason::TimedOut => {
            let details = "no answer within the time allowed";
            return failed(error_code(Code::Timeout, details.to_owned()));
        }
        FallbackReason::Panicked => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error".to_owned(),
        ),
    };
    plain(status, text)
}

/// The path as the vendor's API knows it.
pub(crate) fn without_context(path: &str) -> &str {
    path.strip_prefix("/zstack").unwrap_or(path)
}

pub(crate) fn wrong_method(method: &str, path: &str) -> (StatusCode, String) {
    if path.starts_with(JOBS) {
        let text = "only GET method is allowed for querying job status";
        return (StatusCode::METHOD_NOT_ALLOWED, text.to_owned());
    }
    let text = match method {
        "POST" => format!("No creational API found for the path[{path}]"),
        "GET" => format!("No query API found for the path[{path}]"),
        "DELETE" => format!("No delete API found for the path[{path}]"),
        "PUT" => {
            let text = format!("the body doesn't contain action mapping to the URL[{path}]");
            return (StatusCode::BAD_REQUEST, text);
        }
        other => {
            let text = format!("method[{other}] is not allowed for the path[{path}]");
            return (StatusCode::METHOD_NOT_ALLOWED, text);
        }
    };
    (StatusCode::INTERNAL_SERVER_ERROR, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(kind: OperationKind, code: &str, message: &str) -> (&'static str, String) {
        let error = OperationError {
            code: code.into(),
            message: message.into(),
        };
        let ErrorCode { code, details, .. } = of_job(kind, &error);
        (code, details)
    }

    #[test]
    fn a_job_keeps_the_vendors_code_and_gives_one_to_the_cores() {
        let kept = Error::api(Code::InvalidArgument, "field[name] is bad")
            .for_job()
            .unwrap();
        assert_eq!(
            of_job(OperationKind::Backup, &kept),
            error_code(Code::InvalidArgument, "field[name] is bad".into())
        );
        assert_eq!(
            job(OperationKind::Backup, "source", "exit 2"),
            ("SYS.1006", "fail to backup database: exit 2".into())
        );
        let other = OperationKind::Restore;
        let failed = ("SYS.1006", "exit 2".into());
        assert_eq!(job(other, "source", "exit 2"), failed);
        assert_eq!(job(other, "cancelled", "stopped").0, "SYS.1017");
    }

    #[test]
    fn details_are_cut_at_a_character() {
        let ErrorCode { details, .. } = error_code(Code::Failed, "é".repeat(5000));
        assert_eq!(details.chars().count(), 4096);
    }

    #[test]
    fn a_refused_request_is_plain_text_and_never_reported_by_a_job() {
        let error = Error::transport(StatusCode::BAD_REQUEST, "bad");
        assert_eq!(error.for_job(), None);
        assert_eq!(error.into_response().status(), StatusCode::BAD_REQUEST);
    }
}
