//! Every documented error has its code and status, in the envelope of either version.

use serde_json::{Value, json};
use strongroom_domain::principal::Permission;
use strongroom_service::error::AuthFailure;

use super::*;

fn rejected_path(name: &str) -> Error {
    let (name, reason) = (name.to_owned(), "is not a UUID".to_owned());
    Rejection::Path { name, reason }.into()
}

#[test]
fn every_documented_error_has_its_code_and_status() {
    let conflict = |kind| Error::from(Core::conflict(kind, "backup", "why"));
    let unavailable = Core::Unavailable {
        what: "it".into(),
        message: "gone".into(),
    };
    let table: Vec<(Error, u16, &str)> = vec![
        (
            Error::parameter("limit", "is not a whole number"),
            400,
            "GES.0001",
        ),
        (Core::invalid("name", "is empty").into(), 400, "GES.0001"),
        (Error::ForeignProject("x".into()), 403, "GES.0016"),
        (rejected_path("project_id"), 404, "GES.0016"),
        (Core::not_found("resource", 1).into(), 400, "GES.7000"),
        (rejected_path("graph_id"), 400, "GES.7000"),
        (Error::BackingUp("g".into()), 400, "GES.7002"),
        (conflict(ConflictKind::InUse), 400, "GES.7002"),
        (conflict(ConflictKind::QuotaExceeded), 400, "GES.7019"),
        (conflict(ConflictKind::Locked), 400, "GES.7009"),
        (unavailable.into(), 503, "GES.7004"),
        (Core::internal("disk on fire").into(), 500, "GES.7006"),
        (Core::not_found("operation", 1).into(), 400, "GES.7007"),
        (rejected_path("job_id"), 400, "GES.7007"),
        (
            Rejection::Syntax {
                reason: "EOF".into(),
            }
            .into(),
            400,
            "GES.7016",
        ),
        (Core::not_found("backup", 1).into(), 400, "GES.7024"),
        (rejected_path("backup_id"), 400, "GES.7024"),
        (
            Core::Forbidden {
                needed: Permission::Write,
            }
            .into(),
            403,
            "GES.7041",
        ),
        (
            Core::Unauthenticated(AuthFailure::Missing).into(),
            401,
            "APIGW.0301",
        ),
        (
            Core::Unauthenticated(AuthFailure::Expired).into(),
            401,
            "APIGW.0301",
        ),
        (Error::Fallback(FallbackReason::NotFound), 404, "APIGW.0101"),
        (
            Error::Fallback(FallbackReason::MethodNotAllowed),
            405,
            "APIGW.0101",
        ),
        (
            Error::Fallback(FallbackReason::BodyTooLarge { limit: 1 }),
            413,
            "APIGW.0201",
        ),
        (
            Error::Fallback(FallbackReason::BodyUnreadable),
            400,
            "GES.7016",
        ),
        (Error::Fallback(FallbackReason::TimedOut), 503, "GES.7004"),
        (Error::Fallback(FallbackReason::Panicked), 500, "GES.7006"),
    ];
    for (error, status, code) in table {
        assert_eq!(
            (error.code().0.as_u16(), error.code().1),
            (status, code),
            "{error}"
        );
        assert_eq!(
            Refused::<V1>::from(error).into_response().status(),
            status,
            "{code}"
        );
    }
}

fn body<V: Version>(error: &Error) -> Value {
    serde_json::to_value(V::failure(error.code().1, error.to_string())).unwrap()
}

#[test]
fn each_version_has_its_envelope_with_the_keys_that_clients_look_for() {
    let error = Error::from(Core::not_found("resource", "abc"));
    let text = "resource `abc` not found";
    let v1 = json!({ "errorCode": "GES.7000", "errorMessage": text, "errorMsg": text });
    assert_eq!(body::<V1>(&error), v1);
    assert_eq!(
        body::<V2>(&error),
        json!({ "error_code": "GES.7000", "error_msg": text })
    );
}

#[test]
fn the_cause_of_an_internal_error_is_not_shown() {
    let error = Error::from(Core::internal("password is hunter2"));
    assert!(!body::<V1>(&error).to_string().contains("hunter2"));
}
