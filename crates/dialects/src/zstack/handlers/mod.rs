//! One file per noun; each handler reads the request, calls the core and writes the answer.

pub(crate) mod accounts;
pub(crate) mod backup_actions;
pub(crate) mod backups;
pub(crate) mod inventory;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod long_jobs;
pub(crate) mod management;
pub(crate) mod messages;
pub(crate) mod progress;
pub(crate) mod scheduler;
pub(crate) mod storage_actions;
pub(crate) mod storages;
pub(crate) mod tag_patterns;
pub(crate) mod tagged;
pub(crate) mod tags;
pub(crate) mod zql;

use axum::http::{StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    error::{Error, without_context},
    wire::reply::{Empty, Json},
};

/// The body of a request.
pub(crate) type Body<T> = strongroom_http::extract::Body<T, Error>;
/// Segments of the path.
pub(crate) type PathParams<T> = strongroom_http::extract::PathParams<T, Error>;

/// What a handler answers.
pub(crate) type Answer<T> = Result<Json<T>, Error>;

/// Which of several actions at one path a body asks for: the one that is a member of it. Where
/// there is just one, it need not be named.
fn action<'a>(
    uri: &Uri,
    body: &'a Map<String, Value>,
    names: &[&'static str],
) -> Result<(&'static str, &'a Value), Error> {
    let named = |name: &&'static str| Some((*name, body.get(*name)?));
    let found = names.iter().find_map(named);
    let only = match names {
        [only] => Some((*only, &Value::Null)),
        _ => None,
    };
    found.or(only).ok_or_else(|| {
        let path = without_context(uri.path());
        let text = format!("the body doesn't contain action mapping to the URL[{path}]");
        Error::transport(StatusCode::BAD_REQUEST, text)
    })
}

/// Reads the parameters of an action; members that are not known do not matter.
fn parameters<T: DeserializeOwned + Default>(content: &Value) -> Result<T, Error> {
    match content {
        Value::Null => Ok(T::default()),
        content => T::deserialize(content).map_err(|error| {
            Error::transport(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
        }),
    }
}

fn ok<T>(value: T) -> Json<T> {
    Json(StatusCode::OK, value)
}

fn empty() -> Json<Empty> {
    ok(Empty {})
}
