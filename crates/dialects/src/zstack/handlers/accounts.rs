//! Logins and sessions.

use axum::extract::State;
use jiff::SignedDuration;
use strongroom_domain::{Face, Secret, SessionId};
use strongroom_service::{
    ConflictKind, Error as ServiceError, Service,
    identity::{OpenedSession, PasswordForm},
};

use super::{Answer, Body, PathParams, empty, ok};
use crate::zstack::{
    auth::{Auth, SESSION, open_session},
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map,
    wire::{
        reply::{Accepted, Empty, Failed, One},
        session::{
            AccountLogin, LogIn, LogInByAccount, LogInByUser, RenewSession, Renewal, Session,
            UserLogin, Validity,
        },
    },
};

/// The seconds that a session may be renewed for.
const DURATIONS: std::ops::RangeInclusive<i64> = 60..=31_536_000;

const WRONG_ACCOUNT: &str = "wrong account name or password";

/// Open sessions of a user: the vendor's number.
const MOST_SESSIONS: u64 = 500;

/// Logs in with an account's name and password.
#[utoipa::path(
    put,
    path = "/zstack/v1/accounts/login",
    operation_id = "LogInByAccount",
    request_body = LogInByAccount,
    responses((status = 200, body = One<Session>), (status = 503, body = Failed)),
)]
pub(crate) async fn log_in_by_account(
    State(service): State<Service>,
    call: Call,
    body: Body<LogInByAccount>,
) -> Answer<One<Session>> {
    let AccountLogin {
        account_name,
        password,
    } = body.0.log_in_by_account.unwrap_or_default();
    let message = "org.zstack.header.identity.APILogInByAccountMsg";
    let name = map::mandatory_of(message, "accountName", account_name)?;
    let password = map::mandatory_of(message, "password", password)?;
    let session = log_in(&service, None, &name, password, WRONG_ACCOUNT).await?;
    Ok(ok(One::new(map::session(&session), call.schema)))
}

/// Logs in with a credential of some type; accounts' are the one that there is.
#[utoipa::path(
    put,
    path = "/zstack/v1/login",
    operation_id = "LogIn",
    request_body = LogIn,
    responses((status = 200, body = One<Session>), (status = 503, body = Failed)),
)]
pub(crate) async fn log_in_by_type(
    State(service): State<Service>,
    call: Call,
    body: Body<LogIn>,
) -> Answer<One<Session>> {
    let login = body.0.log_in.unwrap_or_default();
    let message = "org.zstack.header.identity.login.APILogInMsg";
    let name = map::mandatory_of(message, "username", login.username)?;
    let password = map::mandatory_of(message, "password", login.password)?;
    let kind = map::mandatory_of(message, "loginType", login.login_type)?;
    if kind != "account" {
        let details = format!("unsupported login type {kind}");
        return Err(Error::api(Code::Failed, details));
    }
    let session = log_in(&service, None, &name, password, WRONG_ACCOUNT).await?;
    Ok(ok(One::new(map::session(&session), call.schema)))
}

/// Logs in with a user's name and password.
#[utoipa::path(
    put,
    path = "/zstack/v1/accounts/users/login",
    operation_id = "LogInByUser",
    request_body = LogInByUser,
    responses((status = 200, body = One<Session>), (status = 503, body = Failed)),
)]
pub(crate) async fn log_in_by_user(
    State(service): State<Service>,
    call: Call,
    body: Body<LogInByUser>,
) -> Answer<One<Session>> {
    let UserLogin {
        account_name,
        account_uuid,
        user_name,
        password,
    } = body.0.log_in_by_user.unwrap_or_default();
    let message = "org.zstack.header.identity.APILogInByUserMsg";
    let account = map::mandatory_of(message, "accountName", account_uuid.or(account_name))?;
    let name = map::mandatory_of(message, "userName", user_name)?;
    let password = map::mandatory_of(message, "password", password)?;
    let wrong = "wrong account or username or password";
    let session = log_in(&service, Some(&account), &name, password, wrong).await?;
    Ok(ok(One::new(map::session(&session), call.schema)))
}

async fn log_in(
    service: &Service,
    account: Option<&str>,
    name: &str,
    password: String,
    wrong: &str,
) -> Result<OpenedSession, Error> {
    let password = PasswordForm::Sha512Hex(Secret::new(password));
    match service.password_caller(account, name, password).await {
        Ok(caller) => {
            let caller = caller.via(Face::Zstack);
            let opened = service.open_session_among(&caller, SESSION, MOST_SESSIONS);
            opened.await.map_err(too_many)
        }
        Err(ServiceError::Unauthenticated(_) | ServiceError::NotFound { .. }) => {
            Err(Error::api(Code::WrongPassword, wrong))
        }
        Err(other) => Err(other.into()),
    }
}

fn too_many(error: ServiceError) -> Error {
    match error {
        ServiceError::Conflict {
            kind: ConflictKind::QuotaExceeded,
            message,
            ..
        } => Error::api(Code::TooManySessions, message),
        other => other.into(),
    }
}

/// Ends a session; one that is unknown has ended already.
#[utoipa::path(
    delete,
    path = "/zstack/v1/accounts/sessions/{uuid}",
    operation_id = "LogOut",
    params(("uuid" = String, Path)),
    responses((status = 200, body = Empty)),
)]
pub(crate) async fn log_out(
    State(service): State<Service>,
    uuid: PathParams<String>,
) -> Answer<Empty> {
    if let Some(id) = map::uuid(&uuid.0) {
        service.close_session(SessionId::from_uuid(id)).await?;
    }
    Ok(empty())
}

/// Says whether a session can be used.
#[utoipa::path(
    get,
    path = "/zstack/v1/accounts/sessions/{uuid}/valid",
    operation_id = "ValidateSession",
    params(("uuid" = String, Path)),
    responses((status = 200, body = Validity)),
)]
pub(crate) async fn session_valid(
    State(service): State<Service>,
    uuid: PathParams<String>,
) -> Answer<Validity> {
    match open_session(&service, &uuid.0, None).await {
        Ok(_) => Ok(ok(Validity { valid: true })),
        Err(Error::Common(ServiceError::Unauthenticated(_)) | Error::Api { .. }) => {
            Ok(ok(Validity { valid: false }))
        }
        Err(other) => Err(other),
    }
}

/// Moves the end of a session.
#[utoipa::path(
    put,
    path = "/zstack/v1/accounts/sessions/{uuid}/renew",
    operation_id = "RenewSession",
    params(("uuid" = String, Path)),
    request_body = RenewSession,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn renew_session(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
    body: Body<RenewSession>,
) -> Answer<Accepted> {
    let renewal = body.0.renew_session.unwrap_or_default();
    let work = renew(&service, &call, &uuid.0, renewal);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn renew(
    service: &Service,
    call: &Call,
    uuid: &str,
    Renewal { duration }: Renewal,
) -> Result<Outcome, Error> {
    if duration.is_some_and(|it| !DURATIONS.contains(&it)) {
        let details = "field[duration] must be in range of [60, 31536000]";
        return Err(Error::api(Code::InvalidArgument, details));
    }
    let lifetime = duration.map_or(SESSION, SignedDuration::from_secs);
    let session = open_session(service, uuid, Some(lifetime)).await?;
    Outcome::done(&One::new(map::session(&session), call.schema))
}
