//! Every documented error has its number, title and status, and says what caused it.

use serde_json::{Value, json};
use strongroom_domain::principal::Permission;

use super::*;

fn body(error: &Error) -> Value {
    serde_json::to_value(ProblemBody::from(error)).unwrap()
}

fn core(source: Core, during: Doing) -> Error {
    Error::Common { source, during }
}

fn conflicting(kind: ConflictKind, during: Doing) -> Error {
    core(Core::conflict(kind, "backup", "why"), during)
}

#[test]
fn every_documented_error_has_its_number_title_and_status() {
    use Doing as D;
    let rejected = |path: &str| {
        let (name, reason) = (path.to_owned(), "is not a UUID".to_owned());
        Error::from(Rejection::Path { name, reason })
    };
    let field = || FieldError::new("limit", "is not a positive whole number");
    let unauthenticated = |why| core(Core::Unauthenticated(why), D::Authenticating);
    let internal = |during| core(Core::internal("disk on fire"), during);
    let table = [
        (
            core(Core::not_found("backup", 1), D::DeletingBackup),
            1,
            404,
            "Resource not found",
        ),
        (
            core(Core::not_found("backup", 1), D::GettingBackup),
            2,
            404,
            "Collection not found",
        ),
        (
            core(Core::not_found("app", 1), D::CreatingBackup),
            2,
            404,
            "Collection not found",
        ),
        (
            unauthenticated(AuthFailure::Missing),
            3,
            401,
            "Missing bearer token",
        ),
        (
            unauthenticated(AuthFailure::Malformed),
            3,
            401,
            "Missing bearer token",
        ),
        (
            unauthenticated(AuthFailure::Invalid),
            4,
            401,
            "Invalid bearer token",
        ),
        (
            unauthenticated(AuthFailure::Expired),
            4,
            401,
            "Invalid bearer token",
        ),
        (
            Error::BadParameters(vec![field()]),
            5,
            400,
            "Invalid query parameters",
        ),
        (
            Error::UnknownParameters(vec![field()]),
            6,
            400,
            "Query parameters not supported",
        ),
        (
            Rejection::Syntax {
                reason: "EOF".into(),
            }
            .into(),
            7,
            400,
            "Invalid JSON payload",
        ),
        (Error::Schema(field()), 8, 400, "Invalid JSON resource"),
        (
            core(Core::invalid("name", "is empty"), D::CreatingBackup),
            9,
            400,
            "Invalid JSON resource",
        ),
        (
            conflicting(ConflictKind::KeyReused, D::CreatingBackup),
            10,
            409,
            "JSON resource conflict",
        ),
        (
            core(
                Core::Forbidden {
                    needed: Permission::Write,
                },
                D::CreatingBackup,
            ),
            11,
            403,
            "Operation not permitted",
        ),
        (
            Error::ForeignAccount("x".into()),
            11,
            403,
            "Operation not permitted",
        ),
        (
            core(
                Core::Unavailable {
                    what: "it".into(),
                    message: "gone".into(),
                },
                D::ListingApps,
            ),
            24,
            503,
            "Service unavailable",
        ),
        (
            Error::NotAcceptable("text/html".into()),
            32,
            406,
            "Unsupported content type",
        ),
        (rejected("account_id"), 33, 400, "Invalid account ID"),
        (
            internal(D::Authenticating),
            34,
            500,
            "Internal server error",
        ),
        (rejected("app_id"), 35, 400, "Invalid resource ID"),
        (
            conflicting(ConflictKind::VersionMismatch, D::GettingApp),
            38,
            412,
            "Precondition not met",
        ),
        (
            Error::NoSuchSnapshot("s".into()),
            46,
            400,
            "Snapshot not found",
        ),
        (
            internal(D::GettingApp),
            86,
            500,
            "Application not retrieved",
        ),
        (internal(D::ListingApps), 88, 500, "Applications not listed"),
        (internal(D::CreatingBackup), 94, 500, "Backup not created"),
        (internal(D::GettingBackup), 95, 500, "Backup not retrieved"),
        (internal(D::ListingBackups), 96, 500, "Backups not listed"),
        (internal(D::DeletingBackup), 97, 500, "Backup not deleted"),
        (
            internal(D::ListingResources),
            101,
            500,
            "Resources not listed",
        ),
        (
            internal(D::GettingResource),
            103,
            500,
            "Resource not retrieved",
        ),
        (
            conflicting(ConflictKind::InUse, D::CreatingBackup),
            107,
            409,
            "Backup in progress",
        ),
        (
            core(Core::not_found("repository", 1), D::CreatingBackup),
            108,
            400,
            "Bucket not found",
        ),
        (
            conflicting(ConflictKind::WrongState, D::CreatingBackup),
            112,
            409,
            "Application not ready",
        ),
        (
            Error::Pending("b".into()),
            128,
            409,
            "Backup cancellation not allowed",
        ),
        (
            conflicting(ConflictKind::QuotaExceeded, D::CreatingBackup),
            131,
            409,
            "Backup not supported",
        ),
        (
            conflicting(ConflictKind::InUse, D::DeletingBackup),
            142,
            409,
            "Backup or snapshot not deleted",
        ),
        (
            conflicting(ConflictKind::DuplicateName, D::CreatingBackup),
            143,
            409,
            "Backup with the same name exists",
        ),
        (
            conflicting(ConflictKind::WrongState, D::DeletingBackup),
            174,
            409,
            "Backup deletion in progress",
        ),
    ];
    for (error, number, status, title) in table {
        let body = body(&error);
        assert_eq!(
            body["type"],
            format!("https://astra.netapp.io/problems/{number}"),
            "{error}"
        );
        assert_eq!(body["title"], title, "{number}");
        assert_eq!(body["status"], Value::from(status.to_string()), "{number}");
        assert!(
            body["detail"].as_str().is_some_and(|it| !it.is_empty()),
            "{number}"
        );
        assert_eq!(error.into_response().status(), status, "{number}");
    }
}

#[test]
fn what_reaches_no_handler_gets_a_problem_too() {
    let table = [
        (FallbackReason::NotFound, 2, 404),
        (FallbackReason::MethodNotAllowed, 69, 405),
        (FallbackReason::BodyTooLarge { limit: 1 }, 85, 413),
        (FallbackReason::BodyUnreadable, 7, 400),
        (FallbackReason::TimedOut, 24, 503),
        (FallbackReason::Panicked, 34, 500),
    ];
    for (reason, number, status) in table {
        let error = Error::Fallback(reason);
        assert_eq!(error.problem().0, number);
        assert_eq!(error.into_response().status(), status);
    }
}

#[test]
fn a_problem_names_the_parameter_or_field_that_caused_it() {
    let limit = Error::BadParameters(vec![FieldError::new("limit", "is no number")]);
    let named = json!([{ "name": "limit", "reason": "is no number" }]);
    assert_eq!(body(&limit)["invalidParams"], named);

    let schema = Error::Schema(FieldError::new("name", "is empty"));
    assert_eq!(body(&schema)["schemaValidationFailure"], "`name`: is empty");
    assert_eq!(body(&schema)["invalidFields"][0]["name"], "name");

    let bucket = core(
        Core::invalid("repository_id", "is full"),
        Doing::CreatingBackup,
    );
    assert_eq!(body(&bucket)["invalidFields"][0]["name"], "bucketID");
}

#[test]
fn the_cause_of_an_internal_error_is_not_shown() {
    let error = core(Core::internal("password is hunter2"), Doing::GettingBackup);
    assert!(!body(&error).to_string().contains("hunter2"));
}
