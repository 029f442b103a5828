//! The vendor's codes and their statuses.

use axum::http::StatusCode;
use strongroom_http::dialect::FallbackReason;
use strongroom_service::{ConflictKind, Error as Core};

use super::{Doing, Error, Refusal};

/// A code and the status it comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) &'static str, pub(super) StatusCode);

/// A parameter is not acceptable.
const INVALID: Code = Code("BackupService.9900", StatusCode::BAD_REQUEST);
/// Nobody knows.
const UNKNOWN: Code = Code("BackupService.9910", StatusCode::INTERNAL_SERVER_ERROR);

impl Error {
    pub(super) fn code(&self) -> Code {
        use StatusCode as S;
        let bad = |code| Code(code, S::BAD_REQUEST);
        match self {
            Self::Common { source, during } => common(source, *during),
            Self::Rejected(_) | Self::Invalid { .. } => INVALID,
            Self::Gateway { reason, .. } => gateway(reason),
            Self::TooManyResources => bad("BackupService.6100"),
            Self::WrongVaultType(_) => bad("BackupService.6102"),
            Self::DuplicateResource(_) => bad("BackupService.6104"),
            Self::UnsupportedResourceType(_) => bad("BackupService.6116"),
            Self::UnknownPolicyType(_) => bad("BackupService.6117"),
            Self::NotInVault(_) => bad("BackupService.6135"),
            Self::WrongResourceType(_) => bad("BackupService.6300"),
            Self::NotOfVault(_) => Code("BackupService.6002", S::NOT_FOUND),
        }
    }
}

fn common(error: &Core, during: Doing) -> Code {
    match error {
        Core::NotFound { noun, .. } => not_found(noun),
        Core::Invalid(_) => INVALID,
        Core::Conflict { kind, noun, .. } => conflict(*kind, noun, during),
        Core::Unauthenticated(_) => Code("APIGW.0301", StatusCode::UNAUTHORIZED),
        Core::Forbidden { .. } => Code("BackupService.8600", StatusCode::FORBIDDEN),
        Core::Unavailable { .. } => Code("BackupService.9910", StatusCode::SERVICE_UNAVAILABLE),
        Core::Internal(_) => UNKNOWN,
    }
}

fn not_found(noun: &str) -> Code {
    let code = match noun {
        "backup" => "BackupService.6200",
        "checkpoint" => "BackupService.6217",
        "operation" => "BackupService.6500",
        "policy" => "BackupService.6000",
        "vault" => "BackupService.6105",
        // Everything else that a client can name is a resource.
        _ => "BackupService.6302",
    };
    Code(code, StatusCode::NOT_FOUND)
}

fn conflict(kind: ConflictKind, noun: &str, during: Doing) -> Code {
    use ConflictKind as K;
    use Doing as D;
    let code = match (during, kind, noun) {
        (D::CreatingCheckpoint, K::WrongState, _) => "BackupService.0001",
        (D::DeletingBackup, K::WrongState, _) => "BackupService.6201",
        (D::DeletingBackup, K::InUse, _) => "BackupService.6216",
        (D::DeletingVault, K::InUse, _) => "BackupService.6115",
        (D::DeletingVault, ..) => "BackupService.6111",
        (D::Restoring, K::WrongState, _) => "BackupService.2005",
        (D::Restoring, K::InUse, _) => "BackupService.2010",
        (D::UpdatingVault, K::Locked, _) => "BackupService.6110",
        (D::RemovingResources, K::InUse | K::WrongState, _) => "BackupService.6115",
        (D::RemovingResources, K::Locked, _) => "BackupService.6112",
        (_, K::AlreadyMember, _) => "BackupService.6103",
        (_, K::QuotaExceeded, _) => "BackupService.6114",
        (_, K::Locked, _) => "BackupService.6220",
        (_, K::WrongKind, _) => "BackupService.6300",
        (_, K::InUse, "backup") => "BackupService.6216",
        (_, K::InUse, _) => "BackupService.2002",
        (_, K::WrongState, _) => "BackupService.6112",
        (_, K::DuplicateName | K::KeyReused | K::VersionMismatch, _) => return INVALID,
    };
    Code(code, StatusCode::BAD_REQUEST)
}

fn gateway(reason: &Refusal) -> Code {
    use StatusCode as S;
    match reason {
        Refusal::Unauthenticated(_) => Code("APIGW.0301", S::UNAUTHORIZED),
        Refusal::ForeignProject(_) => Code("APIGW.0302", S::FORBIDDEN),
        Refusal::Unanswered(reason) => match reason {
            FallbackReason::NotFound | FallbackReason::MethodNotAllowed => {
                Code("APIGW.0101", S::NOT_FOUND)
            }
            FallbackReason::BodyTooLarge { .. } => Code("APIGW.0201", S::PAYLOAD_TOO_LARGE),
            FallbackReason::BodyUnreadable => Code("APIGW.0201", S::BAD_REQUEST),
            FallbackReason::TimedOut => Code("APIGW.0201", S::GATEWAY_TIMEOUT),
            FallbackReason::Panicked => UNKNOWN,
        },
    }
}

/// The name that a client knows a field of the core by.
pub(super) fn vendor_field(field: &str) -> &str {
    match field {
        "quota_bytes" => "size",
        "labels" => "tags",
        "expires_at" => "retention_duration_days",
        "retention.zone" => "timezone",
        it if it.starts_with("schedule.recurrences") => "pattern",
        it if it.starts_with("labels[") => "tags",
        other => other,
    }
}
