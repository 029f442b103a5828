//! `zstack-cli`'s way: it posts messages by their class and polls their results. A query becomes a
//! ZQL statement, any other message the call of the REST API that has its name.

mod calls;

use axum::{
    Router,
    body::{Body as HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};
use strongroom_domain::{Face, OperationId};
use strongroom_http::extract::{Base, RawBody};
use strongroom_service::{Caller, Service};
use tower::ServiceExt as _;

use self::calls::{Message, ToCall, reply_class};
use super::{Answer, Body, PathParams, jobs, ok};
use crate::zstack::{
    auth::{SESSION, open_session},
    call::Call,
    error::{Code, Error},
    map,
    query::zql::{ast::Statement, run::Run},
    wire::reply::Json,
};

/// The class that is named as that of a job's result; clients do not look at it.
const EVENT: &str = "org.zstack.header.message.APIEvent";

/// Carries out a message. One that takes its time is polled.
#[utoipa::path(
    post,
    path = "/zstack/api/",
    operation_id = "SendMessage",
    request_body = Object,
    responses((status = 200, body = Object)),
)]
pub(crate) async fn send(
    State(service): State<Service>,
    call: Call,
    headers: HeaderMap,
    body: Body<Map<String, Value>>,
) -> Answer<Value> {
    let mut messages = body.0.into_iter();
    let (Some((class, content)), None) = (messages.next(), messages.next()) else {
        let text = "the body must have one message";
        return Err(Error::transport(StatusCode::BAD_REQUEST, text));
    };
    match carry_out(&service, &call.base, &headers, &class, content).await {
        Ok(answer) => Ok(answer),
        Err(error) => match error.code() {
            Some(code) => {
                let reply = json!({ "success": false, "error": code });
                Ok(done(&reply_class(&class), "", &reply))
            }
            None => Err(error),
        },
    }
}

async fn carry_out(
    service: &Service,
    base: &Base,
    headers: &HeaderMap,
    class: &str,
    content: Value,
) -> Result<Json<Value>, Error> {
    let message = Message::read(class, content);
    if let Some(statement) = message.query() {
        let invalid = |details: String| Error::api(Code::InvalidArgument, details);
        let session = message.session.as_deref().unwrap_or_default();
        let caller = open_session(service, session, Some(SESSION)).await?.caller;
        let caller = caller.via(Face::Zstack);
        let rows = query(service, &caller, base, statement.map_err(invalid)?).await?;
        return Ok(done(&reply_class(class), "", &rows));
    }
    let call = message.call().ok_or_else(|| {
        let details = format!("no service configuration file declares message[{class}]");
        Error::api(Code::UnknownMessage, details)
    })?;
    let answer = pass_on(service, headers, call, message.session.as_deref()).await?;
    let status = answer.status();
    let answer = read(answer).await?;
    match job_of(&answer).filter(|_| status == StatusCode::ACCEPTED) {
        Some(job) => result_of(service, job).await,
        None => Ok(done(&reply_class(class), "", &reply(status, answer))),
    }
}

async fn query(
    service: &Service,
    caller: &Caller,
    base: &Base,
    statement: Statement,
) -> Result<Value, Error> {
    let run = Run::of(service, caller, base).await?;
    Ok(reply(
        StatusCode::OK,
        serde_json::to_value(run.one(statement).await?)?,
    ))
}

/// Says how a message stands.
#[utoipa::path(
    get,
    path = "/zstack/api/result/{uuid}",
    operation_id = "QueryMessageResult",
    params(("uuid" = String, Path)),
    responses((status = 200, body = Object)),
)]
pub(crate) async fn result(
    State(service): State<Service>,
    uuid: PathParams<String>,
) -> Answer<Value> {
    let id = map::uuid(&uuid.0).map(OperationId::from_uuid);
    result_of(&service, id.ok_or_else(jobs::unknown)?).await
}

/// Has the call answered by this face's own routes.
async fn pass_on(
    service: &Service,
    headers: &HeaderMap,
    call: ToCall,
    session: Option<&str>,
) -> Result<Response, Error> {
    let ToCall { method, uri, body } = call;
    let has_body = !matches!(method, Method::GET | Method::DELETE);
    let mut request = Request::builder().method(method).uri(uri);
    if has_body {
        request = request.extension(RawBody(body.to_string().into()));
    }
    for (name, value) in headers.iter().filter(|(name, _)| *name == header::HOST) {
        request = request.header(name, value);
    }
    if let Some(session) = session {
        request = request.header(header::AUTHORIZATION, format!("OAuth {session}"));
    }
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .body(HttpBody::empty());
    let request = request.map_err(|error| {
        Error::api(
            Code::InvalidArgument,
            format!("the message cannot be read: {error}"),
        )
    })?;
    let (router, _) = crate::zstack::router().split_for_parts();
    let router: Router = router.with_state(service.clone());
    let Ok(answer) = router.oneshot(request).await;
    Ok(answer)
}

/// The JSON of an answer, or its text.
async fn read(answer: Response) -> Result<Value, Error> {
    let bytes = to_bytes(answer.into_body(), usize::MAX).await;
    let bytes = bytes.map_err(|error| Error::api(Code::Internal, error.to_string()))?;
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    Ok(serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
}

/// The job behind an accepted call.
fn job_of(answer: &Value) -> Option<OperationId> {
    let location = answer.get("location")?.as_str()?;
    map::uuid(location.rsplit('/').next()?).map(OperationId::from_uuid)
}

async fn result_of(service: &Service, id: OperationId) -> Answer<Value> {
    let answer = jobs::poll(service, id, None, false).await?;
    let status = answer.status();
    if status == StatusCode::ACCEPTED {
        return Ok(ok(json!({ "state": "Processing", "uuid": id.simple() })));
    }
    Ok(done(
        EVENT,
        &id.simple(),
        &reply(status, read(answer).await?),
    ))
}

/// What the reply to a message says: the REST API's answer, and whether it went well.
fn reply(status: StatusCode, answer: Value) -> Value {
    let mut members = match answer {
        Value::Object(members) => members,
        Value::String(text) => {
            let error = Error::api(Code::InvalidArgument, text).code();
            Map::from_iter([("error".to_owned(), json!(error))])
        }
        _ => Map::new(),
    };
    members.remove("schema");
    members.insert("success".to_owned(), status.is_success().into());
    Value::Object(members)
}

fn done(class: &str, uuid: &str, reply: &Value) -> Json<Value> {
    let result = json!({ class: reply }).to_string();
    ok(json!({ "state": "Done", "uuid": uuid, "result": result }))
}
