//! A problem's JSON.

use std::fmt;

use serde::Serialize;
use strongroom_domain::FieldError;
use utoipa::{IntoResponses, ToSchema};

use super::{Error, Problem};

/// A problem's JSON, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::astra) struct ProblemBody {
    /// `https://astra.netapp.io/problems/N`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem for people.
    title: &'static str,
    /// This problem for people.
    detail: String,
    /// The HTTP status, as text.
    status: String,
    /// Unacceptable query parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid_params: Vec<Invalid>,
    /// Unacceptable fields of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid_fields: Vec<Invalid>,
    /// How the body breaks its schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_validation_failure: Option<String>,
}

/// The problems that every call documents.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "only describes the answers")]
pub(in crate::astra) enum Problems {
    /// Problems 5 to 9, 33, 35, 46 and 108.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
    /// Problems 3 and 4.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// Problem 11.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Problems 1 and 2.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// Problems 10, 107, 112, 128, 131, 142, 143 and 174.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// Problems 34, 86, 88, 94 to 97, 101 and 103.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemBody),
}

/// A parameter or field that is not acceptable.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::astra) struct Invalid {
    /// Its name.
    name: String,
    /// What is wrong with it.
    reason: String,
}

impl Invalid {
    pub(super) fn new(name: &str, reason: impl fmt::Display) -> Self {
        let reason = reason.to_string();
        Self {
            name: name.to_owned(),
            reason,
        }
    }
}

impl From<&FieldError> for Invalid {
    fn from(field: &FieldError) -> Self {
        Self::new(&field.field, &field.reason)
    }
}

impl From<&Error> for ProblemBody {
    fn from(error: &Error) -> Self {
        let Problem(number, title, status) = error.problem();
        Self {
            kind: format!("https://astra.netapp.io/problems/{number}"),
            title,
            detail: error.to_string(),
            status: status.as_u16().to_string(),
            invalid_params: error.invalid_params(),
            invalid_fields: error.invalid_fields(),
            schema_validation_failure: error.schema_validation_failure(),
        }
    }
}
