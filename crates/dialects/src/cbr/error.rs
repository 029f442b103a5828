//! What is wrong, in CBR's flat JSON: which code an error has, and its text.

mod code;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use strongroom_http::{
    dialect::{Fallback, FallbackReason},
    extract::{Rejection, RequestId},
    problem::chain,
};
use strongroom_service::Error as Core;
use utoipa::{IntoResponses, ToSchema};

use self::code::Code;
use super::answer::Json;

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
    /// The gateway in front of the service would not have let it through.
    #[error("{reason}")]
    Gateway {
        /// Why.
        reason: Refusal,
        /// The request's id, which gateways repeat in the body.
        request_id: RequestId,
    },
    /// A field or parameter is not acceptable.
    #[error("{reason}")]
    Invalid {
        /// Its name, e.g. `vault_id`.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More resources than a vault takes.
    #[error("a vault takes at most {} resources", super::map::MAX_RESOURCES)]
    TooManyResources,
    /// A resource is named twice.
    #[error("resource `{0}` is named twice")]
    DuplicateResource(String),
    /// The vault is for resources of another type.
    #[error("resource `{0}` does not fit the vault's object type")]
    WrongVaultType(String),
    /// A resource has another type than the client says.
    #[error("resource `{0}` is of another type")]
    WrongResourceType(String),
    /// No resource of that type can be protected.
    #[error("resources of type `{0}` cannot be protected")]
    UnsupportedResourceType(String),
    /// Resources that are not in the vault.
    #[error("resource `{0}` is not in the vault")]
    NotInVault(String),
    /// The policy does not run the vault.
    #[error("policy `{0}` does not run the vault")]
    NotOfVault(String),
    /// There is such a policy, but not one that runs backups.
    #[error("policies of type `{0}` are not supported")]
    UnknownPolicyType(String),
}

/// What was being done when the core refused: several codes differ in nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Anything without codes of its own.
    Anything,
    /// Deleting a backup.
    DeletingBackup,
    /// Restoring one.
    Restoring,
    /// Changing a vault.
    UpdatingVault,
    /// Deleting a vault.
    DeletingVault,
    /// Taking resources out of a vault.
    RemovingResources,
    /// Making a checkpoint.
    CreatingCheckpoint,
}

/// Why the gateway does not let a request through.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The credential is not good.
    #[error("Incorrect IAM authentication information: {0}")]
    Unauthenticated(String),
    /// The credential is good, but not for the project in the path.
    #[error("The credential does not belong to project `{0}`")]
    ForeignProject(String),
    /// The request reached no handler.
    #[error("{}", unanswered(.0))]
    Unanswered(FallbackReason),
}

/// Says what was being done when the core refused.
pub(super) trait During<T> {
    /// The same result with CBR's error.
    fn during(self, doing: Doing) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, Core> {
    fn during(self, during: Doing) -> Result<T> {
        self.map_err(|source| Error::Common { source, during })
    }
}

impl From<Core> for Error {
    fn from(source: Core) -> Self {
        let during = Doing::Anything;
        Self::Common { source, during }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Error {
    /// A field or parameter that is not acceptable.
    pub(super) fn invalid(name: impl Into<String>, reason: impl ToString) -> Self {
        Self::Invalid {
            name: name.into(),
            reason: reason.to_string(),
        }
    }

    /// What clients show.
    fn text(&self) -> String {
        let named = |name: &str, reason: &str| match name {
            "" => format!("Invalid request: {reason}."),
            name => format!("Invalid {name} provided: {reason}."),
        };
        match self {
            Self::Common {
                source: Core::Invalid(fields),
                ..
            } => {
                let texts = fields
                    .iter()
                    .map(|it| named(code::vendor_field(&it.field), &it.reason));
                texts.collect::<Vec<_>>().join(" ")
            }
            Self::Invalid { name, reason } => named(name, reason),
            Self::Rejected(rejection) => named(rejection.field(), rejection.reason()),
            other => sentence(&other.to_string()),
        }
    }
}

/// The text with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    let stop = if text.ends_with('.') { "" } else { "." };
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}{stop}", chars.as_str())
}

fn unanswered(reason: &FallbackReason) -> String {
    match reason {
        FallbackReason::NotFound | FallbackReason::MethodNotAllowed => {
            "The API does not exist or has not been published".to_owned()
        }
        FallbackReason::BodyTooLarge { limit } => {
            format!("The request body is longer than {limit} bytes")
        }
        FallbackReason::BodyUnreadable => "The request body could not be received".to_owned(),
        FallbackReason::TimedOut => "There was no answer in time".to_owned(),
        FallbackReason::Panicked => "Internal error".to_owned(),
    }
}

/// An error's JSON.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Error)]
pub(super) struct ErrorBody {
    /// `BackupService.NNNN` or `APIGW.NNNN`.
    error_code: &'static str,
    /// A sentence for people.
    error_msg: String,
    /// The request's id, in errors of the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// The errors that every call documents.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "only describes the answers")]
pub(super) enum Errors {
    /// Something about the request is wrong, or it does not fit the present state of things.
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// `APIGW.0301`: no token or signature, or not a good one.
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// `APIGW.0302`: another project; `BackupService.8600`: the role does not include it.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// What is named does not exist.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// `BackupService.9910`: a defect.
    #[response(status = 500)]
    Internal(ErrorBody),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Code(error_code, status) = self.code();
        if let Self::Common {
            source: Core::Internal(cause),
            ..
        } = &self
        {
            tracing::error!("internal error: {}", chain(&**cause));
        }
        let request_id = match &self {
            Self::Gateway { request_id, .. } => Some(request_id.as_str().to_owned()),
            _ => None,
        };
        let error_msg = self.text();
        let body = ErrorBody {
            error_code,
            error_msg,
            request_id,
        };
        (status, Json(body)).into_response()
    }
}

/// Answers what no handler of this dialect answers.
pub(super) fn fallback(fallback: Fallback) -> Response {
    let error = Error::Gateway {
        reason: Refusal::Unanswered(fallback.reason),
        request_id: fallback.request_id,
    };
    error.into_response()
}

/// What Keystone's paths answer instead: `{"error": {…}}`.
#[derive(Debug)]
pub(super) struct KeystoneError(Error);

impl<E: Into<Error>> From<E> for KeystoneError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Keystone's errors.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "only describes the answers")]
pub(super) enum KeystoneErrors {
    /// The body cannot be read.
    #[response(status = 400)]
    BadRequest(KeystoneBody),
    /// The name, password or token is not good.
    #[response(status = 401)]
    Unauthorized(KeystoneBody),
    /// There is no such token.
    #[response(status = 404)]
    NotFound(KeystoneBody),
}

/// A Keystone error's JSON.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::KeystoneError)]
pub(super) struct KeystoneBody {
    /// The error.
    error: KeystoneDetail,
}

/// A Keystone error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::KeystoneDetail)]
pub(super) struct KeystoneDetail {
    /// The HTTP status.
    code: u16,
    /// A sentence for people.
    message: String,
    /// The HTTP status in words.
    title: &'static str,
}

impl IntoResponse for KeystoneError {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Error::Common {
                source: Core::Unauthenticated(_),
                ..
            } => StatusCode::UNAUTHORIZED,
            other => other.code().1,
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!("internal error: {}", chain(&self.0));
        }
        let error = KeystoneDetail {
            code: status.as_u16(),
            message: self.0.text(),
            title: status.canonical_reason().unwrap_or_default(),
        };
        (status, Json(KeystoneBody { error })).into_response()
    }
}
